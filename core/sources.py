"""Timeline → source units at a chosen granularity; token scores → unit mass (rules 1 and 9).

Source text is cut as answers are (``core.spans.sentence_ranges``), so that each option of a
multiple-choice question is a unit of its own. Time is cut where it divides by itself
(``core.natural``), or into bins; sound, where it is known what was said when (``core.segmenters``),
into given segments and the gaps between them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from core.errors import InputError
from core.natural import natural_edges
from core.prompt import Part, Prompt, TextPart
from core.spans import Range, sentence_ranges
from core.timeline import LANES, Timeline
from core.trace import MediaInfo, Segment

BIN_SECONDS = (0.25, 5.0)
"""Shortest and longest time bin."""

_KINDS = {"text": "Text", "image": "Image", "audio": "Audio", "video": "Film"}
_STREAMS = {"audio": "", "video_frames": " · picture", "video_sound": " · sound"}
_TICK = 1e-4
"""Seconds. Timelines are float32: midpoints are rounded to this before they are put into a bin."""


@dataclass(frozen=True)
class Granularity:
    """How parts are cut into units.

    Attributes:
        text: ``sentence`` (list options apart) or ``part`` (each text part whole).
        bin_seconds: length of audio and film bins, 0.25–5 s.
        time: ``natural`` (speech between pauses, shots of films; else bins) or ``bins``.
        intervals: part index → segments (or bare ``(start, end)``, seconds) to use instead for the
            sound of that part, in order and disjoint; what they leave out becomes units too, so
            that no evidence is lost. A film's pictures are cut as ``time`` says.

    Raises:
        InputError: a value is out of its range.
    """

    text: Literal["sentence", "part"] = "sentence"
    bin_seconds: float = 1.0
    time: Literal["natural", "bins"] = "natural"
    intervals: Mapping[int, tuple[Segment | tuple[float, float], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.text not in ("sentence", "part"):
            raise InputError(f"Text granularity {self.text!r} is unknown: use sentence or part.")
        if self.time not in ("natural", "bins"):
            raise InputError(f"Time granularity {self.time!r} is unknown: use natural or bins.")
        least, most = BIN_SECONDS
        if not least <= self.bin_seconds <= most:
            raise InputError(f"A bin of {self.bin_seconds!r} s: use {least:g} to {most:g} s.")
        for part, intervals in self.intervals.items():
            if not in_order(intervals):
                raise InputError(
                    f"The intervals of part {part + 1} must be in order, disjoint and not empty."
                )


DEFAULT_GRANULARITY = Granularity()


def in_order(intervals: Sequence[Segment | tuple[float, float]]) -> bool:
    """Whether intervals (seconds) are in order, disjoint, finite, and none is empty."""
    extents = [(start, end) for start, end, *_ in intervals]
    edges = [edge for extent in extents for edge in extent]
    ordered = all(a <= b for a, b in pairwise(edges)) and all(a < b for a, b in extents)
    return ordered and all(0 <= edge < float("inf") for edge in edges)


@dataclass(frozen=True)
class SourceUnit:
    """The smallest thing an answer can be attributed to.

    Attributes:
        id: stable name, e.g. ``p0.1``: part 0, second unit (``p2.s3``: sound of film 2, fourth).
        lane: one of ``timeline.LANES``.
        part: index into ``prompt.parts``.
        label: for people, e.g. ``Text 1 · sentence 2``, ``Image 3``, ``Audio 1 · 2.0–3.0 s``.
        start, end: characters (int) of the text part, or seconds; ``None`` for a picture, and for
            a whole recording whose model says nothing of time.
        text: the unit's words: written, or spoken where a recogniser heard them; else empty.
    """

    id: str
    lane: str
    part: int
    label: str
    start: float | None = None
    end: float | None = None
    text: str = ""


@dataclass(frozen=True, eq=False)
class Sources:
    """All units of a prompt, in the prompt's order.

    Attributes:
        units: the units.
        unit_of: int32 ``(n_prompt,)``: the unit each position belongs to, −1 for none.
        lane_of: int8 ``(n_units,)``: index into ``LANES``.
    """

    units: tuple[SourceUnit, ...]
    unit_of: np.ndarray
    lane_of: np.ndarray


def cut(
    prompt: Prompt,
    timeline: Timeline,
    media: Sequence[MediaInfo] = (),
    granularity: Granularity = DEFAULT_GRANULARITY,
) -> Sources:
    """Cut a prompt into source units.

    A position of text belongs to the unit of its first non-space character; one of sound or film
    to the shot, stretch of speech, segment, gap or bin of its midpoint. A time unit reaches as far
    as its positions do, clipped to the recording: bins finer than the model's own grid honestly
    widen. Units that no position reads (what a model left out, a bin between two coarse frames) are
    none: there are never more units than positions.

    Args:
        prompt: the parts.
        timeline: provenance of every position.
        media: one ``MediaInfo`` a part, for durations; may be empty.
        granularity: how fine.
    """
    units: list[SourceUnit] = []
    unit_of = np.full(len(timeline), -1, np.int32)
    seen: dict[str, int] = {}
    for index, part in enumerate(prompt.parts):
        seen[part.kind] = seen.get(part.kind, 0) + 1
        name = f"{_KINDS[part.kind]} {seen[part.kind]}"
        info = media[index] if index < len(media) else MediaInfo()
        for lane in _lanes(part):
            held = (timeline.part == index) & (timeline.lane == LANES.index(lane))
            positions = np.flatnonzero(held)
            if isinstance(part, TextPart):
                chars = timeline.chars[positions]
                found, cells = _text_units(part, index, name, chars, granularity.text)
            elif lane == "image":
                found, cells = _one_unit(f"p{index}.0", lane, index, name, len(positions))
            else:
                seconds = timeline.seconds[positions]
                found, cells = _time_units(lane, index, name, seconds, info, granularity)
            unit_of[positions] = np.where(cells < 0, -1, cells + len(units))
            units += found
    lane_of = np.array([LANES.index(unit.lane) for unit in units], np.int8)
    return Sources(tuple(units), unit_of, lane_of)


def unit_mass(scores: np.ndarray, sources: Sources) -> np.ndarray:
    """Rule 1: each unit's sum of scores; ``(T, n_prompt)`` → float32 ``(T, n_units)``."""
    return _reduced(np.add, scores.astype(np.float32), sources)


def unit_peak(scores: np.ndarray, sources: Sources) -> np.ndarray:
    """Rule 2, peak: each unit's strongest position; shapes as ``unit_mass``."""
    if scores.dtype != np.float16:
        return _reduced(np.maximum, scores.astype(np.float32), sources)
    # Halves ≥ 0 are in the order of their bits, which are compared many times faster.
    return _reduced(np.maximum, scores.view(np.int16), sources).view(np.float16).astype(np.float32)


def _reduced(ufunc: np.ufunc, scores: np.ndarray, sources: Sources) -> np.ndarray:
    reduced = np.zeros((len(scores), len(sources.units)), scores.dtype)
    # A film's frames and sound interleave, so units are not runs of positions: sort them first.
    order = np.argsort(sources.unit_of, kind="stable")
    order = order[sources.unit_of[order] >= 0]
    if len(order):
        present, starts = np.unique(sources.unit_of[order], return_index=True)
        reduced[:, present] = ufunc.reduceat(scores[:, order], starts, axis=1)
    return reduced


def _lanes(part: Part) -> tuple[str, ...]:
    return ("video_frames", "video_sound") if part.kind == "video" else (part.kind,)


def _one_unit(
    name: str, lane: str, index: int, label: str, count: int
) -> tuple[list[SourceUnit], np.ndarray]:
    """A picture, or a recording without times, read by ``count`` positions; none if by none."""
    found = [SourceUnit(name, lane, index, label)] if count else []
    return found, np.zeros(count, np.int32)


def _text_units(
    part: TextPart, index: int, name: str, chars: np.ndarray, cut_at: str
) -> tuple[list[SourceUnit], np.ndarray]:
    ranges = sentence_ranges(part.text)
    if cut_at == "part" and ranges:
        ranges = ((ranges[0][0], ranges[-1][1]),)
    sentences = np.array(
        [_sentence_of(part.text, ranges, start, end) for start, end in chars.tolist()], np.int32
    )
    read = np.unique(sentences[sentences >= 0])
    units = []
    for n in read.tolist():
        start, end = ranges[n]
        label = name if len(ranges) == 1 else f"{name} · sentence {n + 1}"
        words = part.text[start:end]
        units.append(SourceUnit(f"p{index}.{n}", "text", index, label, start, end, words))
    return units, np.where(sentences < 0, -1, np.searchsorted(read, sentences))


def _sentence_of(text: str, ranges: Sequence[Range], start: int, end: int) -> int:
    """Index of the range that holds the first non-space character of ``[start, end)``, or −1."""
    if start < 0:
        return -1
    token = text[start:end]
    at = start + len(token) - len(token.lstrip()) if not token.isspace() else start
    found = bisect_right(ranges, at, key=lambda r: r[0]) - 1
    return found if found >= 0 and at < ranges[found][1] else -1


def _time_units(
    lane: str,
    index: int,
    name: str,
    seconds: np.ndarray,
    info: MediaInfo,
    granularity: Granularity,
) -> tuple[list[SourceUnit], np.ndarray]:
    """Units of one recording, or of one stream of a film; ``seconds (k, 2)``."""
    prefix, stream = "s" if lane == "video_sound" else "", name + _STREAMS[lane]
    timed = np.isfinite(seconds).all(axis=1)
    if not timed.any():
        return _one_unit(f"p{index}.{prefix}0", lane, index, stream, len(seconds))
    extents = seconds[timed].astype(np.float64)
    bins, said = _bins(extents.mean(axis=1), granularity, index, lane, info)
    present, inverse = np.unique(bins, return_inverse=True)
    starts, ends = np.full(len(present), np.inf), np.zeros(len(present))
    np.minimum.at(starts, inverse, extents[:, 0])
    np.maximum.at(ends, inverse, extents[:, 1])
    limit = np.inf if info.duration is None else info.duration
    units = []
    for n, (a, b) in enumerate(_clipped(starts, ends, limit)):
        _, _, words, speaker = said.get(int(present[n]), Segment(a, b))
        label = " · ".join(filter(None, (stream, speaker, _clock(a, b))))
        units.append(SourceUnit(f"p{index}.{prefix}{n}", lane, index, label, a, b, words))
    cells = np.full(len(seconds), -1, np.int32)
    cells[timed] = inverse
    return units, cells


def _bins(
    midpoints: np.ndarray, granularity: Granularity, part: int, lane: str, info: MediaInfo
) -> tuple[np.ndarray, dict[int, Segment]]:
    """The stretch of time of each midpoint (seconds): an ordinal; and which are given segments."""
    midpoints = np.round(midpoints / _TICK) * _TICK
    if part not in granularity.intervals or lane == "video_frames":
        natural = granularity.time == "natural"
        edges = natural_edges(lane, info, granularity.bin_seconds) if natural else None
        if edges is not None:
            return np.searchsorted(edges, midpoints + _TICK / 2, side="right"), {}
        return np.floor(midpoints / granularity.bin_seconds + _TICK).astype(np.int64), {}
    segments = [Segment(*interval) for interval in granularity.intervals[part]]
    edges = np.unique([edge for start, end, *_ in segments for edge in (start, end)])
    begins = np.searchsorted(edges, [segment.start for segment in segments], side="right")
    said = dict(zip(begins.tolist(), segments, strict=True))
    return np.searchsorted(edges, midpoints + _TICK / 2, side="right"), said


def _clipped(starts: np.ndarray, ends: np.ndarray, limit: float) -> list[tuple[float, float]]:
    """Extents in seconds, freed from float32's tails and cut at the recording's end."""
    return [
        (min(round(a, 4), limit), min(round(b, 4), limit))
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _clock(start: float, end: float) -> str:
    digits = 1 if all(abs(s * 10 - round(s * 10)) < 0.01 for s in (start, end)) else 2
    return f"{start:.{digits}f}–{end:.{digits}f} s"
