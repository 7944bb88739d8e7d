"""A trace of all four kinds of part, made by hand, with gradio's own photographs, sound and film.

One token a word. What each word draws on is written down, so that what is cited is known.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import gradio
import numpy as np

from core.curation import Curation
from core.explain import Explanation, explain
from core.prompt import Prompt, TextPart, media_part
from core.sources import Granularity, Sources
from core.spans import sentence_ranges
from core.timeline import LANES, Timeline
from core.trace import MediaInfo, ModelInfo, Token, Trace

MEDIA = Path(gradio.__file__).parent / "media_assets"
LION, CHEETAH = MEDIA / "images/lion.jpg", MEDIA / "images/cheetah1.jpg"
MUSIC, FILM = MEDIA / "audio/sax.wav", MEDIA / "videos/world.mp4"
MUSIC_SECONDS, FILM_SECONDS = 16.0, 30.5

DIARY = (
    "We left the camp before sunrise. The grass was still wet, and nobody spoke for an hour. "
    "A lion was resting in the shade of an acacia. Our guide whispered that we should wait."
)
OPTIONS = "A. The lion slept.\nB. The cheetah ran.\nC. Nobody saw a cat."

Place = tuple[str, int, float | None]
"""Lane, part, and seconds (for text: the number of the sentence; for a picture: nothing)."""

Word = tuple[str, Place | None, float]
"""A word with the space before it, what it draws on, and how much of the signal goes there."""


def said(text: str, place: Place | None, mass: float = 0.5) -> list[Word]:
    """The words of a stretch of the answer that draws on one place."""
    return [(word, place, mass) for word in re.findall(r"\s*\S+", text)]


ANSWER = [
    *said("The first picture shows a lion with a dark mane.", ("image", 2, None)),
    *said(" A lion was resting in the shade,", ("text", 0, 2)),
    *said(" as the photograph confirms.", ("image", 2, None), 0.3),
    *said(" The saxophone enters after four seconds", ("audio", 4, 4.5)),
    *said(" and pauses.", ("audio", 4, 9.5), 0.4),
    *said("\n\nThe film turns the globe slowly", ("video_frames", 5, 12.0)),
    *said(" while a voice explains.", ("video_sound", 5, 18.0)),
    *said(" All of this was already said above.", None),
    *said(" The answer is B.", ("text", 1, 1), 0.6),
]
"""Six sentences; the fifth draws on nothing but the answer itself."""


@dataclass(frozen=True)
class Case:
    """All that a view needs. ``files``: part index → path."""

    trace: Trace
    explanation: Explanation
    curation: Curation
    files: dict[int, Path]

    @property
    def sources(self) -> Sources:
        return self.explanation.sources


def case(
    *,
    answer: list[Word] = ANSWER,
    texts: tuple[str, str] = (DIARY, OPTIONS),
    names: tuple[str, ...] = ("lion.jpg", "cheetah.jpg", "sax.wav", "world.mp4"),
    bin_seconds: float = 1.0,
    curation: Curation = Curation(assignment="mass"),  # noqa: B008 — frozen
) -> Case:
    """The whole record, explained by the framework."""
    trace = fabricated(answer, texts, names)
    explanation = explain(
        trace, curation=curation, granularity=Granularity("sentence", bin_seconds)
    )
    return Case(trace, explanation, curation, {i: part.path for i, part in trace.prompt.media})


def fabricated(answer: list[Word], texts: tuple[str, str], names: tuple[str, ...]) -> Trace:
    """A trace whose words draw on what ``answer`` says they do."""
    paths = (LION, CHEETAH, MUSIC, FILM)
    media = [type(media_part(path))(path, name) for path, name in zip(paths, names, strict=True)]
    prompt = Prompt.of("Describe everything.", [*texts, *media])
    timeline = _timeline(texts)
    tokens, rows, at = [], [], 0
    for text, place, mass in answer:
        tokens.append(Token(len(tokens), text, at, at := at + len(text)))
        row = np.zeros(len(timeline))
        row[:2] = 0.2, 0.05
        held = _positions(prompt, timeline, place)
        row[held] += mass / max(1, len(held))
        rows.append(row)
    own = [0.1 if place else 2.0 for _, place, _ in answer]
    return Trace(
        prompt=prompt,
        timeline=timeline,
        answer="".join(text for text, _, _ in answer),
        tokens=tuple(tokens),
        scores={"attmean": np.array(rows).astype(np.float16)},
        own={"attmean": np.array(own, np.float32)},
        media=_media(),
        model=ModelInfo("fabricated", "none", 0, "float32", "cpu"),
    )


def _media() -> tuple[MediaInfo, ...]:
    wave = tuple(abs(math.sin(i / 9)) * (0.4 + 0.6 * abs(math.sin(i / 70))) for i in range(600))
    return (
        MediaInfo(),
        MediaInfo(),
        MediaInfo(width=1200, height=1200),
        MediaInfo(width=1200, height=1200),
        MediaInfo(duration=MUSIC_SECONDS, peaks=wave),
        MediaInfo(
            width=480,
            height=270,
            duration=FILM_SECONDS,
            fps=24.0,
            has_sound=True,
            peaks=wave,
            notes=("61 of 732 frames were shown to the model.",),
        ),
    )


def _timeline(texts: tuple[str, str]) -> Timeline:
    """One structural position, one of the instruction; then one a character of text, one a
    picture, two a second of sound and film."""
    rows: list[tuple[int, str | None, tuple[int, int], float]] = [
        (-1, None, (-1, -1), math.nan),
        (-2, None, (0, 20), math.nan),
    ]
    for part, text in enumerate(texts):
        rows += [(part, "text", (i, i + 1), math.nan) for i in range(len(text))]
    rows += [(part, "image", (-1, -1), math.nan) for part in (2, 3)]
    for part, lane, seconds in (
        (4, "audio", MUSIC_SECONDS),
        (5, "video_frames", FILM_SECONDS),
        (5, "video_sound", FILM_SECONDS),
    ):
        rows += [(part, lane, (-1, -1), i / 2) for i in range(int(seconds * 2))]
    timeline = Timeline.structural(len(rows))
    for i, (part, lane, chars, start) in enumerate(rows):
        timeline.part[i], timeline.chars[i] = part, chars
        timeline.lane[i] = -1 if lane is None else LANES.index(lane)
        timeline.seconds[i] = start, start + 0.5
    return timeline


def _positions(prompt: Prompt, timeline: Timeline, place: Place | None) -> np.ndarray:
    if place is None:
        return np.zeros(0, np.int64)
    lane, index, at = place
    held = np.flatnonzero((timeline.part == index) & (timeline.lane == LANES.index(lane)))
    part = prompt.parts[index]
    if isinstance(part, TextPart):
        return held[slice(*sentence_ranges(part.text)[int(at or 0)])]
    return held if at is None else held[[int(at * 2)]]
