"""Sentences → semantic chunks, as the paper's audio sources are made (section 4.2.2).

1. ``s_i`` = cosine similarity of the embeddings of sentences ``i`` and ``i + 1``.
2. Threshold ``θ = mean(s) − 0.8 · std(s)``, clamped to ``[0.3, 0.7]``.
3. A chunk ends after sentence ``i`` if ``s_i < θ`` and it lasts at least 5 s, or if the next
   sentence would make it longer than 60 s.

The published code ends a chunk once it *has* passed 60 s, and may leave a last one under 5 s;
here the bounds hold (a sentence longer than 60 s apart, and a last chunk that would not fit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.segmenters.base import Segmenter
from core.segmenters.embedding import Embedder
from core.segmenters.sentences import joined
from core.trace import Segment

SHORTEST, LONGEST = 5.0, 60.0
"""Seconds of a chunk, as published."""


@dataclass(frozen=True)
class Chunked:
    """A segmenter whose sentences are merged into semantic chunks."""

    inner: Segmenter
    embedder: Embedder

    @property
    def name(self) -> str:
        """E.g. ``whisper:small+all-MiniLM-L6-v2``."""
        return chunked_name(self.inner.name, self.embedder.name)

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``: chunks.

        Raises:
            InputError: the inner segmenter knows no words.
        """
        said = self.inner.segments(samples)
        if any(not segment.text for segment in said):
            raise InputError(
                f"Chunks are made of what is said, which {self.inner.name!r} does not know: "
                "choose a recogniser (whisper, paraformer, scribe)."
            )
        if len(said) < 2:
            return said
        return semantic_chunks(said, self.embedder.embed([segment.text for segment in said]))


def chunked_name(segmenter: str, embedder: str) -> str:
    """Under which a trace keeps the chunks of a segmenter."""
    return f"{segmenter}+{embedder}"


def semantic_chunks(
    segments: Sequence[Segment],
    embeddings: np.ndarray,
    *,
    shortest: float = SHORTEST,
    longest: float = LONGEST,
) -> tuple[Segment, ...]:
    """Merge neighbours that speak of the same.

    Args:
        segments: in order, disjoint, with text.
        embeddings: ``(n, d)``, one a segment, of any length.
        shortest: seconds that a chunk lasts at least.
        longest: seconds that it lasts at most.
    """
    if not segments:
        return ()
    alike = similarities(embeddings)
    bar = threshold(alike)
    starts = [0]
    for i, similarity in enumerate(alike.tolist()):
        begun = segments[starts[-1]].start
        full = segments[i + 1].end - begun > longest
        if full or (similarity < bar and segments[i].end - begun >= shortest):
            starts.append(i + 1)
    if len(starts) > 1:
        alone, with_the_last = (segments[-1].end - segments[i].start for i in reversed(starts[-2:]))
        if alone < shortest and with_the_last <= longest:
            starts.pop()
    ends = [*starts[1:], len(segments)]
    return tuple(_merged(segments[a:b]) for a, b in zip(starts, ends, strict=True))


def similarities(embeddings: np.ndarray) -> np.ndarray:
    """Cosine of each neighbouring pair: float64 ``(n − 1,)``."""
    rows = np.asarray(embeddings, np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return (rows[:-1] * rows[1:]).sum(axis=1)


def threshold(alike: np.ndarray) -> float:
    """The similarity below which a topic ends: mean − 0.8 σ, clamped to 0.3–0.7; 0.5 of none."""
    if not len(alike):
        return 0.5
    return float(np.clip(alike.mean() - 0.8 * alike.std(), 0.3, 0.7))


def _merged(segments: Sequence[Segment]) -> Segment:
    speakers = {segment.speaker for segment in segments}
    return Segment(
        segments[0].start,
        segments[-1].end,
        joined(segment.text for segment in segments),
        speakers.pop() if len(speakers) == 1 else None,
    )
