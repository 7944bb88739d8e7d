"""Recordings: which seconds each position hears."""

from __future__ import annotations

from functools import partial

import numpy as np

from core.models.generic.places import Item, Places, Rule
from core.models.geometry import sound_seconds


def even(per_second: float) -> Rule:
    """Positions at an even pace; what lies beyond the recording is padding, and shows nothing."""
    return partial(_even, per_second=per_second)


def chunked(item: Item) -> Places:
    """Qwen3-Omni: ``2 * n_window`` frames of 10 ms a chunk, thrice halved and rounded up.

    A whole chunk of one second has 13 positions of 80 ms, of which the last has 40 ms left.
    """
    frames = 2 * item.config.audio_config.n_window
    per_chunk = frames
    for _ in range(3):
        per_chunk = (per_chunk - 1) // 2 + 1
    chunk, place = np.divmod(np.arange(item.count), per_chunk)
    begin, length = chunk * frames / 100, 0.08
    start = begin + place * length
    end = np.minimum(start + length, np.minimum(begin + frames / 100, item.duration))
    return Places.of(item.count, seconds=_intervals(start, np.maximum(start, end)))


def _even(item: Item, per_second: float) -> Places:
    seconds = sound_seconds(item.count, item.duration, per_second=per_second)
    shown = seconds[:, 0] < seconds[:, 1]
    seconds[~shown] = np.nan
    return Places.of(item.count, shown=shown, seconds=seconds)


def _intervals(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return np.stack([start, end], axis=1).astype(np.float32)
