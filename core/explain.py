"""Trace + settings → Explanation: pure, in milliseconds, without a model (DESIGN "Flow")."""

from __future__ import annotations

from dataclasses import dataclass


from core.sources import Sources, SourceUnit


@dataclass(frozen=True)
class Cited:
    """A unit selected for a span (rules 4 and 5): ``share`` = p(u), ``run`` = r(u), ``score`` = q(u)."""

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


@dataclass(frozen=True, eq=False)
class Vote:
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
    ``drawn_from_own`` is true when most of the signal fell on the answer's own earlier words.
    """

    index: int
    text: str
    start: int
    end: int
    first: int
    last: int
    sources: tuple[Cited, ...]
    votes: tuple[Vote, ...]
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


