"""Speech between pauses, by Silero VAD (github.com/snakers4/silero-vad): offline, no words.

The default for speech: the model lies in the package (1.2 MB), runs on the CPU through
onnxruntime, and 60 s of sound take it a fifth of a second. torchaudio is not needed: sound comes
from ``core.media``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from core.errors import InputError
from core.media import RATE
from core.segmenters.base import keeping_threads, package, tidy
from core.trace import Segment

if TYPE_CHECKING:
    from silero_vad import SileroVADSequence


@dataclass(frozen=True)
class Pauses:
    """Segments of speech.

    Attributes:
        silence: seconds without speech that end a segment; shorter ones are breath.
        longest: seconds after which speech without a pause is cut, where it was quietest longest.
    """

    name: ClassVar[str] = "pauses"
    silence: float = 0.3
    longest: float = 20.0

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``; without words."""
        import silero_vad

        found = silero_vad.get_speech_timestamps_sequence(
            samples,
            _model(),
            sampling_rate=RATE,
            min_silence_duration_ms=round(1000 * self.silence),
            max_speech_duration_s=self.longest,
        )
        extents = (Segment(one["start"] / RATE, one["end"] / RATE) for one in found)
        return tidy(extents, len(samples) / RATE)


def load(model: str) -> Pauses:
    """The detector; ``model`` must be empty, for there is one.

    Raises:
        InputError: a model was named.
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    if model:
        raise InputError(f"Pauses have one model of their own: give `pauses`, not {model!r}.")
    _model()
    return Pauses()


@lru_cache(maxsize=1)
def _model() -> SileroVADSequence:
    package("onnxruntime", "onnxruntime", "Cutting at pauses")
    with keeping_threads():
        vad = package("silero_vad", "silero-vad", "Cutting at pauses")
    return vad.load_silero_vad(sequence=True)
