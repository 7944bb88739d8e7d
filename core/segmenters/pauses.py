"""Speech between pauses (``core.media.speech``): offline, without words; the default for speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import InputError
from core.media import RATE
from core.media.speech import LONGEST, SILENCE, detector, keeping_threads, speech_between_pauses
from core.segmenters.base import package, tidy
from core.trace import Segment


@dataclass(frozen=True)
class Pauses:
    """Segments of speech.

    Attributes:
        silence: seconds without speech that end a segment; shorter ones are breath.
        longest: seconds after which speech without a pause is cut, where it was quietest longest.
    """

    name: ClassVar[str] = "pauses"
    silence: float = SILENCE
    longest: float = LONGEST

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``; without words."""
        found = speech_between_pauses(samples, silence=self.silence, longest=self.longest)
        return tidy((Segment(start, end) for start, end in found), len(samples) / RATE)


def load(model: str) -> Pauses:
    """The detector; ``model`` must be empty, for there is one.

    Raises:
        InputError: a model was named.
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    if model:
        raise InputError(f"Pauses have one model of their own: give `pauses`, not {model!r}.")
    package("onnxruntime", "onnxruntime", "Cutting at pauses")
    with keeping_threads():
        package("silero_vad", "silero-vad", "Cutting at pauses")
    detector()
    return Pauses()
