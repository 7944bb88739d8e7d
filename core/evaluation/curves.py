"""Which sources to hide so as to judge a signal without labels, and what came of it. Pure.

A signal ranks the units of a prompt for every sentence. If it is faithful, the sentence loses much
of its log-probability when the first of them are hidden, and much of it comes back when the first
of them return to a prompt of which all else is hidden (deletion and insertion; Petsiuk et al. 2018;
"comprehensiveness" and "sufficiency" of DeYoung et al. 2020). Random orders say what hiding as much
of the prompt costs by itself. Decided here:

- Of ``n`` units, a share ``f`` hides or brings back the first ``⌈f·n⌉``.
- Hiding all of them loses ``w`` nats. The area under the mean curve, divided by the mean ``w``, is
  0 to 1 for a curve that stays between nothing and everything: the higher, the earlier it rises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

KS = (1, 3)
"""So many first sources are removed."""

SHARES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
"""Of the units, where the curves are told."""

RANDOM = "random"
DRAWS = 5
"""Random orders of an answer's units; what they lose is averaged."""

Units = tuple[int, ...]


class Ablations(NamedTuple):
    """Sets of units to hide for one order of them.

    Attributes:
        top: the first k, for every k of ``KS``.
        deleted: the first of them, for every share of ``SHARES``.
        kept_out: all but the first of them, for every share.
    """

    top: tuple[Units, ...]
    deleted: tuple[Units, ...]
    kept_out: tuple[Units, ...]

    def sets(self) -> tuple[Units, ...]:
        """All of them."""
        return self.top + self.deleted + self.kept_out


class Faithful(NamedTuple):
    """A signal on one answer: sums over its sentences, nats.

    Attributes:
        top: lost without the first k sources, for every k of ``KS``.
        lost: by deletion, at every share of ``SHARES``.
        regained: by insertion, at every share.
    """

    top: tuple[float, ...]
    lost: tuple[float, ...]
    regained: tuple[float, ...]


@dataclass(frozen=True)
class CausalResult:
    """What removing sources did to one answer.

    Attributes:
        file, answer_id, model, task: as of ``scoring.Result``.
        sentences: of the answer.
        signals: each signal, and ``RANDOM``.
    """

    file: str
    answer_id: str
    model: str
    task: str
    sentences: int
    signals: Mapping[str, Faithful]


def ablations(order: Sequence[int]) -> Ablations:
    """What to hide, for units in this order, the one that matters most first."""
    order = tuple(map(int, order))
    counts = [math.ceil(share * len(order) - 1e-9) for share in SHARES]
    return Ablations(
        tuple(_set(order[:k]) for k in KS),
        tuple(_set(order[:count]) for count in counts),
        tuple(_set(order[count:]) for count in counts),
    )


def orders(scores: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """The units by falling score for every span ``(n_spans, n_units)``; ties in prompt's order."""
    return tuple(tuple(row) for row in np.argsort(-scores, axis=1, kind="stable").tolist())


def random_orders(units: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """``DRAWS`` orders of an answer's units; the same seed, the same orders."""
    draw = np.random.default_rng(seed)
    return tuple(tuple(draw.permutation(units).tolist()) for _ in range(DRAWS))


def faithful(
    made: Sequence[Sequence[Ablations]], lost: Mapping[Units, Sequence[float]]
) -> Faithful:
    """What a signal's removals came to.

    Args:
        made: for every sentence its ablations; several orders of one sentence are averaged.
        lost: a set of units → nats that each sentence loses without them.
    """
    sums = np.zeros(len(KS) + 2 * len(SHARES))
    for sentence, several in enumerate(made):
        for one in several:
            whole = lost[one.deleted[-1]][sentence]
            values = [lost[units][sentence] for units in one.top + one.deleted]
            values += [whole - lost[units][sentence] for units in one.kept_out]
            sums += np.array(values) / len(several)
    parts = np.split(sums, [len(KS), len(KS) + len(SHARES)])
    return Faithful(*(tuple(part.tolist()) for part in parts))


def area(curve: Sequence[float]) -> float | None:
    """The area under a curve over ``SHARES`` that ends at 1; ``None`` if its end is not above 0."""
    return float(np.trapezoid(curve, SHARES)) / curve[-1] if curve[-1] > 0 else None


def _set(units: Sequence[int]) -> Units:
    return tuple(sorted(units))
