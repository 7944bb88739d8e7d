"""Where a recording or film divides by itself: speech between pauses, shots between cuts.

A second is rarely what someone means: they said something, a scene showed something. Where neither
is known, and in stretches too long to say when, time is cut into bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from core.trace import MediaInfo

LONGEST_SHOT = 12.0
"""Seconds; "it was in this shot" says little of a longer one, which is cut into bins."""


def natural_edges(lane: str, info: MediaInfo, bin_seconds: float) -> np.ndarray | None:
    """Seconds, rising, at which one unit ends and the next begins; ``None``: nothing is known.

    Args:
        lane: ``audio``, ``video_frames`` or ``video_sound``.
        info: of the part.
        bin_seconds: length of what is neither speech nor a shot.
    """
    if lane == "video_frames":
        return _between_cuts(info.shots, info.duration, bin_seconds) if info.shots else None
    return _between_pauses(info.speech, info.duration, bin_seconds) if info.speech else None


def _between_cuts(shots: Sequence[float], duration: float | None, bin_seconds: float) -> np.ndarray:
    ends = [*shots[1:], shots[-1] if duration is None else max(duration, shots[-1])]
    edges = list(shots)
    for start, end in zip(shots, ends, strict=True):
        if end - start > LONGEST_SHOT:
            edges += _inside(start, end, bin_seconds)
    return np.unique(edges)


def _between_pauses(
    speech: Sequence[tuple[float, float]], duration: float | None, bin_seconds: float
) -> np.ndarray:
    edges = [edge for stretch in speech for edge in stretch]
    last = speech[-1][1]
    silent = [0.0, *edges, last if duration is None else max(duration, last)]
    for start, end in pairwise(silent):
        if (start, end) not in speech:
            edges += _inside(start, end, bin_seconds)
    return np.unique(edges)


def _inside(start: float, end: float, bin_seconds: float) -> list[float]:
    """Edges that cut a stretch into equal pieces, none shorter than a bin."""
    pieces = max(1, int((end - start) / bin_seconds + 1e-6))
    return np.linspace(start, end, pieces + 1)[1:-1].tolist()
