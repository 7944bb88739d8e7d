"""How far a signal's ranking of the units agrees with the causal reference.

Two readings. Rank correlation (Spearman) over all units of a sentence: whether the order is the
same, also among sources of no importance. The drop from removing its first k units: whether the
ones that it would cite are needed; compared with k units taken at random.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.spans import Span


def span_scores(evidence: np.ndarray, spans: Sequence[Span]) -> np.ndarray:
    """A signal's score of every unit for every span: the sum over the span's tokens.

    Args:
        evidence: float ``(T, n_units)``, mass or peak (rules 1 and 2).
        spans: half-open token ranges.

    Returns:
        Float64 ``(n_spans, n_units)``.
    """
    sums = [evidence[span.first : span.last].sum(axis=0, dtype=np.float64) for span in spans]
    return np.stack(sums) if sums else np.zeros((0, evidence.shape[1]))


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's ρ of two vectors, −1 to 1, ties sharing their mean rank.

    ``None`` where one of them is constant or shorter than 2: it ranks nothing.
    """
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def top_units(scores: np.ndarray, count: int) -> tuple[int, ...]:
    """The ``count`` units of highest score (all, if there are fewer), the earlier first in ties."""
    return tuple(np.argsort(-scores, kind="stable")[:count].tolist())


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
