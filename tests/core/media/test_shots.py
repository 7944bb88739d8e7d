"""Shots: cuts are found, motion is not taken for one."""

import numpy as np

from core.media.shots import shot_starts

RANDOM = np.random.default_rng(7)


def scene(count: int, shift: int = 0) -> np.ndarray:
    """Frames of one random picture, which moves by ``shift`` pixels a frame."""
    picture = np.kron(RANDOM.integers(0, 256, (12, 12, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    return np.stack([np.roll(picture, shift * index, axis=1) for index in range(count)])


def test_cuts_between_still_scenes():
    frames = np.concatenate([scene(4), scene(2), scene(6)])
    times = np.arange(12) / 2
    assert shot_starts(frames, times) == (2.0, 3.0)


def test_a_moving_camera_makes_no_cuts_but_a_cut_while_it_moves_is_one():
    times = np.arange(16) / 2
    assert shot_starts(scene(16, shift=2), times) == ()
    frames = np.concatenate([scene(8, shift=1), scene(8, shift=1)])
    assert shot_starts(frames, times) == (4.0,)


def test_a_flicker_of_the_codec_is_no_cut():
    frames = np.repeat(scene(1), 10, axis=0).astype(np.int16)
    noisy = np.clip(frames + RANDOM.integers(-6, 7, frames.shape), 0, 255).astype(np.uint8)
    assert shot_starts(noisy, np.arange(10) / 2) == ()


def test_two_frames_or_one_are_compared_without_neighbours():
    assert shot_starts(np.concatenate([scene(1), scene(1)]), (0.0, 0.5)) == (0.5,)
    assert shot_starts(scene(1), (0.0,)) == ()


def test_large_and_tiny_frames():
    large = np.zeros((4, 720, 1280, 3), np.uint8)
    large[2:] = 200
    assert shot_starts(large, np.arange(4) / 2) == (1.0,)
    assert shot_starts(large[:, :1, :1], np.arange(4) / 2) == (1.0,)
