"""Grids against numbers worked by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.models.geometry import (
    cropped_boxes,
    frame_seconds,
    most_frames,
    most_pixels,
    patch_boxes,
    sound_seconds,
)


def test_a_pictures_cells_row_by_row():
    # 2 rows of 3 cells over a picture of 300 × 100 pixels: cells of 100 × 50.
    boxes = patch_boxes(2, 3, 300, 100)
    assert boxes[0].tolist() == [0, 0, 100, 50]
    assert boxes[2].tolist() == [200, 0, 300, 50]
    assert boxes[3].tolist() == [0, 50, 100, 100]
    assert boxes.dtype == np.float32


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4000), st.integers(1, 4000))
def test_cells_tile_the_picture(rows: int, columns: int, width: int, height: int):
    boxes = patch_boxes(rows, columns, width, height).astype(np.float64)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert np.isclose(areas.sum(), width * height, rtol=1e-4)
    assert boxes.min() == 0 and boxes[:, 2].max() == width and boxes[:, 3].max() == height


def test_sound_is_clipped_to_the_recording():
    seconds = sound_seconds(3, 0.11, per_second=25)
    assert np.allclose(seconds, [[0, 0.04], [0.04, 0.08], [0.08, 0.11]])


def test_a_step_of_film_lasts_until_the_next_steps_first_frame():
    # Frames shown at 0, 0.5, 1.1, 1.4, 3.0, 3.1 until 3.6, two a step.
    seconds = frame_seconds(np.array([0, 0.5, 1.1, 1.4, 3.0, 3.1]), 3.6, per_step=2)
    assert np.allclose(seconds, [[0, 1.1], [1.1, 3.0], [3.0, 3.6]])


def test_pixels_are_given_up_before_frames():
    budget = {"smallest": 100, "cell": 10, "per_step": 2}
    # 200 positions of 10 pixels, at least 100 pixels a frame: 20 steps of 2 frames.
    assert most_frames(200, **budget) == 40
    assert most_pixels(200, frames=40, largest=900, **budget) == 100
    assert most_pixels(200, frames=10, largest=900, **budget) == 400
    assert most_pixels(200, frames=2, largest=900, **budget) == 900
    assert most_frames(1, **budget) == 2


def test_a_grid_that_does_not_span_its_picture_ends_at_its_edges():
    # Two rows of two cells of 40 × 30, from (-10, 20), over a picture of 60 × 50 pixels.
    boxes = cropped_boxes(2, 2, 60, 50, cell=(40, 30), start=(-10, 20))
    assert boxes.tolist() == [[0, 20, 30, 50], [30, 20, 60, 50], [0, 50, 30, 50], [30, 50, 60, 50]]
