"""Whisper tiny.en on real speech, with the weights that a package carries."""

import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import MissingExtraError, ModelError
from core.media import RATE
from core.segmenters import load_segmenter, segmenter_name
from tests.core.segmenters.conftest import WHISPER


@pytest.fixture(scope="module")
def whisper():
    return load_segmenter(WHISPER)


def test_sentences_are_heard_where_they_are_spoken(whisper, dagger: np.ndarray):
    found = whisper.segments(dagger)
    first, second, third = found
    assert first.text == "I sleep with a dagger."
    assert second.text.startswith("If you so much as move to touch me, I will sever your")
    assert third.text == "You understand?"
    # The speech lies at 0.45–1.63, 2.37–5.79 and 6.34–7.23 s (test_pauses).
    for segment, (start, end) in zip(
        found, [(0.45, 1.63), (2.37, 5.79), (6.34, 7.23)], strict=True
    ):
        assert abs(segment.start - start) < 0.5 and abs(segment.end - end) < 0.5
    assert all(type(segment.start) is float for segment in found)


def test_silence_is_not_given_words(whisper):
    assert whisper.segments(np.zeros(3 * RATE, np.float32)) == ()


def test_its_name_holds_no_folder(whisper):
    assert whisper.name == "whisper:model" == segmenter_name(WHISPER)


def test_weights_that_are_not_here_are_told_at_once():
    with pytest.raises(ModelError, match=r"whisper:Systran/faster-whisper-large-v3.*FOLDER"):
        load_segmenter("whisper")
    with pytest.raises(ModelError, match=r"'Systran/faster-whisper-small'.*cannot be reached"):
        load_segmenter("whisper:small")


def test_a_folder_without_weights(tmp_path: Path):
    with pytest.raises(ModelError, match="no faster-whisper weights, or damaged") as caught:
        load_segmenter(f"whisper:{tmp_path}")
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtraError, match=r"pip install faster-whisper$"):
        load_segmenter(WHISPER)
