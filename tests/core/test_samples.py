import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.prompt import AudioPart, ImagePart, TextPart
from core.samples import read_samples

HELD_OUT = Path(__file__).resolve().parents[2] / "assets" / "heldout" / "samples.json"


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


def test_samples_in_the_published_form(tmp_path):
    """As the authors publish them: ids of each task's own, prompts that end in a line break,
    paths of their own folder, extra fields, an entry without an answer, and not all media there."""
    qa = {
        "id": 0,
        "task": "qa",
        "source_dataset": "MMAU",
        "prompt": "Answer the question based on the audio provided.\n",
        "question": [
            {"text": "Which word appears first\nA. ghastly\nB. grinning"},
            {"audio": "examples/media/f37f225c-98a7-47c9-bce6-35409ad56407.wav"},
        ],
        "answer": "ghastly",
        "category": "Phonological Sequence Decoding",
    }
    summary = {
        "id": 0,
        "task": "summarization",
        "source_dataset": "MISP",
        "prompt": "Summarize the audio recording in English.\n",
        "question": [{"audio": "examples/media/01_M014_01.wav"}],
    }
    there = "f37f225c-98a7-47c9-bce6-35409ad56407.wav"
    (tmp_path / there).touch()
    samples = read_samples(write(tmp_path, [qa, summary]))
    assert [sample.to_json() for sample in samples] == [qa, summary]
    assert [part.path for _, part in samples[0].prompt().media] == [tmp_path / there]
    with pytest.raises(InputError, match=r"Entry 2.*01_M014_01\.wav"):
        samples[1].prompt()


def test_held_out_samples_come_back_as_written_with_all_their_media():
    samples = read_samples(HELD_OUT)
    assert [s.to_json() for s in samples] == json.loads(HELD_OUT.read_text(encoding="utf-8"))
    for sample in samples:
        files = [Path(value).name for kind, value in sample.question if kind != "text"]
        assert [part.path.name for _, part in sample.prompt().media] == files
