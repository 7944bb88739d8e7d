"""Where speech is in a recording, by Silero VAD (github.com/snakers4/silero-vad), offline.

The model lies in the package (1.2 MB), runs on the CPU through onnxruntime, and 60 s of sound take
it a fifth of a second. torchaudio is not needed: sound comes from ``core.media``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from silero_vad import SileroVADSequence

RATE = 16_000
SILENCE = 0.3
"""Seconds without speech that end a stretch; shorter ones are breath."""

LONGEST = 20.0
"""Seconds after which speech without a pause is cut, where it was quietest longest."""


def speech_between_pauses(
    samples: np.ndarray, rate: int = RATE, *, silence: float = SILENCE, longest: float = LONGEST
) -> tuple[tuple[float, float], ...]:
    """Stretches of speech ``[start, end)`` in seconds, in order, disjoint.

    Args:
        samples: float32 ``(n,)``, mono.
        rate: samples a second.
        silence: seconds, as ``SILENCE``.
        longest: seconds, as ``LONGEST``.
    """
    import librosa
    import silero_vad

    if rate != RATE:
        samples = librosa.resample(samples, orig_sr=rate, target_sr=RATE)
    found = silero_vad.get_speech_timestamps_sequence(
        samples,
        detector(),
        sampling_rate=RATE,
        min_silence_duration_ms=round(1000 * silence),
        max_speech_duration_s=longest,
    )
    seconds = len(samples) / RATE
    return tuple(
        (round(one["start"] / RATE, 3), min(round(one["end"] / RATE, 3), seconds)) for one in found
    )


@lru_cache(maxsize=1)
def detector() -> SileroVADSequence:
    """The model, loaded once."""
    with keeping_threads():
        import silero_vad
    return silero_vad.load_silero_vad(sequence=True)


@contextmanager
def keeping_threads() -> Iterator[None]:
    """Give torch back its number of threads, which some recognisers set for the whole process."""
    import torch

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
