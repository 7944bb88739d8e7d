"""A trace of all four kinds of part, made by hand, with gradio's own photographs, speech and film.

One token a word; evidence is written down word by word, so that what is cited is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import gradio
import numpy as np

from core.curation import Curation, curate
from core.explain import Cited, Explanation, Meter, SpanExplanation, Vote
from core.prompt import Prompt, media_part
from core.sources import Granularity, Sources, cut, unit_mass
from core.timeline import LANES, Timeline
from core.trace import MediaInfo, ModelInfo, Token, Trace

MEDIA = Path(gradio.__file__).parent / "media_assets"
LION, CHEETAH = MEDIA / "images/lion.jpg", MEDIA / "images/cheetah1.jpg"
SPEECH, FILM = MEDIA / "audio/sax.wav", MEDIA / "videos/world.mp4"
SPEECH_SECONDS, FILM_SECONDS = 16.0, 30.5

DIARY = (
    "We left the camp before sunrise. The grass was still wet, and nobody spoke for an hour. "
    "A lion was resting in the shade of an acacia. Our guide whispered that we should wait."
)
OPTIONS = "A. The lion slept.\nB. The cheetah ran.\nC. Nobody saw a cat."

Place = tuple[str, int, float | None]
"""Lane, part, and seconds (or the sentence's number, for text)."""


@dataclass(frozen=True)
class Said:
    """A sentence of the answer: ``words`` are ``(word, POS, place or None, mass)``."""

    words: tuple[tuple[str, str, Place | None, float], ...]
    own: float = 0.2
    gap: str = " "


@dataclass(frozen=True)
class Case:
    """All that a view needs."""

    trace: Trace
    sources: Sources
    explanation: Explanation
    curation: Curation
    files: dict[int, Path] = field(default_factory=dict)


def words(text: str, place: Place | None, mass: float = 0.5) -> tuple:
    """Words with a plausible POS: long ones are nouns, short ones are not."""
    tag = {True: "NOUN", False: "DET"}
    return tuple((word, tag[len(word) > 4], place, mass) for word in text.split(" "))


ANSWER = (
    Said(words("The first picture shows a lion with a dark mane.", ("image", 2, None)), gap=""),
    Said(
        words("A lion was resting in the shade,", ("text", 0, 2))
        + words("as the photograph confirms.", ("image", 2, None), 0.3)
    ),
    Said(
        words("The saxophone enters after four seconds", ("audio", 4, 4.5))
        + words("and pauses.", ("audio", 4, 9.5), 0.4)
    ),
    Said(
        words("The film turns the globe slowly", ("video_frames", 5, 12.0))
        + words("while a voice explains.", ("video_sound", 5, 18.0)),
        gap="\n\n",
    ),
    Said(words("All of this was already said above.", None, 0.02), own=0.9),
    Said(words("The answer is B.", ("text", 1, 1), 0.6)),
)


def case(
    *,
    said: tuple[Said, ...] = ANSWER,
    diary: str = DIARY,
    options: str = OPTIONS,
    names: tuple[str, ...] = ("lion.jpg", "cheetah.jpg", "sax.wav", "world.mp4"),
    bin_seconds: float = 1.0,
    curation: Curation = Curation(),  # noqa: B008 — frozen
) -> Case:
    """The whole record, through the framework's own cutting and curation."""
    files = {2: LION, 3: CHEETAH, 4: SPEECH, 5: FILM}
    media = [media_part(path) for path in files.values()]
    media = [type(part)(part.path, name) for part, name in zip(media, names, strict=True)]
    prompt = Prompt.of("Describe everything.", [diary, options, *media])
    timeline, where = _timeline((diary, options))
    wave = tuple(abs(math.sin(i / 9)) * (0.4 + 0.6 * abs(math.sin(i / 70))) for i in range(600))
    infos = (
        MediaInfo(),
        MediaInfo(),
        MediaInfo(width=1200, height=800),
        MediaInfo(width=1200, height=800),
        MediaInfo(duration=SPEECH_SECONDS, peaks=wave),
        MediaInfo(
            width=480, height=270, duration=FILM_SECONDS, fps=24.0, has_sound=True, peaks=wave,
            notes=("61 of 732 frames were shown to the model.",),
        ),
    )  # fmt: skip
    sources = cut(prompt, timeline, infos, Granularity(bin_seconds=bin_seconds))
    trace, spans, pos = _trace(prompt, timeline, infos, said, where)
    explanation = _explanation(trace, sources, spans, pos, said, curation)
    return Case(trace, sources, explanation, curation, files)


def _timeline(texts: tuple[str, ...]) -> tuple[Timeline, dict[tuple[str, int], np.ndarray]]:
    """Structure, a character a position for text, one position a picture, two a second."""
    rows: list[tuple[int, str | None, tuple[int, int], tuple[float, float]]] = [
        (-1, None, (-1, -1), (math.nan,) * 2)
    ]
    rows.append((-2, None, (0, 20), (math.nan,) * 2))
    for part, text in enumerate(texts):
        rows += [(part, "text", (i, i + 1), (math.nan,) * 2) for i in range(len(text))]
    rows += [(part, "image", (-1, -1), (math.nan,) * 2) for part in (2, 3)]
    for part, lane, seconds in (
        (4, "audio", SPEECH_SECONDS),
        (5, "video_frames", FILM_SECONDS),
        (5, "video_sound", FILM_SECONDS),
    ):
        rows += [(part, lane, (-1, -1), (i / 2, i / 2 + 0.5)) for i in range(int(seconds * 2))]
    timeline = Timeline.structural(len(rows))
    for i, (part, lane, chars, seconds) in enumerate(rows):
        timeline.part[i] = part
        timeline.lane[i] = -1 if lane is None else LANES.index(lane)
        timeline.chars[i] = chars
        timeline.seconds[i] = seconds
    keys = {(lane, part) for part, lane, *_ in rows if lane}
    where = {
        (lane, part): np.flatnonzero((timeline.part == part) & (timeline.lane == LANES.index(lane)))
        for lane, part in keys
    }
    return timeline, where


def _trace(prompt, timeline, infos, said, where):
    from core.spans import sentence_ranges

    text, tokens, spans, pos, rows = "", [], [], [], []
    for sentence in said:
        text += sentence.gap
        first, start = len(tokens), len(text)
        for n, (word, tag, place, mass) in enumerate(sentence.words):
            begin = len(text)
            text += word if n == 0 else " " + word
            tokens.append(Token(id=len(tokens), text=text[begin:], start=begin, end=len(text)))
            pos.append(tag)
            row = np.full(len(timeline), 1e-5)
            row[0], row[1] = 0.2, 0.05
            if place is not None:
                lane, part, at = place
                held = where[lane, part]
                if lane == "text":
                    ranges = sentence_ranges(prompt.parts[part].text)
                    held = held[slice(*ranges[int(at)])]
                elif at is not None:
                    held = held[[int(at * 2)]]
                row[held] += mass / len(held)
            rows.append(row)
        spans.append((first, len(tokens), start, len(text)))
    scores = np.array(rows).astype(np.float16)
    trace = Trace(
        prompt=prompt, timeline=timeline, answer=text, tokens=tuple(tokens),
        scores={"attmean": scores}, own={"attmean": np.full(len(tokens), 0.1, np.float32)},
        media=infos, model=ModelInfo("fabricated", "none", 0, "float32", "cpu"),
    )  # fmt: skip
    return trace, spans, pos


def _explanation(trace, sources, spans, pos, said, curation) -> Explanation:
    mass = unit_mass(trace.scores["attmean"], sources)
    curated = curate(mass, sources.lane_of, pos, [span[:2] for span in spans], curation)
    found = []
    for index, (first, last, start, end) in enumerate(spans):
        own = said[index].own
        lanes = {
            lane: float(mass[first:last][:, sources.lane_of == n].sum(axis=1).mean())
            for n, lane in enumerate(LANES)
        }
        whole = sum(lanes.values()) + 0.25
        lanes = {lane: share / whole * (1 - own) for lane, share in lanes.items()}
        rest = 0.25 / whole * (1 - own)
        votes = tuple(
            Vote(t, pos[t], int(b.unit[t]), float(b.confidence[t]), float(b.vote[t]))
            for t in range(first, last)
            for b in curated.ballots
        )
        chosen = () if own > 0.5 else curated.chosen[index]
        cited = tuple(Cited(c.unit, sources.units[c.unit], c.share, c.run, c.score) for c in chosen)
        found.append(
            SpanExplanation(
                index, trace.answer[start:end], start, end, first, last, cited, votes,
                Meter(lanes, rest * 0.2, own, rest * 0.8), own > 0.5,
            )
        )  # fmt: skip
    return Explanation("attmean", sources, tuple(found))
