"""What every segmenter promises (section 4.2.2: speech segments as candidate source units).

A segmenter knows sound and nothing else: no trace, no model that answers, no page.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np

from core.errors import MissingExtraError
from core.segmenters.sentences import joined
from core.segmenters.weights import shown
from core.trace import Segment


class Segmenter(Protocol):
    """Cuts sound into segments."""

    @property
    def name(self) -> str:
        """Under which a trace keeps what this segmenter found, e.g. ``whisper:large-v3``."""
        ...

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """Segments of a recording, as ``tidy`` leaves them.

        Args:
            samples: float32 ``(n,)``, mono, 16 kHz (``core.media.RATE``).

        Raises:
            ModelError: the recogniser failed, or its service refused or cannot be reached.
        """
        ...


def tidy(segments: Iterable[Segment], duration: float) -> tuple[Segment, ...]:
    """Segments in order, disjoint, inside ``[0, duration)`` seconds, and none empty.

    Recognisers overlap their segments, run over the end and time words to an instant. The later
    segment gives way; the words of one that has no time left join the segment before.
    """
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.start, s.end)):
        start = max(round(float(segment.start), 3), kept[-1].end if kept else 0.0)
        end = min(round(float(segment.end), 3), duration)
        if start < end:
            kept.append(Segment(start, end, segment.text, segment.speaker))
        elif kept:
            kept[-1] = kept[-1]._replace(text=joined((kept[-1].text, segment.text)))
    return tuple(kept)


def full_name(name: str, model: str) -> str:
    """A segmenter's name with that of the model it was given, e.g. ``whisper:small``."""
    return f"{name}:{shown(model)}" if model else name


def package(module: str, name: str, needed_by: str) -> ModuleType:
    """Import an optional package.

    Raises:
        MissingExtraError: it is not installed, or not whole; one line says what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        why = "is not installed" if error.name == module else f"cannot be imported ({error})"
        raise MissingExtraError(
            f"{needed_by} needs the package {name}, which {why}: pip install {name}"
        ) from error
