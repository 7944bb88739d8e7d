"""Timelines of made-up prompts, written position by position."""

from __future__ import annotations

from collections.abc import Sequence

from core.timeline import LANES, Timeline

Row = tuple[int, str, tuple[float, float] | None]
"""A position: its part, its lane, and the characters or seconds ``[start, end)`` that it holds."""


def timeline_of(rows: Sequence[Row]) -> Timeline:
    """Provenance of positions, one a row."""
    timeline = Timeline.structural(len(rows))
    for position, (part, lane, extent) in enumerate(rows):
        timeline.part[position], timeline.lane[position] = part, LANES.index(lane)
        if extent:
            (timeline.chars if lane == "text" else timeline.seconds)[position] = extent
    return timeline
