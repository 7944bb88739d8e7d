"""Do annotators agree with one another beyond chance? Cohen's κ and Krippendorff's α.

The coefficients are scikit-learn's and ``krippendorff``'s. For the bootstrap, both are functions of
a few sums over answers, written here once more so that a thousand resamples are one array.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import krippendorff
import numpy as np
from sklearn.metrics import cohen_kappa_score

from core.evaluation.metrics import bins
from core.evaluation.statistics import bootstrap_interval
from core.review.agreement import ALL, Opinions, Reliability, Score
from core.review.records import Item, Verdict


class _Asked(NamedTuple):
    """One sentence that several people checked: bool ``(n_questions,)`` of each."""

    item: str
    said: Mapping[str, np.ndarray]


def reliability(opinions: Opinions) -> tuple[Reliability, ...]:
    """κ and α over everything, of each task, and of each annotator with the others."""
    rows = []
    for task, annotator in opinions.groups:
        asked = []
        for place, said in opinions.of_task(task):
            item = opinions.items[place.item]
            answers = {name: answered(item, one) for name, one in said.items() if one.counts}
            if len(answers) > 1 and annotator in (ALL, *answers):
                asked.append(_Asked(place.item, answers))
        rows.append(Reliability(task, annotator, _kappa(asked, annotator), _alpha(asked)))
    return tuple(rows)


def answered(item: Item, verdict: Verdict) -> np.ndarray:
    """A verdict as yes or no to every question: bool ``(n_questions,)``.

    Questions are the units that are chosen whole, in order, then every second of every recording
    and film, on its clock.
    """
    chosen = [unit.id in verdict.units for unit in item.units if unit.id in item.selectable]
    for part in sorted(item.timed):
        seconds = np.zeros(_length(item, part), bool)
        for one in verdict.intervals:
            if one.part == part:
                touched = bins(one.start, one.end)
                seconds[touched.start : touched.stop] = True
        chosen += seconds.tolist()
    return np.array(chosen, bool)


def _length(item: Item, part: int) -> int:
    ends = [unit.end for unit in item.units if unit.part == part and unit.end is not None]
    duration = item.durations[part]
    return max(1, math.ceil(max(ends) if duration is None else duration))


def _kappa(asked: Sequence[_Asked], annotator: str) -> Score | None:
    """Mean over the pairs of annotators for which κ is defined (Light's)."""
    names = sorted({name for one in asked for name in one.said})
    values: list[float] = []
    tables: list[Mapping[str, np.ndarray]] = []
    met: set[int] = set()
    for one, other in combinations(names, 2):
        both = [at for at, a in enumerate(asked) if a.said.keys() >= {one, other}]
        if annotator not in (ALL, one, other) or not both:
            continue
        first = np.concatenate([asked[at].said[one] for at in both])
        second = np.concatenate([asked[at].said[other] for at in both])
        if len(np.unique([first, second])) < 2:
            continue
        values.append(float(cohen_kappa_score(first, second)))
        tables.append(
            _summed((asked[at].item, _table(*map(asked[at].said.get, (one, other)))) for at in both)
        )
        met.update(both)
    if not values:
        return None
    items = sorted({item for table in tables for item in table})
    rows = [np.concatenate([t.get(item, np.zeros(4)) for t in tables]) for item in items]
    return _score(float(np.mean(values)), np.stack(rows), _mean_kappa, len(met))


def _table(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How often both said no, only the second yes, only the first, both: float ``(4,)``."""
    return np.bincount(2 * one + other, minlength=4).astype(float)


def _mean_kappa(*sums: np.ndarray, axis: int = -1) -> np.ndarray:
    """κ of each four sums ``n00, n01, n10, n11``, and their mean; undefined ones left out."""
    found = []
    for at in range(0, len(sums), 4):
        none, second, first, both = (values.sum(axis=axis) for values in sums[at : at + 4])
        total = none + second + first + both
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = (none + both) / total
            chance = ((first + both) * (second + both) + (none + second) * (none + first)) / (
                total**2
            )
            found.append((seen - chance) / (1 - chance))
    with warnings.catch_warnings():
        # A resample in which no pair is defined is NaN, and makes the interval undefined.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(np.stack(found), axis=0)


def _alpha(asked: Sequence[_Asked]) -> Score | None:
    names = sorted({name for one in asked for name in one.said})
    if not names:
        return None
    columns = []
    for one in asked:
        missing = np.full(len(next(iter(one.said.values()))), np.nan)
        columns.append(np.stack([one.said.get(name, missing).astype(float) for name in names]))
    table = np.concatenate(columns, axis=1)
    if len(np.unique(table[~np.isnan(table)])) < 2:
        return None
    value = float(krippendorff.alpha(table, level_of_measurement="nominal"))
    sums = _summed((one.item, _coincidences(one)) for one in asked)
    return _score(value, np.stack(list(sums.values())), _alpha_of, len(asked))


def _coincidences(asked: _Asked) -> np.ndarray:
    """Disagreeing coincidences, answers no, answers yes: float ``(3,)``."""
    said = np.stack(list(asked.said.values()))
    yes = said.sum(axis=0).astype(float)
    no = len(said) - yes
    return np.array([(yes * no).sum() / (len(said) - 1), no.sum(), yes.sum()])


def _alpha_of(apart: np.ndarray, no: np.ndarray, yes: np.ndarray, axis: int = -1) -> np.ndarray:
    """α = 1 − (n − 1) · o₀₁ / (n₀ · n₁), the nominal case of two values."""
    apart, no, yes = (values.sum(axis=axis) for values in (apart, no, yes))
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - (no + yes - 1) * apart / (no * yes)


def _summed(of_sentences: Iterable[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Item → the sum over its sentences."""
    found: dict[str, np.ndarray] = {}
    for item, values in of_sentences:
        found[item] = found[item] + values if item in found else values
    return found


def _score(
    value: float, rows: np.ndarray, statistic: Callable[..., np.ndarray], sentences: int
) -> Score:
    """``rows``: float ``(n_answers, n_sums)``, what ``statistic`` is a function of."""
    interval = bootstrap_interval(tuple(rows.T), statistic) if len(rows) > 1 else None
    if interval is not None and not np.isfinite(interval).all():
        interval = None
    return Score(value, interval, len(rows), sentences)
