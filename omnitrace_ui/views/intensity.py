"""Where inside the media a sentence's signal fell, finer than units: patches and moments."""

from __future__ import annotations

import numpy as np

from core.explain import SpanExplanation
from core.timeline import LANES
from core.trace import Trace
from omnitrace_ui.views.wire import JSON

MOST_CELLS = 24
"""Cells a side of a picture, at most: a finer raster is not seen, and each is sent."""

MOST_MOMENTS = 240
"""Moments of a recording or film, at most."""

MOST_PARTS = 8
"""Parts that are sent, those with most signal first: a value stays small."""


def intensity_model(trace: Trace, signal: str, span: SpanExplanation) -> JSON:
    """The signal of a span, mean over its tokens, in percent of each part's strongest place.

    ``{part: {"image": [columns, rows, [0..100, …]], lane: [seconds, [0..100, …]]}}``: a picture's
    cells row by row, a recording's or a film's moments of equal length over ``seconds``. Media of
    which the model says no place or time are left out, and so are parts without any signal.
    """
    scores = np.asarray(trace.scores[signal][span.first : span.last], np.float32)
    weight = scores.mean(0) if len(scores) else np.zeros(len(trace.timeline), np.float32)
    timeline, found = trace.timeline, {}
    for index, _ in trace.prompt.media:
        here = timeline.part == index
        held = {}
        for lane in np.unique(timeline.lane[here]).tolist():
            at = here & (timeline.lane == lane)
            name = LANES[lane]
            drawn = (
                _patches(timeline.box[at], weight[at])
                if name == "image"
                else _moments(timeline.seconds[at], weight[at], _duration(trace, index))
            )
            if drawn is not None:
                held[name] = drawn
        if held:
            found[index] = (float(weight[here].sum()), held)
    strongest = sorted(found, key=lambda index: -found[index][0])[:MOST_PARTS]
    return {str(index): found[index][1] for index in sorted(strongest)}


def _duration(trace: Trace, index: int) -> float:
    known = trace.media[index].duration if index < len(trace.media) else None
    return known or 0.0


def _patches(boxes: np.ndarray, weight: np.ndarray) -> list | None:
    """Boxes, pixels, as a raster: of the model's own grid where it is a small one."""
    placed = np.isfinite(boxes).all(axis=1)
    boxes, weight = boxes[placed], weight[placed]
    if not (weight > 0).any():
        return None
    width, height = boxes[:, 2].max(), boxes[:, 3].max()
    columns = min(MOST_CELLS, len(np.unique(boxes[:, 0])))
    rows = min(MOST_CELLS, len(np.unique(boxes[:, 1])))
    raster = np.zeros((rows, columns), np.float32)
    left, right = _cells(boxes[:, 0], boxes[:, 2], width, columns)
    top, bottom = _cells(boxes[:, 1], boxes[:, 3], height, rows)
    for x0, x1, y0, y1, value in zip(left, right, top, bottom, weight, strict=True):
        raster[y0:y1, x0:x1] = np.maximum(raster[y0:y1, x0:x1], value)
    return [columns, rows, _percent(raster.ravel())]


def _cells(
    start: np.ndarray, end: np.ndarray, length: float, count: int
) -> tuple[list[int], list[int]]:
    """Half-open ranges of cells; every extent has at least one."""
    first = np.clip(np.round(start / length * count).astype(int), 0, count - 1)
    last = np.maximum(np.round(end / length * count).astype(int), first + 1)
    return first.tolist(), last.tolist()


def _moments(seconds: np.ndarray, weight: np.ndarray, duration: float) -> list | None:
    """Positions as moments of equal length: the sum of what lies at the same time."""
    timed = np.isfinite(seconds).all(axis=1)
    seconds, weight = seconds[timed], weight[timed]
    if not (weight > 0).any():
        return None
    whole = max(duration, float(seconds[:, 1].max()))
    count = min(MOST_MOMENTS, len(np.unique(seconds[:, 0])))
    first, last = _cells(seconds[:, 0], seconds[:, 1], whole, count)
    row = np.zeros(count, np.float32)
    for start, end, value in zip(first, last, weight, strict=True):
        row[start:end] += value
    return [round(whole, 3), _percent(row)]


def _percent(values: np.ndarray) -> list[int]:
    return np.round(100 * values / values.max()).astype(int).tolist()
