"""Many causal results → rows of a report: nats, means over sentences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from core.evaluation.curves import KS, RANDOM, SHARES, CausalResult, area
from core.evaluation.grouping import Row, groups
from core.evaluation.statistics import Interval95, paired_difference, ratio_interval

OF = "nats lost without the first source"
"""What ``causal_comparisons`` compares."""


def causal(results: Sequence[CausalResult]) -> list[Row]:
    """What sentences lose without a signal's first sources, and the areas under its curves.

    ``low`` and ``high`` are of ``top1``, over answers. ``deletion`` and ``insertion`` are 0 to 1,
    higher is better (``core.evaluation.curves``).
    """
    rows: list[Row] = []
    for model, task, held in groups(results):
        for signal in _names(held):
            some = [result for result in held if signal in result.signals]
            sentences = np.array([result.sentences for result in some])
            sums = [result.signals[signal] for result in some]
            top, lost, regained = (
                np.array(column).sum(axis=0) / sentences.sum() for column in zip(*sums, strict=True)
            )
            first = np.array([one.top[0] for one in sums])
            curve = zip(SHARES, lost.tolist(), regained.tolist(), strict=True)
            rows.append(
                {
                    "model": model,
                    "task": task,
                    "signal": signal,
                    **{f"top{k}": round(value, 4) for k, value in zip(KS, top, strict=True)},
                    **_nats(ratio_interval(first, sentences)),
                    "deletion": _rounded(area(lost)),
                    "insertion": _rounded(area(regained)),
                    "sentences": int(sentences.sum()),
                    "answers": len(some),
                    "curve": [
                        {"share": share, "lost": round(a, 4), "regained": round(b, 4)}
                        for share, a, b in curve
                    ],
                }
            )
    return rows


def causal_comparisons(results: Sequence[CausalResult]) -> list[Row]:
    """Every two signals, chance too, on the same answers: difference in ``OF``, and its p."""
    rows: list[Row] = []
    for model, task, held in groups(results):
        for first, second in combinations(_names(held), 2):
            pairs = [
                (_each(result, first), _each(result, second))
                for result in held
                if first in result.signals and second in result.signals
            ]
            if pairs:
                found = paired_difference(*np.array(pairs).T)
                named = {"model": model, "task": task, "first": first, "second": second, "of": OF}
                difference = {"difference": round(found.mean, 4), **_nats(found.interval)}
                rows.append({**named, **difference, "p": found.p, "answers": found.answers})
    return rows


def _each(result: CausalResult, signal: str) -> float:
    return result.signals[signal].top[0] / result.sentences


def _names(results: Sequence[CausalResult]) -> list[str]:
    """The signals, and chance last."""
    names = dict.fromkeys(name for result in results for name in result.signals)
    return sorted(names, key=lambda name: name == RANDOM)


def _nats(interval: Interval95 | None) -> dict[str, Any]:
    low, high = interval if interval else (None, None)
    return {"low": _rounded(low), "high": _rounded(high)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
