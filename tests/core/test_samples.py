import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.prompt import AudioPart, ImagePart, TextPart
from core.samples import read_samples

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
PUBLISHED = sorted(REAL.glob("question_*.json"))


def write(folder: Path, entries: object, name: str = "samples.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def entry(*items: dict, **extra: object) -> dict:
    return {"id": 7, "prompt": "Answer.", "question": list(items), **extra}


def test_an_entry_by_hand(tmp_path):
    (tmp_path / "a.wav").touch()
    given = entry({"text": "Which?\nA. one"}, {"audio": "a.wav"}, task="qa", answer="one")
    (sample,) = read_samples(write(tmp_path, [given]))
    assert (sample.entry, sample.id, sample.extra) == (1, 7, {"task": "qa", "answer": "one"})
    prompt = sample.prompt()
    assert prompt.instruction == "Answer."
    assert prompt.parts == (TextPart("Which?\nA. one"), AudioPart(tmp_path / "a.wav", "a.wav"))
    assert sample.to_json() == given


@pytest.mark.parametrize("place", ["set/questions/media", "set/media", "media"])
def test_media_are_found_from_the_folder_and_its_parents(tmp_path, place):
    path = write(tmp_path, [entry({"image": "media/p.png"})], "set/questions/s.json")
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "p.png").touch()
    (sample,) = read_samples(path)
    assert sample.prompt().parts == (ImagePart(tmp_path / place / "p.png", "p.png"),)


def test_media_are_found_by_name_beside_the_file(tmp_path):
    (tmp_path / "p.png").touch()
    (sample,) = read_samples(write(tmp_path, [entry({"image": "examples/media/p.png"})]))
    assert sample.prompt().parts[0].path == tmp_path / "p.png"


def test_the_nearest_file_wins(tmp_path):
    for place in ("set/media", "media", "set"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "p.png").touch()
    (sample,) = read_samples(write(tmp_path, [entry({"image": "media/p.png"})], "set/s.json"))
    assert sample.prompt().parts[0].path == tmp_path / "set" / "media" / "p.png"


@pytest.mark.parametrize("written", ["gone.wav", "x" * 5000 + ".wav", "a\0b.wav", "/", ".."])
def test_a_missing_file_fails_its_own_sample_only(tmp_path, written):
    (tmp_path / "a.wav").touch()
    samples = read_samples(write(tmp_path, [entry({"audio": written}), entry({"audio": "a.wav"})]))
    with pytest.raises(InputError, match=r"Entry 1: the audio .* was not found") as caught:
        samples[0].prompt()
    assert str(tmp_path) not in str(caught.value)
    assert samples[1].prompt().parts


def test_a_relative_sample_path_works_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    write(tmp_path, [entry({"audio": "a.wav"})])
    monkeypatch.chdir(tmp_path)
    (sample,) = read_samples("samples.json")
    monkeypatch.chdir("/")
    assert sample.prompt().parts[0].path == tmp_path / "a.wav"


def test_ids_may_repeat_be_text_or_be_missing(tmp_path):
    entries = [entry(), entry(), entry() | {"id": "x"}, {"prompt": "", "question": []}]
    samples = read_samples(write(tmp_path, entries))
    assert [s.id for s in samples] == [7, 7, "x", 4]
    assert [s.entry for s in samples] == [1, 2, 3, 4]


def test_a_byte_order_mark_is_no_obstacle(tmp_path):
    assert len(read_samples(write(tmp_path, "\ufeff" + json.dumps([entry()])))) == 1


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (3, "must be an object, not a number"),
        ({"question": []}, "'prompt' must be text, not nothing"),
        ({"prompt": ["x"], "question": []}, "'prompt' must be text, not a list"),
        ({"prompt": "x"}, "'question' must be a list, not nothing"),
        ({"prompt": "x", "question": {"text": "y"}}, "'question' must be a list, not an object"),
        (entry() | {"id": [1]}, "'id' must be a number or text, not a list"),
        (entry() | {"id": True}, "'id' must be a number or text, not true or false"),
        (entry("text"), "'question' item 1 must have exactly one key"),
        (entry({}), "'question' item 1 must have exactly one key"),
        (entry({"text": "a"}, {"sound": "b"}), r"item 2 .* not keys \['sound'\]"),
        (entry({"text": "a", "image": "b"}), r"item 1 .* not keys \['image', 'text'\]"),
        (entry({"image": 5}), "item 1: 'image' must be the path of a file, not a number"),
        (entry({"image": ""}), "item 1: 'image' must be the path of a file, not empty text"),
        (entry({"text": None}), "item 1: 'text' must be text, not nothing"),
    ],
)
def test_a_malformed_entry_is_named_with_its_key(tmp_path, broken, message):
    path = write(tmp_path, [entry(), broken])
    with pytest.raises(InputError, match=f"'samples.json', entry 2: .*{message}"):
        read_samples(path)


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"id": 1}', "3", "[" * 100_000, "\udcff"])
def test_a_file_that_is_no_list_is_refused(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"'s\.json'"):
        read_samples(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"'none\.json' cannot be read"):
        read_samples(tmp_path / "none.json")


@pytest.mark.parametrize("path", PUBLISHED, ids=[p.name for p in PUBLISHED])
def test_published_samples(path):
    samples = read_samples(path)
    assert [s.to_json() for s in samples] == json.loads(path.read_text())
    for sample in samples:
        files = [Path(value).name for kind, value in sample.question if kind != "text"]
        if all((path.parent / name).exists() for name in files):
            assert [part.path.name for _, part in sample.prompt().media] == files
        else:
            with pytest.raises(InputError, match=f"Entry {sample.entry}"):
                sample.prompt()
