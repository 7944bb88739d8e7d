"""An explained answer against the known truth: which sentences are right, and F1 of their sources.

Sentences are compared in order and word for word. The F1 of a sentence is that of
``core.evaluation.metrics``, over all its elements: a cited unit of another kind counts as one wrong
element. Only sentences that the model got right are scored: another sentence rests on something
else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.evaluation.metrics import agreement, cited_elements, labelled_elements
from core.evaluation.truth import located
from core.explain import Explanation, SpanExplanation

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


def _sentence_f1(
    sources: Sequence[Mapping[str, Any]], span: SpanExplanation, explanation: Explanation
) -> float:
    units = explanation.sources.units
    true = labelled_elements(*located(sources, units), units)
    return agreement(cited_elements(cited.unit for cited in span.sources), true).f1
