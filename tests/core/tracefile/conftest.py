"""A trace with everything in it, and its file."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart
from core.trace import Generation, MediaInfo, Trace
from tests.core.handmade import ROWS, timeline_of, trace_of

WORDS = ("The", " cat", " is", " 红", "色", ".", "")


@pytest.fixture(autouse=True)
def nothing_is_left_among_the_systems_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "system").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "system"))


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    given = tmp_path / "given"
    given.mkdir()
    for name in ("a.png", "b.wav", "c.mp4"):
        (given / name).write_bytes(name.encode() * 100)
    prompt = Prompt(
        "Say “what” is\n there.\0",
        (
            TextPart("A cat sat. B. dog"),
            ImagePart(given / "a.png", "../../holiday <b>.PNG"),
            AudioPart(given / "b.wav", "nameless"),
            VideoPart(given / "c.mp4", "/etc/passwd"),
        ),
    )
    draws = np.random.default_rng(0)
    scores = draws.random((len(WORDS), len(ROWS))).astype(np.float16)
    own = draws.random(len(WORDS)).astype(np.float32)
    timeline = timeline_of(ROWS)
    timeline.box[4:6] = [[0.0, 0.0, 28.5, 28.0], [28.5, 0.0, 57.0, 28.0]]
    return replace(
        trace_of(scores, *WORDS),
        prompt=prompt,
        timeline=timeline,
        scores={"attmean": scores, "a/../b": scores[::-1]},
        own={"attmean": own, "a/../b": own[::-1]},
        media=(
            MediaInfo(),
            MediaInfo(width=84, height=84, notes=("Only the first frame is used.",)),
            MediaInfo(duration=1.5, peaks=(0.0, 0.1, 1.0)),
            MediaInfo(width=64, height=48, duration=2.0, fps=29.97, has_sound=True),
        ),
        generation=Generation(temperature=0.7, seed=2**40),
        stopped="cancelled",
        timings={"prefill": 0.1 + 0.2},
        given=True,
        as_untraced=False,
    )


@pytest.fixture
def saved(trace: Trace, tmp_path: Path) -> Path:
    return trace.save(tmp_path / "saved.omnitrace")
