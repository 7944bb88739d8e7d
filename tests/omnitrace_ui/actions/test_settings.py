"""Controls ↔ settings."""

import pytest

from core.curation import Curation
from core.errors import InputError
from omnitrace_ui.actions.settings import (
    CONTROLS,
    CUSTOM,
    Settings,
    curation_values,
    preset_of,
    read_settings,
)

UNITS = {"signal": None, "text_units": "sentence", "bin_seconds": 1.0}


def values(curation: Curation = Curation(), **changes):  # noqa: B008
    return UNITS | curation_values(curation) | changes


def test_untouched_controls_are_the_default_settings():
    assert read_settings(values()) == Settings()
    assert set(values()) == set(CONTROLS)


@pytest.mark.parametrize("name", Curation.presets())
def test_every_preset_survives_the_controls(name):
    preset = Curation.presets()[name]
    assert read_settings(values(preset)).curation == preset
    assert preset_of(preset) == name


def test_moving_one_control_leaves_the_preset():
    assert preset_of(read_settings(values(verbs=0.85)).curation) == CUSTOM
    assert preset_of(read_settings(values(coverage=0.5)).curation) == CUSTOM


def test_a_word_class_weighs_all_its_parts_of_speech():
    weights = read_settings(values(nouns=0.4, other_words=0.9)).curation.pos_weights
    assert {weights.of(pos) for pos in ("NOUN", "PROPN", "NUM")} == {0.4}
    assert weights.of("INTJ") == 0.9


def test_units_and_signal_are_read():
    settings = read_settings(values(signal="rawatt", text_units="part", bin_seconds=2))
    assert settings.signal == "rawatt"
    assert (settings.granularity.text, settings.granularity.bin_seconds) == ("part", 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"coverage": 7},
        {"gamma": None},
        {"assignment": "<b>"},
        {"bin_seconds": 0},
        {"text_units": "word"},
        {"nouns": "x"},
    ],
)
def test_what_no_slider_sends_is_refused(wrong):
    with pytest.raises(InputError):
        read_settings(values(**wrong))
