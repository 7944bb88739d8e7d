"""Agreement: people with the judge (table 4), and with one another (κ, α), with intervals.

Table 4 uses the paper's own metric (``core.evaluation.metrics``): Text F1, Image F1 and Time-F1 of
every sentence that both the judge and a person labelled, averaged over sentences. A sentence that
several people checked counts once, by the mean of their F1. What is counted of a person is the
verdict as committed; in a blind project as *first* committed, before the judge was shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

import numpy as np

from core.evaluation.metrics import (
    MODALITIES,
    Element,
    agreement,
    labelled_elements,
    of_modality,
    unclocked,
)
from core.evaluation.statistics import Interval95, ratio_interval
from core.review.records import Item, Judged, Place, Verdict
from core.trace import MediaInfo

ALL = "all"


class Score(NamedTuple):
    """A mean or a coefficient.

    Attributes:
        value: F1 as a share 0..1; κ and α up to 1, 0 being chance.
        interval: its 95 % bootstrap interval over answers; ``None`` for fewer than two answers.
        samples: answers that it rests on ("# Samples" of table 4).
        sentences: of these answers.
    """

    value: float
    interval: Interval95 | None
    samples: int
    sentences: int


@dataclass(frozen=True)
class Cell:
    """One cell of table 4.

    Attributes:
        task: the items' task, or ``ALL``.
        annotator: whose verdicts, or ``ALL``.
        modality: ``text``, ``image`` or ``time``.
    """

    task: str
    annotator: str
    modality: str
    f1: Score


@dataclass(frozen=True)
class Reliability:
    """How far annotators agree on the sentences that several of them checked.

    Every unit, and every second of a recording, is one yes-or-no question a sentence.

    Attributes:
        task: the items' task, or ``ALL``.
        annotator: pairs with this one only, or ``ALL``.
        kappa: Cohen's, mean over the pairs of annotators; ``None`` where it is not defined (no
            overlap, or nobody ever chose anything).
        alpha: Krippendorff's, nominal; ``None`` likewise.
    """

    task: str
    annotator: str
    kappa: Score | None
    alpha: Score | None


@dataclass(frozen=True)
class Agreement:
    """The lead's figures: over everything, then of each task, then of each annotator.

    ``table_4`` has up to three cells (modalities) for each of these; ``reliability`` has one row.
    """

    table_4: tuple[Cell, ...]
    reliability: tuple[Reliability, ...]


@dataclass(frozen=True)
class Disputed:
    """A sentence about which opinions differ, or somebody is unsure.

    Attributes:
        text: the sentence; untrusted.
        agreement: mean F1, over all elements, of every two opinions (the judge's is one), 0..1.
        people: names of the annotators who committed a verdict.
        unsure, bad: those of them who flagged it so.
        settled: a lead has committed the gold verdict.
    """

    place: Place
    text: str
    agreement: float
    people: tuple[str, ...]
    unsure: tuple[str, ...]
    bad: tuple[str, ...]
    settled: bool


@dataclass(frozen=True)
class Opinions:
    """What there is to compare.

    Attributes:
        items: id → item.
        judged: sentence → the judge's verdict.
        people: sentence → annotator → verdict, of those who committed one.
    """

    items: Mapping[str, Item]
    judged: Mapping[Place, Judged]
    people: Mapping[Place, Mapping[str, Verdict]]

    @property
    def groups(self) -> Iterator[tuple[str, str]]:
        """``(task, annotator)`` of the rows: everything, each task, each annotator."""
        yield ALL, ALL
        tasks = dict.fromkeys(item.task for item in self.items.values())
        yield from ((task, ALL) for task in tasks)
        names = sorted({name for said in self.people.values() for name in said})
        yield from ((ALL, name) for name in names)

    def of_task(self, task: str) -> Iterator[tuple[Place, Mapping[str, Verdict]]]:
        """What people said of a task's sentences."""
        for place, said in self.people.items():
            if task in (ALL, self.items[place.item].task):
                yield place, said


def table_4(opinions: Opinions) -> tuple[Cell, ...]:
    """Judge against people; cells that no sentence counts for are left out."""
    found = _sentence_scores(opinions)
    cells = []
    for task, annotator in opinions.groups:
        for modality in MODALITIES:
            by_answer: dict[str, list[float]] = {}
            for place, _ in opinions.of_task(task):
                scores = [
                    f1
                    for name, of_name in found.get(place, {}).items()
                    if annotator in (ALL, name) and (f1 := of_name[modality]) is not None
                ]
                if scores:
                    by_answer.setdefault(place.item, []).append(fmean(scores))
            if by_answer:
                cells.append(Cell(task, annotator, modality, _mean(by_answer.values())))
    return tuple(cells)


def disputed(opinions: Opinions, settled: Collection[Place]) -> tuple[Disputed, ...]:
    """Sentences that are not of one mind, the least agreed first; settled ones last."""
    found = []
    for place, said in opinions.people.items():
        item = opinions.items[place.item]
        judged = opinions.judged.get(place)
        minds = [*said.values(), *([judged.verdict] if judged else [])]
        pairs = [_overall(item, one, other) for one, other in combinations(minds, 2)]
        agreed = fmean(pairs) if pairs else 1.0
        unsure = tuple(name for name, verdict in said.items() if verdict.unsure)
        if agreed < 1 or unsure:
            bad = tuple(name for name, verdict in said.items() if verdict.bad)
            text = item.sentences[place.sentence]
            is_settled = place in settled
            found.append(Disputed(place, text, agreed, tuple(said), unsure, bad, is_settled))
    return tuple(sorted(found, key=lambda one: (one.settled, one.agreement)))


def elements(item: Item, verdict: Verdict, clocks: Collection[int]) -> frozenset[Element]:
    """What a verdict claims; ``clocks``: parts whose streams are not told apart."""
    intervals = [
        changed(one, lane=None) if one.part in clocks else one for one in verdict.intervals
    ]
    media = [MediaInfo(duration=seconds) for seconds in item.durations]
    return labelled_elements(verdict.units, intervals, item.units, media)


def _sentence_scores(
    opinions: Opinions,
) -> dict[Place, dict[str, dict[str, float | None]]]:
    """Sentence → annotator → modality → F1 with the judge; ``None`` where it does not count."""
    found: dict[Place, dict[str, dict[str, float | None]]] = {}
    for place, said in opinions.people.items():
        judged = opinions.judged.get(place)
        if judged is None:
            continue
        item = opinions.items[place.item]
        found[place] = {
            name: {
                modality: _f1(*_both(item, judged.verdict, verdict), modality)
                for modality in MODALITIES
            }
            for name, verdict in said.items()
            if verdict.counts
        }
    return found


def _both(item: Item, one: Verdict, other: Verdict) -> tuple[frozenset[Element], ...]:
    """Two verdicts on one footing: if either names no stream of a part, neither does."""
    clocks = unclocked(one.intervals) | unclocked(other.intervals)
    return elements(item, one, clocks), elements(item, other, clocks)


def _f1(one: Iterable[Element], other: Iterable[Element], modality: str) -> float | None:
    compared = agreement(of_modality(one, modality), of_modality(other, modality))
    return compared.f1 if compared.cited or compared.labelled else None


def _overall(item: Item, one: Verdict, other: Verdict) -> float:
    """F1 over all elements; of a sentence that only one calls bad, 0."""
    if one.bad or other.bad:
        return float(one.bad and other.bad)
    return agreement(*_both(item, one, other)).f1


def _mean(by_answer: Iterable[list[float]]) -> Score:
    sums, counts = (
        np.array(values, float)
        for values in zip(*((sum(scores), len(scores)) for scores in by_answer), strict=True)
    )
    interval = ratio_interval(sums, counts)
    return Score(float(sums.sum() / counts.sum()), interval, len(sums), int(counts.sum()))
