"""The paper's analyses (section 5): position, calibration, and answers' quality. Pure functions.

Figure 3a: "we analyze the normalized position of selected source units". Figure 3b: "calibration
between predicted and ground-truth image attribution mass". Figure 4a: "attribution F1 for samples
where the generated answer is correct versus incorrect". Figure 4b: "ROUGE-L as a proxy for
generation quality".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from core.sources import Sources, SourceUnit

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

GRID = np.linspace(0, 1, 101)
"""Where an ECDF is told."""

CALIBRATION_BINS = 10


class Correlation(NamedTuple):
    """Pearson's and Spearman's, each with its p; all ``None`` where they are not defined."""

    n: int
    pearson: float | None
    pearson_p: float | None
    spearman: float | None
    spearman_p: float | None


class CalibrationBin(NamedTuple):
    """Sentences whose predicted image mass lies in ``[low, high)`` (the last bin is closed)."""

    low: float
    high: float
    sentences: int
    predicted: float | None
    labelled: float | None


def unit_positions(sources: Sources) -> np.ndarray:
    """Where each unit stands in the input, float64 ``(n_units,)`` in (0, 1).

    Units are ranked by the mean of their prompt positions, so that a film's frames and sound
    interleave as the model reads them; unit ``k`` of ``n`` stands at ``(k + ½) / n``. Units drawn
    evenly then have mean ½, whatever their lengths.
    """
    n = len(sources.units)
    held = np.flatnonzero(sources.unit_of >= 0)
    units = sources.unit_of[held]
    counts = np.bincount(units, minlength=n)
    centre = np.bincount(units, weights=held, minlength=n) / np.maximum(counts, 1)
    return (stats.rankdata(centre, method="average") - 0.5) / max(n, 1)


def ecdf(values: Sequence[float], grid: np.ndarray = GRID) -> np.ndarray:
    """Share of the values ≤ each point of the grid; values must be one at least."""
    return stats.ecdf(np.asarray(values)).cdf.evaluate(grid)


def image_mass(
    cited: Iterable[tuple[SourceUnit, float]], named: Iterable[SourceUnit]
) -> tuple[float, float] | None:
    """Predicted and labelled image mass of one sentence, 0 to 1 (figure 3b).

    Predicted: the pictures' part of the vote shares of the text and picture units that the sentence
    cites, each given with its share. Labelled: the pictures' part of the text and picture units
    that its label names. ``None`` unless both hold something; only prompts with text and pictures
    should be asked.
    """
    shares = {"image": 0.0, "text": 0.0}
    for unit, share in cited:
        if unit.lane in shares:
            shares[unit.lane] += share
    lanes = [unit.lane for unit in named if unit.lane in shares]
    total = sum(shares.values())
    if not lanes or total <= 0:
        return None
    return shares["image"] / total, lanes.count("image") / len(lanes)


def calibration(pairs: Sequence[tuple[float, float]]) -> tuple[CalibrationBin, ...]:
    """Mean labelled image mass by predicted image mass, in ten equal bins."""
    predicted, labelled = np.array(pairs, float).reshape(-1, 2).T
    which = np.minimum((predicted * CALIBRATION_BINS + 1e-9).astype(int), CALIBRATION_BINS - 1)
    found = []
    for index in range(CALIBRATION_BINS):
        held = which == index
        count = int(held.sum())
        means = (
            (float(predicted[held].mean()), float(labelled[held].mean())) if count else (None,) * 2
        )
        low, high = index / CALIBRATION_BINS, (index + 1) / CALIBRATION_BINS
        found.append(CalibrationBin(low, high, count, *means))
    return tuple(found)


def calibration_error(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Mean over sentences of their bin's distance from the diagonal; ``None`` without any."""
    bins = [one for one in calibration(pairs) if one.sentences]
    weights = [one.sentences for one in bins]
    apart = [abs(one.predicted - one.labelled) for one in bins]
    return float(np.average(apart, weights=weights)) if bins else None


def rouge_l(response: str, reference: str) -> float:
    """ROUGE-L F-measure, 0 to 1, by Google's ``rouge-score`` without stemming."""
    return _scorer().score(reference, response)["rougeL"].fmeasure


@lru_cache(maxsize=1)
def _scorer() -> RougeScorer:
    # Imported when the first summary has a reference: it takes seconds.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=False)


def correlation(first: Sequence[float], second: Sequence[float]) -> Correlation:
    """How two scores of the same answers go together; undefined below 3, or where one is flat."""
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Correlation(len(first), None, None, None, None)
    pearson, spearman = stats.pearsonr(first, second), stats.spearmanr(first, second)
    numbers = (pearson.statistic, pearson.pvalue, spearman.statistic, spearman.pvalue)
    return Correlation(len(first), *map(float, numbers))
