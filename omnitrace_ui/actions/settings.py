"""The page's curation controls ↔ the framework's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.curation import DEFAULT_CURATION, OTHER, Curation
from core.sources import DEFAULT_GRANULARITY, Granularity

BINS = "bins"
"""The choice of fixed bins of time, in place of a segmenter."""

CUSTOM = "custom"
"""Shown as the preset when the controls agree with none."""

POS_CLASSES: Mapping[str, tuple[str, ...]] = {
    "nouns": ("NOUN", "PROPN", "NUM"),
    "verbs": ("VERB",),
    "adjectives": ("ADJ",),
    "adverbs": ("ADV",),
    "function_words": ("AUX", "PRON", "DET", "ADP", "CCONJ", "SCONJ", "PART"),
    "punctuation": ("PUNCT",),
    "other_words": (OTHER,),
}
"""Control → the parts of speech that it weighs (rule 3's classes)."""

CURATION_CONTROLS = (
    "coverage",
    "min_share",
    "min_run",
    "alpha",
    "gamma",
    "assignment",
    "lanes",
    *POS_CLASSES,
)
CONTROLS = ("signal", *CURATION_CONTROLS, "text_units", "bin_seconds")
"""Every control, in the order in which handlers are given their values."""


@dataclass(frozen=True)
class Settings:
    """How a trace is explained.

    Attributes:
        signal: ``None``: the first that was recorded.
        segmenter: whose segments sound is cut into, where the trace keeps them; ``BINS``: all of
            time into bins; ``None``: where it divides by itself.
    """

    signal: str | None = None
    curation: Curation = DEFAULT_CURATION
    granularity: Granularity = DEFAULT_GRANULARITY
    segmenter: str | None = None


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Values of ``CONTROLS`` → settings.

    Raises:
        InputError: a value is out of range; sliders cannot send one, other clients can.
    """
    weights = {pos: values[name] for name, tags in POS_CLASSES.items() for pos in tags}
    plain = {name: values[name] for name in CURATION_CONTROLS if name not in POS_CLASSES}
    return Settings(
        values["signal"] or None,
        Curation(**plain, pos_weights=weights),
        Granularity(text=values["text_units"], bin_seconds=values["bin_seconds"]),
    )


def curation_values(curation: Curation) -> dict[str, Any]:
    """A curation → values of ``CURATION_CONTROLS``."""
    weights = curation.pos_weights
    values = {n: getattr(curation, n) for n in CURATION_CONTROLS if n not in POS_CLASSES}
    return values | {
        name: weights.get(tags[0], weights[OTHER]) for name, tags in POS_CLASSES.items()
    }


def preset_of(curation: Curation) -> str:
    """The name of the preset that a curation is, or ``CUSTOM``."""
    presets = Curation.presets().items()
    return next((name for name, preset in presets if preset == curation), CUSTOM)
