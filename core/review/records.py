"""What an annotators' project is made of: items, verdicts, events, and what is served of them.

All records are frozen; the ones that come out of the store are derived from its events by
``core.review.state``. ``Interval`` is that of label files: part, ``[start, end)`` in seconds, lane.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from core.evaluation.labels import Interval
from core.sources import SourceUnit

Role = Literal["annotator", "lead"]
ROLES: tuple[Role, ...] = ("annotator", "lead")

GOLD = "gold"
"""The owner of the verdicts that leads settle; no account may have this name."""

FLAGS = ("unsure", "unsupported", "bad")
"""*unsure*: somebody should look again; *unsupported*: nothing in the prompt supports the sentence;
*bad*: it is no sentence that could be judged (a stray fragment, nonsense)."""

KINDS = ("unit", "intervals", "note", "flag", "replace", "accept", "commit", "undo")
"""What an event may do; see ``core.review.changes``."""


class Place(NamedTuple):
    """One sentence of a project: ``item`` is an ``Item.id``, ``sentence`` counts from 0."""

    item: str
    sentence: int


@dataclass(frozen=True)
class Account:
    """Someone who may sign in. Annotators see their own work only; a lead sees everything."""

    name: str
    role: Role


@dataclass(frozen=True)
class Item:
    """One answer to be checked; fixed when the project is made.

    Attributes:
        id: ``answer_id`` of the trace.
        title: what its file was called, without the ending; for people, untrusted.
        model: that wrote the answer.
        task: the sample's, or the prompt's lanes where no sample was given.
        sentences: the answer's, as ``core.spans`` cuts it.
        units: the prompt's, as ``core.sources`` cuts them by default.
        durations: seconds of every part; ``None`` for texts and pictures.
    """

    id: str
    title: str
    model: str
    task: str
    sentences: tuple[str, ...]
    units: tuple[SourceUnit, ...]
    durations: tuple[float | None, ...]

    @property
    def selectable(self) -> frozenset[str]:
        """Ids of the units that are chosen whole: all but stretches of sound and film."""
        return frozenset(unit.id for unit in self.units if _is_whole(unit))

    @property
    def timed(self) -> Mapping[int, frozenset[str]]:
        """Part index → its lanes, of the parts on which intervals are drawn."""
        found: dict[int, frozenset[str]] = {}
        for unit in self.units:
            if not _is_whole(unit):
                found[unit.part] = found.get(unit.part, frozenset()) | {unit.lane}
        return found


def _is_whole(unit: SourceUnit) -> bool:
    """Text and pictures; and a recording whose model says nothing of time."""
    return unit.lane in ("text", "image") or unit.start is None


@dataclass(frozen=True)
class Verdict:
    """Which sources support a sentence.

    Attributes:
        units: ids of the chosen text and picture units, sorted, each once.
        intervals: of sound and film, sorted by part, lane and start; those of one part and lane
            are disjoint.
        unsure, unsupported, bad: see ``FLAGS``. ``unsupported`` goes with no unit and no interval.
        accepted: taken over from the judge and not changed since.
        note: the annotator's, as typed; untrusted.
    """

    units: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()
    unsure: bool = False
    unsupported: bool = False
    bad: bool = False
    accepted: bool = False
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Neither names a source nor says that there is none."""
        return not (self.units or self.intervals or self.unsupported)

    @property
    def counts(self) -> bool:
        """Whether it says what the sources are: not of a bad sentence, nor empty from doubt."""
        return not self.bad and not self.is_empty


class Judged(NamedTuple):
    """What the judge said of a sentence, and the judge's name."""

    verdict: Verdict
    name: str


@dataclass(frozen=True)
class Event:
    """One line of the append-only log.

    Attributes:
        id: chosen by whoever asks; the same id again is the same event, not a second one.
        owner: whose verdict it changes: an annotator's name, or ``GOLD``.
        author: who did it: the owner, a lead for ``GOLD``, or who imported it.
        version: 1, 2, … within the owner's events on this place.
        time: Unix seconds, by the store's clock.
        kind, payload: one of ``KINDS``, and what it needs.
    """

    id: str
    owner: str
    author: str
    place: Place
    version: int
    time: float
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class SentenceState:
    """What an owner's events on one sentence amount to.

    Attributes:
        verdict: as it stands now, committed or not.
        committed: as last committed; ``None`` before. Exports hold this one.
        first: as first committed, even if that was undone; ``None`` before. Once it is set, a blind
            project shows the judge, so agreement there is measured on this one.
        version: of the last event; 0 before any. To be handed back with the next change.
        undoable: how many changes can be undone.
    """

    verdict: Verdict = Verdict()
    committed: Verdict | None = None
    first: Verdict | None = None
    version: int = 0
    undoable: int = 0

    @property
    def done(self) -> bool:
        """Committed, and not changed since."""
        return self.committed is not None and self.committed == self.verdict


@dataclass(frozen=True)
class SentenceView:
    """What an annotator (or, of ``GOLD``, a lead) is served of one sentence.

    Attributes:
        text: the sentence; model output, untrusted.
        judge: the judge's verdict; ``None`` while hidden, or if the judge said nothing of it.
        judge_name: model that judged; empty where ``judge`` is ``None``.
        hidden: the project is blind, and this one is not committed yet.
    """

    place: Place
    text: str
    state: SentenceState
    judge: Verdict | None
    judge_name: str
    hidden: bool


@dataclass(frozen=True)
class ItemView:
    """What an annotator is served of one item.

    Attributes:
        number: place in the annotator's queue, from 0.
        item: its ``model``, and ``title``, which may name the model, are empty while hidden.
        sentences: one view a sentence.
        hidden: the project is blind, and a sentence of this item was never committed: neither
            model nor explanation may be shown.
    """

    number: int
    item: Item
    sentences: tuple[SentenceView, ...]
    hidden: bool


@dataclass(frozen=True)
class Progress:
    """How far one annotator is. Counts are of sentences, unless said otherwise.

    Attributes:
        done, total: sentences.
        items_done, items: with all their sentences done.
        seconds_each: median time between two commits, pauses over five minutes left out; ``None``
            before the second.
        resume: where to go on: where the last change was, if that is not done, else the next that
            is not done; ``None`` when all are.
    """

    name: str
    done: int
    total: int
    items_done: int
    items: int
    seconds_each: float | None
    resume: Place | None

    @property
    def seconds_left(self) -> float | None:
        """At this pace; ``None`` while there is none."""
        return None if self.seconds_each is None else self.seconds_each * (self.total - self.done)
