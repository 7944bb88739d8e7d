"""A trace made by hand: all four kinds of parts, a short answer, numbers one can check by eye."""

from pathlib import Path

import numpy as np

from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart
from core.timeline import INSTRUCTION, LANES, Timeline
from core.trace import MediaInfo, ModelInfo, Token, Trace

MODEL = ModelInfo("made by hand", "none", 0, "float32", "cpu")


def timeline_of(rows: list[tuple]) -> Timeline:
    """``(part, lane name or "", (start, end) or None)`` a position: characters or seconds."""
    made = Timeline.structural(len(rows))
    for at, (part, lane, extent) in enumerate(rows):
        made.part[at] = part
        if lane:
            made.lane[at] = LANES.index(lane)
        if extent and lane in ("text", ""):
            made.chars[at] = extent
        elif extent:
            made.seconds[at] = extent
    return made


def tokens_of(*texts: str) -> tuple[str, tuple[Token, ...]]:
    """The answer that these pieces spell, and its tokens."""
    tokens, at = [], 0
    for index, text in enumerate(texts):
        tokens.append(Token(index, text, at, at + len(text)))
        at += len(text)
    return "".join(texts), tuple(tokens)


PROMPT = Prompt(
    "Say what is there.",
    (
        TextPart("A cat sat. B. dog"),
        ImagePart(Path("a.png"), "a.png"),
        AudioPart(Path("b.wav"), "b.wav"),
        VideoPart(Path("c.mp4"), "c.mp4"),
    ),
)

ROWS = [
    (-1, "", None),
    (INSTRUCTION, "", (0, 3)),
    (0, "text", (0, 10)),
    (0, "text", (10, 17)),
    (1, "image", None),
    (1, "image", None),
    (2, "audio", (0.0, 0.5)),
    (2, "audio", (0.5, 1.0)),
    (2, "audio", (1.0, 1.5)),
    (3, "video_frames", (0.0, 1.0)),
    (3, "video_sound", (0.0, 1.0)),
    (3, "video_frames", (1.0, 2.0)),
    (3, "video_sound", (1.0, 2.0)),
    (-1, "", None),
]

MEDIA = (
    MediaInfo(),
    MediaInfo(width=84, height=84),
    MediaInfo(duration=1.5, peaks=(0.0, 0.5, 1.0)),
    MediaInfo(duration=2.0, fps=24.0, has_sound=True),
)


def trace_of(scores: np.ndarray, *texts: str, own: float | dict = 0.0, **changes) -> Trace:
    """A trace of ``PROMPT`` with one signal, ``attmean``; ``own`` is the same for every token."""
    answer, tokens = tokens_of(*texts)
    if not isinstance(own, dict):
        own = {"attmean": np.full(len(tokens), own, np.float32)}
    made = {
        "prompt": PROMPT,
        "timeline": timeline_of(ROWS),
        "answer": answer,
        "tokens": tokens,
        "scores": {"attmean": np.asarray(scores, np.float16)},
        "own": own,
        "media": MEDIA,
        "model": MODEL,
        **changes,
    }
    return Trace(**made)
