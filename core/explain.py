"""Trace + settings → Explanation: pure, in milliseconds, without a model (DESIGN "Flow").

What does not depend on curation (units, evidence, spans, parts of speech) is a ``Prepared``; what
of it all signals share is a ``Cut``. ``explain`` keeps the latest of each for as long as the trace
lives, so that moving a slider costs only the curation, also where signals are compared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple, overload
from weakref import WeakKeyDictionary

import numpy as np

from core.curation import DEFAULT_CURATION, Ballot, Choice, Curated, Curation, curate
from core.errors import InputError
from core.sources import (
    DEFAULT_GRANULARITY,
    Granularity,
    Sources,
    SourceUnit,
    cut,
    unit_mass,
    unit_peak,
)
from core.spans import Span, parts_of_speech, spans
from core.timeline import INSTRUCTION, LANES, STRUCTURAL, Timeline
from core.trace import Trace


class Cited(NamedTuple):
    """A unit selected for a span (rules 4, 5): ``share`` p(u), ``run`` r(u), ``score`` q(u).

    ``index`` is the unit's place in ``Sources.units``; shares are of the votes it was curated with.
    """

    index: int
    unit: SourceUnit
    share: float
    run: float
    score: float


@dataclass(frozen=True)
class Meter:
    """Where a span's signal went, as shares that sum to 1: mean over its tokens.

    Attributes:
        lanes: lane → share on source positions of that lane.
        instruction, own, structure: shares on the instruction, on the answer's own earlier words,
            and on structural positions.
    """

    lanes: dict[str, float]
    instruction: float
    own: float
    structure: float


class Vote(NamedTuple):
    """One token's weighted say (rule 3): ``unit`` is an index into the sources, −1 for none."""

    token: int
    pos: str
    unit: int
    confidence: float
    vote: float


@dataclass(frozen=True, eq=False)
class SpanExplanation:
    """One sentence of the answer with its curated sources, best first.

    ``start``/``end`` are characters of the answer; ``first``/``last`` the half-open token range.
    ``votes``: those of its tokens in order, one a contest (rule 7), so one under ``joint``.
    ``drawn_from_own`` is true when most of the signal fell on the answer's own earlier words.
    """

    index: int
    text: str
    start: int
    end: int
    first: int
    last: int
    sources: tuple[Cited, ...]
    votes: Sequence[Vote]
    meter: Meter
    drawn_from_own: bool


@dataclass(frozen=True, eq=False)
class Explanation:
    """The spans of an answer with their sources."""

    signal: str
    sources: Sources
    spans: tuple[SpanExplanation, ...]

    def spans_citing(self, unit: int) -> tuple[int, ...]:
        """Indices of the spans that cite a unit: the reverse look-up."""
        return tuple(s.index for s in self.spans if any(c.index == unit for c in s.sources))


@dataclass(frozen=True, eq=False)
class Cut:
    """What the signals of a trace share.

    Attributes:
        granularity: what it was cut for.
        sources: the units.
        spans: the answer's sentences.
        pos: universal POS of every token.
    """

    granularity: Granularity
    sources: Sources
    spans: tuple[Span, ...]
    pos: tuple[str, ...]

    @classmethod
    def of(cls, trace: Trace, granularity: Granularity = DEFAULT_GRANULARITY) -> Cut:
        """Cut a trace's prompt and answer: nearly all that preparing costs."""
        return cls(
            granularity,
            cut(trace.prompt, trace.timeline, trace.media, granularity),
            spans(trace.answer, trace.tokens),
            parts_of_speech(trace.answer, trace.tokens),
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """All of an explanation that does not depend on curation.

    Attributes:
        signal: what it was prepared for.
        cut: what it shares with the trace's other signals.
        timeline, scores, own: as in the trace.
    """

    signal: str
    cut: Cut
    timeline: Timeline
    scores: np.ndarray
    own: np.ndarray

    @cached_property
    def meters(self) -> tuple[Meter, ...]:
        """One a sentence."""
        return _meters(self)

    @cached_property
    def mass(self) -> np.ndarray:
        """Float32 ``(T, n_units)``: the evidence of rule 1."""
        return unit_mass(self.scores, self.sources)

    @cached_property
    def peak(self) -> np.ndarray:
        """Float32 ``(T, n_units)``: the evidence of rule 2, peak."""
        return unit_peak(self.scores, self.sources)

    @property
    def sources(self) -> Sources:
        """The units."""
        return self.cut.sources

    @property
    def spans(self) -> tuple[Span, ...]:
        """The answer's sentences."""
        return self.cut.spans

    @property
    def pos(self) -> tuple[str, ...]:
        """Universal POS of every token."""
        return self.cut.pos


_latest: WeakKeyDictionary[Trace, dict[str | None, Prepared]] = WeakKeyDictionary()
_latest_lock = threading.Lock()


def explain(
    trace: Trace,
    *,
    signal: str | None = None,
    curation: Curation = DEFAULT_CURATION,
    granularity: Granularity = DEFAULT_GRANULARITY,
) -> Explanation:
    """Explain an answer, or as much of it as a partial trace holds.

    Args:
        trace: a recorded generation.
        signal: one of ``trace.signals``; default: the first.
        curation: how votes become sources.
        granularity: how parts are cut into units.

    Raises:
        InputError: the trace has no such signal.
    """
    signal = trace.signals[0] if signal is None and trace.signals else signal
    with _latest_lock:
        kept = dict(_latest.get(trace, {}))
    same = {n: p for n, p in kept.items() if p.cut.granularity == granularity}
    if signal not in same:
        shared = next((prepared.cut for prepared in same.values()), None)
        same[signal] = prepare(trace, signal=signal, granularity=granularity, shared=shared)
        with _latest_lock:
            _latest.setdefault(trace, {})[signal] = same[signal]
    return explain_prepared(same[signal], curation)


def prepare(
    trace: Trace,
    *,
    signal: str | None,
    granularity: Granularity = DEFAULT_GRANULARITY,
    shared: Cut | None = None,
) -> Prepared:
    """Everything left of curation.

    Args:
        trace: a recorded generation.
        signal: one of ``trace.signals``.
        granularity: how parts are cut into units.
        shared: what ``Cut.of`` made of this trace; ``granularity`` is then that of ``shared``.

    Raises:
        InputError: the trace has no such signal.
    """
    if signal not in trace.scores:
        known = ", ".join(trace.signals) or "none"
        raise InputError(f"The trace has no signal {signal!r}. Recorded: {known}.")
    shared = shared or Cut.of(trace, granularity)
    scores, own = np.asarray(trace.scores[signal]), np.asarray(trace.own[signal])
    return Prepared(signal, shared, trace.timeline, scores, own)


def choose(prepared: Prepared, curation: Curation) -> Curated:
    """The curation of a prepared trace, as units alone."""
    return curate(
        prepared.mass if curation.assignment == "mass" else prepared.peak,
        prepared.sources.lane_of,
        prepared.pos,
        [(span.first, span.last) for span in prepared.spans],
        curation,
    )


def explain_prepared(prepared: Prepared, curation: Curation) -> Explanation:
    """An explanation by this curation: all that a slider's move costs."""
    curated = choose(prepared, curation)
    explained = tuple(
        SpanExplanation(
            index=index,
            text=span.text,
            start=span.start,
            end=span.end,
            first=span.first,
            last=span.last,
            sources=tuple(_cited(prepared.sources, choice) for choice in choices),
            votes=_Votes(curated.ballots, prepared.pos, span),
            meter=meter,
            drawn_from_own=meter.own > 0.5,
        )
        for index, (span, choices, meter) in enumerate(
            zip(prepared.spans, curated.chosen, prepared.meters, strict=True)
        )
    )
    return Explanation(prepared.signal, prepared.sources, explained)


def to_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as plain JSON values; the form is stable.

    ``{"format": 1, "signal", "units": [unit], "spans": [span]}``. A unit is ``{"id", "lane",
    "part", "label", "start", "end", "text"}`` as in ``SourceUnit``. A span is ``{"index", "text",
    "start", "end", "first", "last", "sources", "votes", "meter", "drawn_from_own"}``; each of its
    sources ``{"id", "unit", "label", "share", "run", "score"}`` and of its votes ``{"token",
    "pos", "unit", "confidence", "vote"}``, where ``unit`` is an index into ``units`` (−1: none);
    its meter is ``{"lanes": {lane: share}, "instruction", "own", "structure"}``.
    """
    return {
        "format": 1,
        "signal": explanation.signal,
        "units": [vars(unit).copy() for unit in explanation.sources.units],
        "spans": [_span_to_json(span) for span in explanation.spans],
    }


def _span_to_json(span: SpanExplanation) -> dict[str, Any]:
    return {
        "index": span.index,
        "text": span.text,
        "start": span.start,
        "end": span.end,
        "first": span.first,
        "last": span.last,
        "sources": [_cited_to_json(cited) for cited in span.sources],
        "votes": [vote._asdict() for vote in span.votes],
        "meter": asdict(span.meter),
        "drawn_from_own": span.drawn_from_own,
    }


def _cited_to_json(cited: Cited) -> dict[str, Any]:
    return {
        "id": cited.unit.id,
        "unit": cited.index,
        "label": cited.unit.label,
        "share": cited.share,
        "run": cited.run,
        "score": cited.score,
    }


def _cited(sources: Sources, choice: Choice) -> Cited:
    return Cited(choice.unit, sources.units[choice.unit], *choice[1:])


class _Votes(Sequence[Vote]):
    """A span's votes, made when somebody looks: a page shows those of one sentence."""

    def __init__(self, ballots: Sequence[Ballot], pos: Sequence[str], span: Span) -> None:
        self._ballots, self._pos, self._span = ballots, pos, span

    @cached_property
    def _made(self) -> tuple[Vote, ...]:
        tokens = slice(self._span.first, self._span.last)
        names = range(len(self._pos))[tokens], self._pos[tokens]
        rows = (
            map(Vote._make, zip(*names, *(a[tokens].tolist() for a in said), strict=True))
            for said in ((b.unit, b.confidence, b.vote) for b in self._ballots)
        )
        return tuple(vote for votes in zip(*rows, strict=True) for vote in votes)

    def __len__(self) -> int:
        return len(self._ballots) * (self._span.last - self._span.first)

    @overload
    def __getitem__(self, index: int) -> Vote: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Vote, ...]: ...

    def __getitem__(self, index: int | slice) -> Vote | tuple[Vote, ...]:
        return self._made[index]

    def __iter__(self) -> Iterator[Vote]:
        return iter(self._made)


def _meters(prepared: Prepared) -> tuple[Meter, ...]:
    """Where each span's signal went: every token's row sums to 1, then the mean over tokens."""
    timeline = prepared.timeline
    kinds = [timeline.lane == lane for lane in range(len(LANES))]
    kinds += [timeline.part == INSTRUCTION, timeline.part == STRUCTURAL]
    # One product reads the scores once; a sum for each kind would copy them seven times.
    scores = np.asarray(prepared.scores, np.float32)
    sums = scores @ np.stack(kinds, axis=1).astype(np.float32)
    rows = np.column_stack([sums, prepared.own]).astype(np.float64)
    total = rows.sum(axis=1, keepdims=True)
    # A token of which nothing was recorded leaned on nothing that means anything: structure.
    rows = np.where(total > 0, rows / np.where(total > 0, total, 1.0), np.eye(rows.shape[1])[-2])
    used = {LANES[lane] for lane in np.unique(timeline.lane[timeline.lane >= 0])}
    meters = []
    for span in prepared.spans:
        *lanes, instruction, structure, own = rows[span.first : span.last].mean(axis=0).tolist()
        shares = {name: share for name, share in zip(LANES, lanes, strict=True) if name in used}
        meters.append(Meter(shares, instruction, own, structure))
    return tuple(meters)
