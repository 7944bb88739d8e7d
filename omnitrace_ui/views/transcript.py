"""What was said when: the segments of a recording and the gaps between them, as rows to click."""

from __future__ import annotations

import numpy as np

from core.sources import Sources
from core.timeline import LANES
from core.trace import Segment, Trace, Transcript
from omnitrace_ui.views.wire import JSON, clean, rounded

_SOUND = [LANES.index(lane) for lane in ("audio", "video_sound")]
_SLACK = 5e-5
"""Seconds. Timelines are float32, and ``core.sources`` rounds its middles as much."""


def transcript_model(trace: Trace, sources: Sources, transcript: Transcript) -> JSON:
    """``{part: [[unit, start, end, speaker, text], …]}``, rows in the order of time (seconds).

    Every segment is a row; its unit is −1 where the model heard nothing at its time, or says
    nothing of times. Every unit between segments is a row with the text ``None``.

    Args:
        trace: for the times of its positions.
        sources: its units, the sound cut by ``transcript``.
        transcript: what a segmenter found.
    """
    found = {}
    for part, segments in transcript.items():
        units, gaps = _units(trace, sources, part, segments)
        rows = [_row(units.get(n, -1), *segment) for n, segment in enumerate(segments)]
        for unit in gaps:
            start, end = sources.units[unit].start, sources.units[unit].end
            rows += [] if start is None or end is None else [_row(unit, start, end, None, None)]
        found[str(part)] = sorted(rows, key=lambda row: row[1])
    return found


def words_model(trace: Trace) -> JSON:
    """What was said when, where nobody can listen: rows as above, their units counted from 0.

    Of each part the first transcript that has words; else where somebody speaks, without words.
    """
    found = {}
    for part, info in enumerate(trace.media):
        transcripts = [said[part] for said in trace.transcripts.values() if said.get(part)]
        worded = [said for said in transcripts if any(segment.text for segment in said)]
        segments = next(iter(worded), tuple(Segment(*stretch) for stretch in info.speech))
        if segments:
            found[str(part)] = [_row(n, *segment) for n, segment in enumerate(segments)]
    return found


def _row(unit: int, start: float, end: float, text: str | None, speaker: str | None) -> list:
    words = None if text is None else clean(text)
    return [unit, rounded(start, 3), rounded(end, 3), clean(speaker) if speaker else None, words]


def _units(
    trace: Trace, sources: Sources, part: int, segments: tuple[Segment, ...]
) -> tuple[dict[int, int], list[int]]:
    """Segment → its unit, and the units of the part's sound that are none: gaps.

    Positions are in the segment that holds their middle, as ``core.sources`` cuts; so any one of a
    unit's positions tells which it is.
    """
    timeline = trace.timeline
    sound = np.flatnonzero((timeline.part == part) & np.isin(timeline.lane, _SOUND))
    held, first = np.unique(sources.unit_of[sound], return_index=True)
    middles = timeline.seconds[sound[first]].mean(axis=1) + _SLACK
    before = np.searchsorted([segment.start for segment in segments], middles, side="right") - 1
    units, gaps = {}, []
    for unit, middle, n in zip(held.tolist(), middles.tolist(), before.tolist(), strict=True):
        if n >= 0 and middle < segments[n].end:
            units[n] = unit
        else:
            gaps.append(unit)
    return units, gaps
