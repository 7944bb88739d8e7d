"""Time that divides by itself, worked by hand."""

import numpy as np
import pytest

from core.natural import natural_edges
from core.trace import MediaInfo


def edges(lane: str, bin_seconds: float = 1.0, **known) -> list[float] | None:
    found = natural_edges(lane, MediaInfo(**known), bin_seconds)
    return None if found is None else np.round(found, 3).tolist()


def test_speech_is_whole_and_what_is_not_speech_is_cut_into_bins():
    speech = ((1.2, 6.9), (7.3, 8.0))
    assert edges("audio", speech=speech, duration=11.0) == [
        1.2,  # 1.2 s before: one bin, for none is shorter than a second
        6.9,  # 5.7 s of speech, whole; then a pause of 0.4 s
        7.3,
        8.0,
        9.0,  # 3 s of something else
        10.0,
    ]
    assert edges("video_sound", 2.0, speech=speech, duration=11.0) == [1.2, 6.9, 7.3, 8.0]
    assert edges("audio", speech=speech) == [1.2, 6.9, 7.3, 8.0]


def test_shots_are_whole_unless_they_are_long():
    assert edges("video_frames", shots=(0.0, 2.0, 5.0), duration=9.0) == [0.0, 2.0, 5.0]
    long = edges("video_frames", 5.0, shots=(0.0, 2.0), duration=22.0)
    assert long == [0.0, 2.0, 7.0, 12.0, 17.0]
    assert edges("video_frames", shots=(0.0,), duration=12.0) == [0.0]


@pytest.mark.parametrize("lane", ["audio", "video_frames", "video_sound"])
def test_where_nothing_is_known_there_are_no_edges(lane: str):
    assert edges(lane, duration=5.0) is None


def test_speech_says_nothing_of_pictures_nor_shots_of_sound():
    both = {"speech": ((0.0, 2.0),), "shots": (0.0, 3.0), "duration": 4.0}
    assert edges("video_frames", **both) == [0.0, 3.0]
    assert edges("video_sound", **both) == [0.0, 2.0, 3.0]
