"""Readers of published data sets, on small files in exactly the published form."""

import json
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from core.cli import main
from core.errors import InputError
from core.evaluation.datasets import DATA_SETS, convert
from core.samples import Sample, read_samples


def packed(colour: str, kind: str) -> dict:
    buffer = BytesIO()
    Image.new("RGB", (4, 4), colour).save(buffer, kind)
    return {"bytes": buffer.getvalue(), "path": None}


def written_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"media")
    return path


def converted(name: str, source: Path, out: Path) -> tuple[Sample, ...]:
    return read_samples(convert(name, source, out))


def test_mantis_unpacks_its_pictures(tmp_path: Path):
    record = {
        "id": "mantis_eval_3",
        "question_type": "multi-choice",
        "question": "Do <image> and <image> match?",
        "images": [packed("red", "PNG"), packed("blue", "JPEG")],
        "options": ["(A) Yes", "(B) No"],
        "answer": "B",
        "data_source": "web",
        "category": "compare",
    }
    short = {**record, "id": "4", "question_type": "short-answer", "options": []}
    source = tmp_path / "test-00000-of-00001.parquet"
    parquet.write_table(pa.Table.from_pylist([record, short]), source)
    (sample,) = converted("mantis", source, tmp_path / "out")
    assert sample.question == (
        ("text", "Do <image> and <image> match?\n(A) Yes\n(B) No"),
        ("image", "media/mantis_eval_3_0.png"),
        ("image", "media/mantis_eval_3_1.jpg"),
    )
    assert (sample.id, sample.extra["answer"]) == ("mantis_eval_3", "B")
    first = sample.prompt().media[0][1].path
    assert Image.open(first).getpixel((0, 0)) == (255, 0, 0)


def test_mmdialog_keeps_turns_and_pictures_in_order(tmp_path: Path):
    talk = {
        "conversation": [
            {"turn": [{"__TEXT__": "Look:"}, {"__MEDIA__": "-28898"}]},
            {"turn": [{"__TEXT__": "Lovely :smiling_face:"}]},
        ],
        "negative_candidate_media_keys": ["1"],
    }
    plain = {"conversation": [{"turn": [{"__TEXT__": "Hello."}]}]}
    source = written_json(tmp_path / "test" / "conversations.json", [talk, plain])
    picture = touched(tmp_path / "images" / "test" / "-28898.jpg")
    (sample,) = converted("mmdialog", source, tmp_path / "out")
    assert [kind for kind, _ in sample.question] == ["text", "image", "text"]
    assert sample.question[0][1] == "<TURN> Look:"
    assert sample.prompt().media[0][1].path == picture
    assert "answer" not in sample.extra


CLINIC = """Patient,Doctor,Symptom,Visual,Severity,Intent,Summary,MCS,DI
Dialogue ID,29211,,,,,,,
"Hi doctor, my ear feels plugged.","I see, any pain?",O O O,,,Hearing loss,"The ear, it seems.",a,b
"Please take a look at it, $S22_3_1.jpg$.  ",There is redness.,O O,Redness,Mild,,,,
"Disease: Hearing loss, Group: 7",,,,,,,,
,,,,,,,,
Patient,Doctor,Symptom,Visual,Severity,Intent,Summary,MCS,DI
Dialogue ID,86,,,,,,,
I have a fever.,Rest.,O,,,Flu,No picture here.,a,b
"Disease; Flu, Group: 1",,,,,,,,
"""


def test_cliconsummation_reads_blocks(tmp_path: Path):
    source = tmp_path / "SampleDataset.csv"
    source.write_text(CLINIC, encoding="utf-8")
    picture = touched(tmp_path / "Visuals" / "S22_3_1.jpg")
    (sample,) = converted("cliconsummation", source, tmp_path / "out")
    assert sample.id == "29211"
    assert sample.question == (
        ("text", "Patient: Hi doctor, my ear feels plugged."),
        ("text", "Doctor: I see, any pain?"),
        ("text", "Patient: Please take a look at it."),
        ("image", picture.as_posix()),
        ("text", "Doctor: There is redness."),
    )
    assert sample.extra["answer"] == "The ear, it seems."


MMAU = {
    "id": "3fe64f3d",
    "audio_id": "./test-mini-audios/3fe64f3d.wav",
    "question": "Who speaks?",
    "choices": ["Man", "Woman", "Child", "Robot"],
    "answer": "Man",
    "dataset": "AudioSet",
    "task": "sound",
    "split": "test-mini",
    "category": "Reasoning",
    "sub-category": "Acoustic Source Inference",
    "difficulty": "medium",
}


def test_mmau_letters_its_choices(tmp_path: Path):
    source = written_json(tmp_path / "mmau-test-mini.json", [MMAU])
    sound = touched(tmp_path / "test-mini-audios" / "3fe64f3d.wav")
    (sample,) = converted("mmau", source, tmp_path / "out")
    assert sample.question[0] == ("text", "Who speaks?\nA. Man\nB. Woman\nC. Child\nD. Robot")
    assert sample.prompt().media[0][1].path == sound
    assert (sample.extra["answer"], sample.extra["task"]) == ("Man", "qa")


def test_misp_keeps_mandarin_summaries_apart(tmp_path: Path):
    summary = {"brief": "简短", "detail": "详细"}
    written_json(tmp_path / "eval" / "M014" / "meeting_summary.json", summary)
    sound = touched(tmp_path / "eval" / "M014" / "01_M014_01.wav")
    (sample,) = converted("misp", tmp_path, tmp_path / "out")
    assert sample.prompt().media[0][1].path == sound
    assert sample.extra["summaries"] == summary and "answer" not in sample.extra
    touched(sound.with_name("second.wav"))
    with pytest.raises(InputError, match="'M014' has 2"):
        convert("misp", tmp_path, tmp_path / "out")


def test_videomme_names_films_by_their_id(tmp_path: Path):
    record = {
        "video_id": "001",
        "duration": "short",
        "domain": "Film",
        "sub_category": "Animation",
        "url": "https://www.youtube.com/watch?v=6Z_XNM",
        "videoID": "6Z_XNM",
        "question_id": "001-1",
        "task_type": "Object Recognition",
        "question": "Which weapon?",
        "options": ["A. Sword.", "B. Axe.", "C. Gun.", "D. Spear."],
        "answer": "C",
    }
    source = tmp_path / "videomme" / "test-00000-of-00001.parquet"
    source.parent.mkdir()
    parquet.write_table(pa.Table.from_pylist([record]), source)
    film = touched(tmp_path / "data" / "6Z_XNM.mp4")
    (sample,) = converted("videomme", source, tmp_path / "out")
    assert sample.question[0][1] == "Which weapon?\nA. Sword.\nB. Axe.\nC. Gun.\nD. Spear."
    assert sample.prompt().media[0][1].path == film
    assert (sample.id, sample.extra["answer"]) == ("001-1", "C")


def test_missing_media_are_told_when_the_sample_is_used(tmp_path: Path):
    source = written_json(tmp_path / "mmau-test-mini.json", [MMAU])
    (sample,) = converted("mmau", source, tmp_path / "out")
    with pytest.raises(InputError, match="was not found"):
        sample.prompt()


@pytest.mark.parametrize("name", DATA_SETS)
def test_what_is_not_there_says_where_it_is_published(name: str, tmp_path: Path):
    with pytest.raises(InputError) as error:
        convert(name, tmp_path / "nowhere", tmp_path / "out")
    assert DATA_SETS[name].home in str(error.value) and "nothing is downloaded" in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("mmau", [{"id": 1}], "record 1 has no 'choices'; it has id"),
        ("mmau", {"a": 1}, "must hold a list"),
        ("mmau", [], "holds no samples"),
        ("mmdialog", [{"conversation": [{"turn": [{"x": 1}]}]}], "conversation 1: a turn holds"),
        ("mantis", [], "is not a parquet file"),
        ("videomme", [], "is not a parquet file"),
        ("cliconsummation", [], "no row that begins with 'Patient'"),
    ],
)
def test_a_file_in_another_form_is_told(name, content, told, tmp_path: Path):
    source = written_json(tmp_path / "file", content)
    with pytest.raises(InputError) as error:
        convert(name, source, tmp_path / "out")
    assert told in str(error.value)


def test_the_command_writes_samples(tmp_path: Path, capsys):
    source = written_json(tmp_path / "mmau-test-mini.json", [MMAU])
    out = tmp_path / "out"
    assert main(["dataset", "mmau", str(source), "--out", str(out)]) == 0
    assert len(read_samples(out / "samples.json")) == 1
    assert main(["dataset", "nothing", str(source), "--out", str(out)]) == 1
    assert "Known: mantis" in capsys.readouterr().err
