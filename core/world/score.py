"""An explained answer against the known truth: which sentences are right, and F1 of their sources.

Definitions. Sentences are compared in order and word for word. The F1 of a sentence is that of two
sets: its cited units and its true ones (text, pictures), or the 1-second bins that these touch
(sound and film; section 4.1, "Time-F1"). A bin is touched if the interval overlaps it at all, and
bins of different parts or lanes are different; a cited unit of another kind counts as one wrong
element. Only sentences that the model got right are scored: another sentence rests on something
else. Two empty sets have F1 1, one empty set 0.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.explain import Explanation, SpanExplanation
from core.sources import SourceUnit

LANE_KIND = {
    "text": "text",
    "image": "picture",
    "audio": "speech",
    "video_sound": "speech",
    "video_frames": "film",
}
"""What a sentence is about, by the lane of its first source."""

F1_KIND = {"text": "text", "picture": "image", "speech": "time", "film": "time"}
"""Which F1 a sentence counts for."""


@dataclass(frozen=True)
class Scored:
    """One true sentence: ``kind`` is of ``LANE_KIND`` or ``choice``; ``f1`` is None if wrong."""

    kind: str
    right: bool
    lane: str
    f1: float | None


def score(truth: Sequence[Mapping[str, Any]], explanation: Explanation) -> Iterator[Scored]:
    """Score an answer; ``truth`` is a held-out sample's ``sentences``."""
    for index, sentence in enumerate(truth):
        span = explanation.spans[index] if index < len(explanation.spans) else None
        right = span is not None and span.text == sentence["text"]
        lane = sentence["sources"][0]["lane"]
        about = LANE_KIND[lane]
        kind = "choice" if sentence["text"].startswith("The answer is") else about
        f1 = _sentence_f1(sentence["sources"], span, explanation) if span and right else None
        yield Scored(kind, right, F1_KIND[about], f1)


def f1(predicted: set[Hashable], true: set[Hashable]) -> float:
    """F1 of two sets, 0 to 1."""
    if not predicted and not true:
        return 1.0
    return 2 * len(predicted & true) / (len(predicted) + len(true))


def _sentence_f1(
    sources: Sequence[Mapping[str, Any]], span: SpanExplanation, explanation: Explanation
) -> float:
    cited = {element for one in span.sources for element in _elements(one.unit)}
    timed = F1_KIND[LANE_KIND[sources[0]["lane"]]] == "time"
    if timed:
        true = {element for source in sources for element in _bins(source)}
    else:
        units = explanation.sources.units
        true = {unit.id for unit in units if any(_is_source(unit, s) for s in sources)}
    return f1(cited, true)


def _elements(unit: SourceUnit) -> list[Hashable]:
    return _bins(vars(unit)) if unit.lane not in ("text", "image") else [unit.id]


def _bins(source: Mapping[str, Any]) -> list[Hashable]:
    start, end = source["start"], source["end"]
    # float32 timelines and 40 ms steps: a touch of a thousandth of a second is none.
    seconds = range(math.floor(start + 1e-3), math.ceil(end - 1e-3))
    return [(source["part"], source["lane"], second) for second in seconds]


def _is_source(unit: SourceUnit, source: Mapping[str, Any]) -> bool:
    """A picture as a whole; a text unit if more than half of it is the source."""
    if (unit.part, unit.lane) != (source["part"], source["lane"]):
        return False
    if unit.lane == "image":
        return True
    overlap = min(unit.end, source["end"]) - max(unit.start, source["start"])
    return overlap > (unit.end - unit.start) / 2
