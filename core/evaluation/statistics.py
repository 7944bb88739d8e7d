"""How sure a mean is, and whether two signals differ: scipy's bootstrap and permutation test.

Sentences of one answer are not independent, so what is drawn again is the answer with all its
sentences. The mean is over sentences (section 4.1); the interval is that of the ratio of two sums.
Everything is seeded: a report made twice is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 2_000
PERMUTATIONS = 9_999
SEED = 0
_CELLS = 1_000_000
"""Numbers that a batch of resamples may hold: memory stays flat in the number of answers."""


class Interval95(NamedTuple):
    """A 95 % percentile interval."""

    low: float
    high: float


class Difference(NamedTuple):
    """Two signals on the same answers.

    Attributes:
        mean: first minus second, mean over answers.
        interval: its 95 % bootstrap interval; ``None`` for a single answer.
        p: of the paired permutation test, two-sided; ``None`` for a single answer.
        answers: how many.
    """

    mean: float
    interval: Interval95 | None
    p: float | None
    answers: int


def ratio_interval(sums: np.ndarray, counts: np.ndarray) -> Interval95 | None:
    """The 95 % interval of ``Σ sums / Σ counts``.

    Args:
        sums: float ``(n,)``: of every answer, the sum over its sentences.
        counts: ``(n,)``, > 0: how many sentences.

    Returns:
        ``None`` for fewer than two answers: one says nothing of how answers vary.
    """
    if len(sums) < 2:
        return None
    return bootstrap_interval((np.asarray(sums, float), np.asarray(counts, float)), _ratio)


def paired_difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Compare two signals by their scores ``(n,)`` of the same ``n`` answers, ``n ≥ 1``.

    Under the null hypothesis the two scores of an answer could be swapped; scipy draws such swaps
    (all of them, where they are few).
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    apart = first - second
    mean = float(apart.mean())
    if len(apart) < 2:
        return Difference(mean, None, None, len(apart))
    tested = stats.permutation_test(
        (first, second),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=_batch(len(apart)),
        rng=np.random.default_rng(SEED),
    )
    return Difference(mean, bootstrap_interval((apart,), np.mean), float(tested.pvalue), len(apart))


def _ratio(sums: np.ndarray, counts: np.ndarray, axis: int = -1) -> np.ndarray:
    return sums.sum(axis=axis) / counts.sum(axis=axis)


def bootstrap_interval(
    data: tuple[np.ndarray, ...], statistic: Callable[..., np.ndarray]
) -> Interval95:
    """The 95 % interval of any figure of a sample of answers.

    Args:
        data: arrays ``(n,)``, ``n ≥ 2``: several values of the same answers, drawn together.
        statistic: takes as many arrays ``(…, n)`` and ``axis``; returns ``(…)``.
    """
    found = stats.bootstrap(
        data,
        statistic,
        paired=len(data) > 1,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=_batch(len(data[0])),
        rng=np.random.default_rng(SEED),
    )
    return Interval95(*map(float, found.confidence_interval))


def _batch(answers: int) -> int:
    return max(1, _CELLS // answers)
