"""Votes → a span's few sources (section 3.2, "Confidence-Based Source Selection"; appendix A).

The steps, numbered as in DESIGN:

2. every token is traced to the unit with the most evidence,
3. and its vote weighed by part of speech and confidence: ``_vote``
4. over a span: each unit's share of the votes and its longest run: ``_tally``
5. a walk by falling score selects the few: ``_select``
7. the lane policy says which units compete, and which are curated together: ``contests``

Evidence is a matrix ``(T, U)``: what falls on each unit when each token is predicted, its sum
(``sources.unit_mass``) or its strongest position (``sources.unit_peak``). This module knows
neither models nor text. ``settings``: its knobs, and their presets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from core.curation.settings import (
    ASSIGNMENTS,
    DEFAULT_CURATION,
    LANE_POLICIES,
    OTHER,
    PAPER_WEIGHTS,
    Curation,
    PosWeights,
)
from core.timeline import LANES

__all__ = [
    "ASSIGNMENTS",
    "DEFAULT_CURATION",
    "LANE_POLICIES",
    "OTHER",
    "PAPER_WEIGHTS",
    "Ballot",
    "Choice",
    "Contest",
    "Curated",
    "Curation",
    "PosWeights",
    "contests",
    "curate",
]

_SLACK = 1e-9
"""Shares are quotients of floats: a share equal to a threshold but for rounding meets it."""


class Contest(NamedTuple):
    """One argmax a token (rule 7).

    Attributes:
        lanes: indices into ``LANES`` of the units that compete.
        groups: which of them are curated together, by lane.
        dropping: runs are counted after the votes of other groups are dropped (published code).
    """

    lanes: frozenset[int]
    groups: tuple[frozenset[int], ...]
    dropping: bool = False


class Choice(NamedTuple):
    """A selected unit: its share p(u), run r(u) and score q(u) among what it was curated with."""

    unit: int
    share: float
    run: float
    score: float


@dataclass(frozen=True, eq=False)
class Ballot:
    """What every token said in one contest.

    Attributes:
        unit: int64 ``(T,)``: the traced unit, −1 where no unit has any evidence.
        confidence: float32 ``(T,)``: its evidence.
        vote: float64 ``(T,)``: rule 3.
    """

    unit: np.ndarray
    confidence: np.ndarray
    vote: np.ndarray


@dataclass(frozen=True, eq=False)
class Curated:
    """``ballots``: one a contest. ``chosen``: for every span its units, best first."""

    ballots: tuple[Ballot, ...]
    chosen: tuple[tuple[Choice, ...], ...]


def curate(
    evidence: np.ndarray,
    lane_of: np.ndarray,
    pos: Sequence[str],
    spans: Sequence[tuple[int, int]],
    curation: Curation,
) -> Curated:
    """Rules 2 to 5 for all spans of an answer.

    Args:
        evidence: float ``(T, U)`` ≥ 0, of the kind that ``curation.assignment`` names.
        lane_of: int ``(U,)``, indices into ``LANES``.
        pos: universal POS of every token.
        spans: half-open token ranges, disjoint.
        curation: the settings.
    """
    weights = np.array([curation.pos_weights.of(tag) for tag in pos], np.float64)
    span_of = np.full(len(evidence), -1, np.int64)
    for index, (first, last) in enumerate(spans):
        span_of[first:last] = index
    ballots: list[Ballot] = []
    selected: list[tuple[np.ndarray, ...]] = []
    for contest in contests(curation.lanes, {LANES[lane] for lane in np.unique(lane_of)}):
        ballot = _vote(evidence, _among(lane_of, contest.lanes), weights, curation.gamma)
        ballots.append(ballot)
        for group in contest.groups:
            counted = (ballot.unit >= 0) & (span_of >= 0)
            if group != contest.lanes:
                counted &= _among(lane_of[ballot.unit], group)
            selected.append(_select(ballot, span_of, counted, contest.dropping, curation))
    return Curated(tuple(ballots), _best_first(selected, len(spans)))


def contests(policy: str, present: Collection[str]) -> tuple[Contest, ...]:
    """Rule 7: which lanes compete, and which are curated together, in a prompt with these lanes.

    ``reference`` follows the published code. Text and pictures compete, then are curated apart;
    sound, film frames and film sound each stand alone, and what they select is united. Written
    text beside sound or film is not looked at, unless there are pictures too: that mix is refused
    there, and here is the union of both. (That code also counts the instruction among the text
    sources; here it never is one.)
    """
    lanes = [index for index, name in enumerate(LANES) if name in present]
    if policy == "joint":
        return (Contest(frozenset(lanes), (frozenset(lanes),)),) if lanes else ()
    apart = [frozenset([lane]) for lane in lanes]
    if policy == "per_lane":
        return tuple(Contest(lane, (lane,)) for lane in apart)
    still = frozenset(lane for lane in lanes if LANES[lane] in ("text", "image"))
    timed = tuple(Contest(lane, (lane,), True) for lane in apart if not lane <= still)
    if not still or (timed and "image" not in present):
        return timed
    return (Contest(still, tuple(lane for lane in apart if lane <= still), True), *timed)


def _among(lane_of: np.ndarray, lanes: frozenset[int]) -> np.ndarray:
    member = np.zeros(len(LANES), bool)
    member[list(lanes)] = True
    return member[lane_of]


def _vote(evidence: np.ndarray, competes: np.ndarray, weights: np.ndarray, gamma: float) -> Ballot:
    """Rules 2 and 3; ties go to the earlier unit."""
    columns = np.flatnonzero(competes)
    first, last = columns[0], columns[-1] + 1
    beside = last - first == len(columns)  # then a view will do, which costs nothing
    candidates = evidence[:, first:last] if beside else evidence.take(columns, axis=1)
    winner = candidates.argmax(axis=1)
    confidence = np.take_along_axis(candidates, winner[:, None], axis=1)[:, 0]
    unit = np.where(confidence > 0, columns[winner], -1)
    vote = np.where(unit >= 0, weights * confidence.astype(np.float64) ** gamma, 0.0)
    return Ballot(unit, confidence, vote)


def _select(
    ballot: Ballot, span_of: np.ndarray, counted: np.ndarray, dropping: bool, curation: Curation
) -> tuple[np.ndarray, ...]:
    """Rules 4 and 5 for one group of lanes: ``span, unit, share, run, score`` of the selected."""
    span, unit, share, run = _tally(ballot, span_of, counted, dropping)
    score = curation.alpha * share + (1 - curation.alpha) * run
    strong = (share >= curation.min_share - _SLACK) | (run >= curation.min_run - _SLACK)
    order = _walk(span, unit, score)
    order = order[strong[order]]
    span, unit, share, run, score = (a[order] for a in (span, unit, share, run, score))
    opens = np.diff(span, prepend=-1) != 0
    before = np.cumsum(share) - share
    before -= np.maximum.accumulate(np.where(opens, before, 0.0))
    taken = opens | (before < curation.coverage - _SLACK)
    return tuple(a[taken] for a in (span, unit, share, run, score))


def _walk(span: np.ndarray, unit: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The order by span, falling score, and the prompt: rounding makes near ties ties again."""
    return np.lexsort((unit, -np.round(score, 12), span))


def _best_first(
    selected: Sequence[tuple[np.ndarray, ...]], n_spans: int
) -> tuple[tuple[Choice, ...], ...]:
    """What all groups selected, united for every span."""
    if not selected:
        return ((),) * n_spans
    span, unit, *rest = map(np.concatenate, zip(*selected, strict=True))
    order = _walk(span, unit, rest[-1])
    columns = (array[order].tolist() for array in (unit, *rest))
    choices = tuple(map(Choice._make, zip(*columns, strict=True)))
    bounds = np.searchsorted(span[order], np.arange(n_spans + 1)).tolist()
    return tuple(choices[first:last] for first, last in pairwise(bounds))


def _tally(
    ballot: Ballot, span_of: np.ndarray, counted: np.ndarray, dropping: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rule 4: ``span, unit, share, run`` of every unit that was voted for, by span and unit.

    Tokens are grouped into runs: neighbours in one span that are traced to one unit.
    """
    size = int(ballot.unit.max(initial=0)) + 1
    label = np.where(counted, span_of * size + ballot.unit, -1)
    vote = ballot.vote
    if dropping:
        label, vote = label[counted], vote[counted]
    heads = np.flatnonzero(np.diff(label, prepend=-2))
    sums = np.add.reduceat(vote, heads) if len(heads) else np.zeros(0)
    named = label[heads] >= 0
    keys, inverse = np.unique(label[heads][named], return_inverse=True)
    share, run = np.zeros(len(keys)), np.zeros(len(keys))
    np.add.at(share, inverse, sums[named])
    np.maximum.at(run, inverse, sums[named])
    span, unit = np.divmod(keys, size)
    total = np.bincount(span, weights=share)[span] if len(span) else share
    voted = total > 0
    span, unit, share, run, total = (a[voted] for a in (span, unit, share, run, total))
    return span, unit, share / total, run / total
