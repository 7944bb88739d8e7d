"""The command line on the embedded model: as a person uses it."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cli import main, printable
from core.prompt import ImagePart
from core.trace import Segment, Trace
from tests.core.handmade import MEDIA, PROMPT, ROWS, timeline_of, trace_of

ROOT = Path(__file__).parents[2]
HELD_OUT = ROOT / "assets" / "heldout" / "samples.json"


def write(folder: Path, entries: list[dict]) -> Path:
    path = folder / "samples.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Two good samples around one whose picture is missing, and one that is no picture."""
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    return write(
        tmp_path,
        [
            {"id": 0, "prompt": "Summarise the text.", "question": [{"text": "Tom sold hats."}]},
            {"id": 1, "prompt": "Describe the picture.", "question": [{"image": "missing.png"}]},
            {"id": 2, "prompt": "Describe the picture.", "question": [{"image": "broken.png"}]},
            {"id": 0, "prompt": "Summarise the text.", "question": [{"text": "Anna lost a cat."}]},
        ],
    )


def traced(samples: Path, out: Path) -> int:
    return main(["trace", str(samples), "--out", str(out), "--max-new-tokens", "6"])


def test_a_failing_sample_does_not_stop_the_rest(samples: Path, tmp_path: Path, capsys):
    out = tmp_path / "out"
    assert traced(samples, out) == 1
    assert len(list(out.glob("*.omnitrace"))) == 2
    told = capsys.readouterr().err
    assert "2 traced, 0 already there, 2 failed" in told
    assert "missing.png" in told and "broken.png" in told
    assert str(tmp_path) not in told.split("failed")[1]


def test_a_second_run_resumes(samples: Path, tmp_path: Path, capsys):
    out = tmp_path / "out"
    traced(samples, out)
    kept, removed = sorted(out.glob("*.omnitrace"))
    before = kept.stat().st_mtime_ns
    removed.unlink()
    traced(samples, out)
    assert removed.exists() and kept.stat().st_mtime_ns == before
    assert "1 traced, 1 already there, 2 failed" in capsys.readouterr().err


def test_other_settings_are_traced_anew(samples: Path, tmp_path: Path):
    out = tmp_path / "out"
    traced(samples, out)
    main(["trace", str(samples), "--out", str(out), "--max-new-tokens", "7", "--limit", "1"])
    assert len(list(out.glob("*.omnitrace"))) == 3


def test_explain_prints_spans_and_sources(tmp_path: Path, capsys):
    assert main(["trace", str(HELD_OUT), "--out", str(tmp_path), "--limit", "1"]) == 0
    (path,) = tmp_path.glob("*.omnitrace")
    capsys.readouterr()
    assert main(["explain", str(path)]) == 0
    text = capsys.readouterr().out
    assert main(["explain", str(path), "--json"]) == 0
    explanation = json.loads(capsys.readouterr().out)
    assert [span["text"] for span in explanation["spans"]]
    for span in explanation["spans"]:
        assert span["text"] in text
        for source in span["sources"]:
            assert source["label"] in text
    assert Trace.load(path).answer.startswith(explanation["spans"][0]["text"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["explain", "nowhere.omnitrace"], "nowhere.omnitrace"),
        (["trace", "nowhere.json", "--out", "x"], "nowhere.json"),
        (["trace", str(HELD_OUT), "--out", "x", "--model", "no/such"], "no/such"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, told, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and told in error
    assert "Traceback" not in error


def test_an_unknown_preset_lists_the_known_ones(tmp_path: Path, capsys):
    main(["trace", str(HELD_OUT), "--out", str(tmp_path), "--limit", "1", "--max-new-tokens", "2"])
    (path,) = tmp_path.glob("*.omnitrace")
    assert main(["explain", str(path), "--preset", "best"]) == 1
    assert "paper" in capsys.readouterr().err


def test_escape_sequences_do_not_reach_the_terminal():
    assert printable("a\x1b[31mred\u202e") == "a\\x1b[31mred\\u202e"


def test_the_module_runs_as_a_program():
    ran = subprocess.run(
        [sys.executable, "-m", "core", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert ran.returncode == 0 and "trace" in ran.stdout


def test_explaining_leaves_nothing_among_the_systems_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "system").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "system"))
    (tmp_path / "a.png").write_bytes(b"a picture")
    saved = trace_of(
        np.ones((1, 6)),
        "A.",
        prompt=replace(PROMPT, parts=(PROMPT.parts[0], ImagePart(tmp_path / "a.png", "a.png"))),
        timeline=timeline_of(ROWS[:6]),
        media=MEDIA[:2],
    ).save(tmp_path / "one.omnitrace")
    assert main(["explain", str(saved)]) == 0
    assert list((tmp_path / "system").iterdir()) == []


def test_a_speaker_from_a_strangers_file_commands_no_terminal(tmp_path: Path, capsys):
    said = (Segment(0.0, 1.5, "Hello.", "\x1b[2J\x1b]0;owned\x07"),)
    scores = np.zeros((1, len(ROWS)))
    scores[0, 6:9] = 1
    saved = trace_of(scores, "Hello", transcripts={"whisper:small": {2: said}}).save(
        tmp_path / "one.omnitrace"
    )
    assert main(["explain", str(saved), "--segmenter", "whisper:small"]) == 0
    told = capsys.readouterr().out
    assert "owned" in told
    assert "\x1b" not in told and "\x07" not in told
