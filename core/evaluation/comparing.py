"""Does one method differ from another, on the same answers? Differences in F1 with their p.

An answer's score is the mean F1 of its sentences, over all their elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from core.curation import Curation
from core.evaluation.grouping import Row, groups, interval_row, percent
from core.evaluation.overlap import OVERALL, Sums
from core.evaluation.predictions import POST_HOC
from core.evaluation.scoring import Method, Result
from core.evaluation.statistics import paired_difference

OF = "F1, %"
CURATED = "paper"
TABLE_3 = tuple(name for name in Curation.presets() if name != "default")
"""The published curation, and it less one part each."""


class Side(NamedTuple):
    """A name, and the methods that it stands for: of an answer the first that is there."""

    name: str
    methods: tuple[Method, ...]


def comparisons(results: Sequence[Result]) -> list[Row]:
    """Every two signals or predictions, signals by the default curation.

    And over all tasks, every signal by the published curation beside it less one part (table 3).
    """
    rows: list[Row] = []
    told: set[str] = set()
    for model, task, held in groups(results):
        names = list(dict.fromkeys(method.signal for r in held for method, _ in r.scores))
        for pair in combinations(names, 2):
            rows += _compared(model, task, held, *(Side(name, methods(name)) for name in pair))
        if model in told:
            continue
        told.add(model)
        for name in dict.fromkeys(signal for r in held for signal in r.studied):
            for less in TABLE_3[1:]:
                sides = (
                    Side(f"{name} · {curation}", (Method(name, curation),))
                    for curation in (CURATED, less)
                )
                rows += _compared(model, task, held, *sides)
    return rows


def methods(name: str) -> tuple[Method, ...]:
    """What a name alone stands for: a signal by the default curation, or a prediction."""
    return Method(name, "default"), Method(name, POST_HOC)


def overall(result: Result, name: str) -> Sums | None:
    """The sums of a signal or prediction over all elements of an answer."""
    return _sums(result, methods(name))


def _compared(
    model: str, task: str, held: Sequence[Result], first: Side, second: Side
) -> Iterator[Row]:
    pairs = [
        (a.f1 / a.sentences, b.f1 / b.sentences)
        for r in held
        if (a := _sums(r, first.methods)) and (b := _sums(r, second.methods))
    ]
    if pairs:
        found = paired_difference(*np.array(pairs).T)
        yield {
            "model": model,
            "task": task,
            "first": first.name,
            "second": second.name,
            "of": OF,
            "difference": percent(found.mean),
            **interval_row(found.interval),
            "p": found.p,
            "answers": found.answers,
        }


def _sums(result: Result, known: Sequence[Method]) -> Sums | None:
    keys = [(method, OVERALL) for method in known]
    return next((result.scores[key] for key in keys if key in result.scores), None)
