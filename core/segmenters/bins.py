"""Fixed bins: the baseline without a recogniser; each lasts the same, whatever is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.media import RATE
from core.sources import BIN_SECONDS
from core.trace import Segment


@dataclass(frozen=True)
class Bins:
    """Bins of ``seconds``, from second 0; the last ends with the recording."""

    seconds: float = 1.0

    @property
    def name(self) -> str:
        """E.g. ``bins:2``."""
        return f"bins:{self.seconds:g}"

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``; without words."""
        duration = len(samples) / RATE
        count = int(np.ceil(duration / self.seconds - 1e-9))
        edges = [self.seconds * k for k in range(count)]
        return tuple(Segment(start, min(start + self.seconds, duration)) for start in edges)


def load(seconds: str) -> Bins:
    """Bins of so many seconds; of 1 if it is empty.

    Raises:
        InputError: no number, or out of range.
    """
    least, most = BIN_SECONDS
    try:
        value = float(seconds or 1)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise InputError(f"Bins of {seconds!r} s: use {least:g} to {most:g} s, as in bins:2.")
    return Bins(value)
