"""Silero VAD on real speech whose silences are known, and bins."""

import sys

import numpy as np
import pytest
import torch

from core.errors import InputError, MissingExtraError
from core.media import RATE
from core.media.speech import detector
from core.segmenters import load_segmenter
from core.segmenters.pauses import Pauses


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def test_speech_is_found_between_the_silences_it_was_put_in(joker: np.ndarray):
    spoken = joker[round(0.4 * RATE) : round(2.8 * RATE)]
    samples = np.concatenate([silence(1), spoken, silence(2), spoken, silence(1.5)])
    found = load_segmenter("pauses").segments(samples)
    assert [(s.start, s.end) for s in found] == [
        (pytest.approx(1.0, abs=0.25), pytest.approx(3.4, abs=0.25)),
        (pytest.approx(5.4, abs=0.25), pytest.approx(7.8, abs=0.25)),
    ]
    assert not any(s.text for s in found)


def test_pauses_of_a_real_recording(dagger: np.ndarray):
    found = load_segmenter("pauses").segments(dagger)
    heard = [(0.45, 1.63), (2.37, 5.79), (6.34, 7.23)]
    assert [s[:2] for s in found] == [pytest.approx(extent, abs=0.05) for extent in heard]


def test_speech_without_a_pause_is_cut_at_its_longest(dagger: np.ndarray):
    spoken = np.concatenate([dagger[round(2.4 * RATE) : round(5.7 * RATE)]] * 8)
    found = Pauses(longest=10.0).segments(spoken)
    assert len(found) >= 3
    assert all(s.end - s.start <= 10.0 for s in found)


@pytest.mark.parametrize("samples", [silence(5), silence(0.04), silence(0)])
def test_silence_holds_no_segment(samples: np.ndarray):
    assert load_segmenter("pauses").segments(samples) == ()


def test_torch_keeps_its_threads():
    """silero-vad's import sets torch to one thread for the whole process."""
    detector.cache_clear()
    for name in [name for name in sys.modules if name.startswith("silero_vad")]:
        del sys.modules[name]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        load_segmenter("pauses")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("module_name", "install"),
    [("silero_vad", "pip install silero-vad"), ("onnxruntime", "pip install onnxruntime")],
)
def test_a_missing_package_is_named(module_name: str, install: str, monkeypatch):
    monkeypatch.setitem(sys.modules, module_name, None)
    detector.cache_clear()
    with pytest.raises(MissingExtraError, match=rf"{install}$") as caught:
        load_segmenter("pauses")
    assert "\n" not in str(caught.value)


def test_bins_end_with_the_recording():
    bins = load_segmenter("bins:2")
    assert bins.name == "bins:2"
    assert [s[:2] for s in bins.segments(silence(5))] == [(0.0, 2.0), (2.0, 4.0), (4.0, 5.0)]
    assert [s[:2] for s in bins.segments(silence(4))] == [(0.0, 2.0), (2.0, 4.0)]
    assert load_segmenter("bins").segments(silence(0)) == ()
    # Ten bins of 0.3 s are 3 s, whatever floats make of it.
    assert len(load_segmenter("bins:0.3").segments(silence(3))) == 10


@pytest.mark.parametrize("spec", ["bins:0.1", "bins:6", "bins:nan", "bins:two", "pauses:large"])
def test_impossible_settings_are_refused(spec: str):
    with pytest.raises(InputError):
        load_segmenter(spec)
