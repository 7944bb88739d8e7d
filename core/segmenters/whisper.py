"""Whisper (Radford et al., 2022), run by faster-whisper (CTranslate2): sentences with their words.

Words are timed by cross-attention and cut into sentences by ``sentences``; Whisper's own
segments hide the pauses between them. Silence is left out by Silero VAD, which faster-whisper
carries, as Whisper invents words there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ModelError
from core.media import RATE
from core.segmenters.base import full_name, package, tidy
from core.segmenters.sentences import sentences
from core.segmenters.weights import find_weights
from core.trace import Segment

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

DEFAULT = "Systran/faster-whisper-large-v3"
"""The paper's choice (appendix D.2), in CTranslate2's form."""

_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")


@dataclass(frozen=True)
class Whisper:
    """Whisper with the weights in ``folder``; the language is detected."""

    name: str
    folder: Path

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``: sentences."""
        # Unconditioned: an error would otherwise breed more of its kind in the windows after it.
        try:
            heard, _ = _model(self.folder).transcribe(
                samples, word_timestamps=True, vad_filter=True, condition_on_previous_text=False
            )
            words = [
                Segment(float(word.start), float(word.end), word.word)
                for segment in heard
                for word in segment.words
            ]
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"Whisper failed on {len(samples) / RATE:.0f} s of sound "
                f"({type(error).__name__}): memory may not suffice. Choose smaller weights."
            ) from error
        return tidy(sentences(words), len(samples) / RATE)


def load(model: str) -> Whisper:
    """Whisper by weights: a folder, a hub id, a size such as ``small``; the paper's if empty.

    Raises:
        MissingExtraError: faster-whisper is not installed.
        ModelError: the weights are missing or damaged.
    """
    package("faster_whisper", "faster-whisper", "Whisper")
    name = full_name("whisper", model)
    is_size = model and "/" not in model and not Path(model).is_dir()
    named = f"Systran/faster-whisper-{model}" if is_size else model
    folder = find_weights(named, default=DEFAULT, use="whisper:", files=_FILES)
    try:
        _model(folder)
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(
            f"The weights of {name!r} cannot be loaded ({type(error).__name__}): they are no "
            "faster-whisper weights, or damaged. Get them anew."
        ) from error
    return Whisper(name, folder)


@lru_cache(maxsize=1)
def _model(folder: Path) -> WhisperModel:
    import ctranslate2
    from faster_whisper import WhisperModel

    on_gpu = ctranslate2.get_cuda_device_count() > 0
    device, numbers = ("cuda", "float16") if on_gpu else ("cpu", "int8")
    return WhisperModel(str(folder), device=device, compute_type=numbers, local_files_only=True)
