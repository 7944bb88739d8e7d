"""Where one shot of a film ends and the next begins, from the frames that a model sees anyway.

Two neighbouring frames of one shot resemble each other; across a cut they do not. How much they
differ is judged against the frames around (Yeo and Liu 1995, "Rapid scene analysis on compressed
video", section III: the largest difference of a window, several times the second largest), so that
a moving camera makes no cuts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE = 32
"""Pixels a side of the thumbnails that are compared."""

LEAST = 0.04
"""Mean difference of two frames, 1 being black against white, below which nothing was cut."""

TIMES = 2.5
"""So many times the usual difference around it makes a cut."""

AROUND = 3
"""Frames before and after that tell what is usual."""


def shot_starts(frames: np.ndarray, times: Sequence[float]) -> tuple[float, ...]:
    """Seconds at which a shot after the first begins.

    Args:
        frames: uint8 ``(n, height, width, 3)``.
        times: ``(n,)`` seconds at which each comes on show.
    """
    differences = _differences(frames)
    cuts = [at for at, value in enumerate(differences) if value >= _limit(differences, at)]
    return tuple(round(float(times[at + 1]), 3) for at in cuts)


def _limit(differences: np.ndarray, at: int) -> float:
    around = np.r_[differences[max(0, at - AROUND) : at], differences[at + 1 :][:AROUND]]
    usual = float(np.median(around)) if len(around) else 0.0
    return max(LEAST, TIMES * usual)


def _differences(frames: np.ndarray) -> np.ndarray:
    """Mean absolute difference of each frame and the one before, ``(n − 1,)``, 0 to 1."""
    found = np.zeros(max(0, len(frames) - 1))
    before = None
    for index, frame in enumerate(frames):
        small = _thumbnail(frame)
        if before is not None:
            found[index - 1] = np.abs(small - before).mean()
        before = small
    return found


def _thumbnail(frame: np.ndarray) -> np.ndarray:
    step = max(1, min(frame.shape[:2]) // (4 * SIDE))
    picture = Image.fromarray(np.ascontiguousarray(frame[::step, ::step]))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
