"""Agreement: people with the judge (table 4), and with one another (κ, α), with intervals.

Table 4 uses the paper's own metric (``core.evaluation.metrics``): Text F1, Image F1 and Time-F1 of
every sentence that both the judge and a person labelled, averaged over sentences. A sentence that
several people checked counts once, by the mean of their F1. What is counted of a person is the
verdict as committed; in a blind project as *first* committed, before the judge was shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from core.evaluation.statistics import Interval95
from core.review.records import Place

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
        modality: ``text``, ``image`` or ``time``; columns of table 4.
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
        kappa: Cohen's, of all pairs of annotators together; ``None`` where it is not defined (no
            overlap, or all answers the same).
        alpha: Krippendorff's, nominal; ``None`` likewise.
    """

    task: str
    annotator: str
    kappa: Score | None
    alpha: Score | None


@dataclass(frozen=True)
class Agreement:
    """The lead's figures. ``table_4`` holds cells of every task for ``ALL`` annotators, then of
    every annotator over ``ALL`` tasks and by task; ``reliability`` likewise.
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
