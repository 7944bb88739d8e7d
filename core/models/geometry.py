"""Which pixels and seconds one position of an encoder stands for; pure numpy, knows no model.

An encoder lays a regular grid over a picture, a film or a recording. Units are counted from 0;
intervals are half-open.
"""

from __future__ import annotations

import numpy as np


def patch_boxes(rows: int, columns: int, width: int, height: int) -> np.ndarray:
    """Boxes of a picture's cells, row by row: float32 ``(rows * columns, 4)``, original pixels.

    The picture was resized to the grid without cropping, so the grid spans all of it.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.stack(
        [
            column * width / columns,
            row * height / rows,
            (column + 1) * width / columns,
            (row + 1) * height / rows,
        ],
        axis=1,
    ).astype(np.float32)


def cropped_boxes(
    rows: int,
    columns: int,
    width: int,
    height: int,
    *,
    cell: tuple[float, float],
    start: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Boxes of a grid that does not span its picture: float32 ``(rows * columns, 4)``.

    Args:
        rows: of the grid.
        columns: of the grid; boxes go row by row.
        width: of the picture, in original pixels; boxes end at its edges, and those that lie
            beyond are empty.
        height: likewise.
        cell: width and height of a cell, in original pixels.
        start: left and top of the grid, in original pixels; negative where it begins outside.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    left, top = start[0] + column * cell[0], start[1] + row * cell[1]
    boxes = np.stack([left, top, left + cell[0], top + cell[1]], axis=1)
    return boxes.clip(0, [width, height] * 2).astype(np.float32)


def sound_seconds(count: int, duration: float, *, per_second: float) -> np.ndarray:
    """Seconds of ``count`` sound positions, clipped to the recording: float32 ``(count, 2)``."""
    start = np.arange(count) / per_second
    return np.stack([start, np.minimum(start + 1 / per_second, duration)], 1).astype(np.float32)


def frame_seconds(times: np.ndarray, end: float, *, per_step: int) -> np.ndarray:
    """Seconds that each temporal step of a film covers: float32 ``(steps, 2)``.

    A step merges ``per_step`` frames and lasts from its first frame until the next step's first,
    the last until the film's ``end``.
    """
    start = np.asarray(times, np.float64)[::per_step]
    return np.stack([start, np.append(start[1:], end)], axis=1).astype(np.float32)


def most_frames(positions: int, *, smallest: int, cell: int, per_step: int) -> int:
    """Frames of which a film within ``positions`` positions can have at most; a multiple of steps.

    Args:
        positions: what the film may take of the context.
        smallest: least pixels of a frame.
        cell: pixels of one position.
        per_step: frames that are merged into one temporal step.
    """
    return max(1, positions * cell // smallest) * per_step


def most_pixels(
    positions: int, *, frames: int, smallest: int, largest: int, cell: int, per_step: int
) -> int:
    """Pixels that each of a film's ``frames`` may have at most; arguments as ``most_frames``."""
    steps = max(1, frames // per_step)
    return min(max(positions * cell // steps, smallest), largest)
