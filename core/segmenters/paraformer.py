"""Paraformer (Gao et al., 2022), the paper's default recogniser, run by FunASR: sentences.

As the official guide has it: a voice detector cuts the sound, Paraformer (non-autoregressive)
writes what it hears with a time for every character, and ct-punc sets the marks. The detector is
Silero, of ``pauses``, whose model needs no download. Clauses that FunASR reports are put together
to sentences by ``sentences``.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError
from core.media import RATE
from core.media.speech import keeping_threads
from core.segmenters.base import full_name, package, tidy
from core.segmenters.sentences import sentences, spaced
from core.segmenters.weights import find_weights
from core.trace import Segment

if TYPE_CHECKING:
    from funasr import AutoModel

DEFAULT = "funasr/paraformer-zh"
"""The paper's choice (appendix D.2): Chinese and English."""

PUNCTUATION = "funasr/ct-punc"

_FILES = ("*.json", "*.yaml", "*.mvn", "seg_dict", "model.pt")
_DETECTOR = {
    "silero_onnx": True,
    "silero_min_silence_duration_ms": 300,
    "max_single_segment_time": 30_000,
}


@dataclass(frozen=True)
class Paraformer:
    """Paraformer with the weights in ``folder``, and ct-punc's in ``punctuation``."""

    name: str
    folder: Path
    punctuation: Path

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``: sentences."""
        try:
            # FunASR prints, and standard output is the command line's.
            with redirect_stdout(sys.stderr), keeping_threads():
                results = _model(self.folder, self.punctuation).generate(
                    input=samples, sentence_timestamp=True, batch_size_s=300
                )
        except (RuntimeError, ValueError, IndexError) as error:
            raise ModelError(
                f"Paraformer failed on {len(samples) / RATE:.0f} s of sound "
                f"({type(error).__name__}). Choose another segmenter."
            ) from error
        clauses = [clause for result in results for clause in result.get("sentence_info", ())]
        return tidy(sentences(_timed(clauses)), len(samples) / RATE)


def load(model: str) -> Paraformer:
    """Paraformer by weights: a folder or a hub id; the paper's if empty.

    ct-punc is looked for in the folder, under that name, then on this machine; it is fetched only
    where Paraformer itself was named by its hub id.

    Raises:
        MissingExtraError: funasr or kaldi-native-fbank is not installed.
        ModelError: weights are missing or damaged.
    """
    package("kaldi_native_fbank", "kaldi-native-fbank", "Paraformer")
    with redirect_stdout(sys.stderr):
        package("funasr", "funasr", "Paraformer")
    folder = find_weights(model, default=DEFAULT, use="paraformer:", files=_FILES)
    made = Paraformer(full_name("paraformer", model), folder, _punctuation(folder, model))
    for weights in (folder, made.punctuation):
        # FunASR itself would go on with random weights.
        if not (weights / "model.pt").is_file() or not (weights / "config.yaml").is_file():
            raise ModelError(f"The weights of {made.name!r} are incomplete. Get them anew.")
    try:
        with redirect_stdout(sys.stderr), keeping_threads():
            _model(folder, made.punctuation)
    except Exception as error:  # Whatever a damaged configuration leads to, it is one message.
        raise ModelError(
            f"The weights of {made.name!r} cannot be loaded ({type(error).__name__}): they are no "
            "Paraformer of FunASR, or damaged. Get them anew."
        ) from error
    return made


def _punctuation(folder: Path, model: str) -> Path:
    inside = folder / "ct-punc"
    if inside.is_dir():
        return inside
    named = PUNCTUATION if model and not Path(model).is_dir() else ""
    try:
        return find_weights(named, default=PUNCTUATION, use="", files=_FILES)
    except ModelError as error:
        raise ModelError(
            f"Paraformer's sentences need the model {PUNCTUATION}, which is not on this machine: "
            f"run `hf download {PUNCTUATION}`, or put it into Paraformer's folder as ct-punc."
        ) from error


def _timed(clauses: list[dict[str, Any]]) -> list[Segment]:
    """FunASR's clauses, in milliseconds, as the words of ``sentences``."""
    texts = spaced(clause["text"] for clause in clauses)
    return [
        Segment(clause["start"] / 1000, clause["end"] / 1000, text)
        for clause, text in zip(clauses, texts, strict=True)
    ]


@lru_cache(maxsize=1)
def _model(folder: Path, punctuation: Path) -> AutoModel:
    import torch
    from funasr import AutoModel

    return AutoModel(
        model=str(folder),
        punc_model=str(punctuation),
        vad_model="silero-vad",
        vad_kwargs=dict(_DETECTOR),
        device="cuda:0" if torch.cuda.is_available() else "cpu",
        ncpu=torch.get_num_threads(),
        disable_update=True,
        disable_pbar=True,
        log_level="ERROR",
    )
