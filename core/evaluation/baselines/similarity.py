"""Embedding-based heuristics (appendix C.2.2): cite the units that are like the sentence.

    "each of the chunk in model generation gets embedded … each of the chunk from source is also
    embedded the same way, and we compute the cosine-similarity of the embeddings and keep those
    above a threshold. We did a hyperparameter sweep on the threshold and kept 0.25".

And: "Embedding-based baselines are not applicable to audio and video attribution tasks", so prompts
with sound or film are not predicted at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from core.evaluation.labels import BASELINE, Label, answer_id
from core.sources import Sources, cut
from core.spans import Span, spans
from core.trace import Trace

THRESHOLD = 0.25
"""The paper's."""


class Embedder(Protocol):
    """Embeds sentences and units in one space; ``name`` is the baseline's."""

    name: str

    def embed(
        self, trace: Trace, sources: Sources, sentences: Sequence[Span]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of the sentences, ``(n_spans, d)``, and of the units, ``(n_units, d)``.

        Raises:
            InputError: the trace's media are not there, or it is another model's.
        """


def applies_to(trace: Trace) -> bool:
    """Whether the prompt's sources are all text and pictures."""
    return not any(part.kind in ("audio", "video") for part in trace.prompt.parts)


def predict(trace: Trace, embedder: Embedder, thresholds: Sequence[float]) -> Iterator[Label]:
    """Predictions for every sentence at every threshold; a threshold is part of the name.

    Raises:
        InputError: as ``Embedder.embed``.
    """
    sources = cut(trace.prompt, trace.timeline, trace.media)
    found = spans(trace.answer, trace.tokens)
    alike = cosine(*embedder.embed(trace, sources, found))
    identity = answer_id(trace)
    for threshold in thresholds:
        name = f"{embedder.name} ≥ {threshold:g}"
        for index, (span, row) in enumerate(zip(found, alike, strict=True)):
            units = tuple(u.id for u, c in zip(sources.units, row, strict=True) if c >= threshold)
            yield Label(identity, index, span.text, units, (), BASELINE, name)


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine of every two rows: ``(n, d), (m, d)`` → float64 ``(n, m)``; 0 where one is zero."""
    products = first.astype(np.float64) @ second.astype(np.float64).T
    lengths = np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1))
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
