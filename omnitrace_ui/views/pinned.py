"""Two views side by side: the one that is shown (A) and one that was pinned (B).

::

    pinned = {"a": str, "b": str,              # what each is: model, signal, settings
              "problem": str,                  # why they cannot be compared; then nothing follows
              "whole": str,                    # of the whole answers, in words
              "text": str | null,              # B's sentence, where its words are others
              "rows_a": [row, …], "rows_b": [row, …]}        # of the selected sentence
    row    = [unit | −1, lane, label, share, mark]           # unit: A's, to be looked up
    mark   = "both" | "near" (the other cites something that overlaps) | "only"

Two views may cut the prompt differently, so units are the same where their places are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from core.explain import Cited, Explanation, SpanExplanation
from core.prompt import Prompt, TextPart
from core.sources import SourceUnit
from core.trace import Trace
from omnitrace_ui.views.wire import JSON, clean, rounded

ALIKE = 0.5
"""Least likeness (difflib's ratio) of two sentences that say the same in other words."""


@dataclass(frozen=True)
class Side:
    """One of the two: a trace, how it is explained, and what to call that."""

    name: str
    trace: Trace
    explanation: Explanation


def pinned_model(a: Side, b: Side, selected: int | None) -> JSON:
    """What B says of the sentence that is selected in A, and of the whole answer."""
    model = {"a": clean(a.name), "b": clean(b.name), "problem": "", "whole": "", "text": None}
    model |= {"rows_a": [], "rows_b": []}
    if not same_prompt(a.trace.prompt, b.trace.prompt):
        return model | {"problem": "B is of another prompt: open a trace of the same one."}
    model["whole"] = _whole(a.explanation, b.explanation)
    if selected is None or selected >= len(a.explanation.spans):
        return model
    here = a.explanation.spans[selected]
    there = counterpart(here, b.explanation.spans)
    if there is None:
        model["text"] = ""
    elif there.text.strip() != here.text.strip():
        model["text"] = clean(there.text.strip())
    others = there.sources if there else ()
    index = {_place(unit): at for at, unit in enumerate(a.explanation.sources.units)}
    model["rows_a"] = [_row(cited, others, index) for cited in here.sources]
    model["rows_b"] = [_row(cited, here.sources, index) for cited in others]
    return model


def same_prompt(one: Prompt, other: Prompt) -> bool:
    """Whether two prompts say the same; media are told apart by kind and name."""

    def said(prompt: Prompt) -> list[tuple[str, str]]:
        named = [(p.kind, p.text if isinstance(p, TextPart) else p.name) for p in prompt.parts]
        return [("instruction", prompt.instruction), *named]

    return said(one) == said(other)


def counterpart(span: SpanExplanation, others: Sequence[SpanExplanation]) -> SpanExplanation | None:
    """The sentence of another answer that says the same; of equals the one at the same place."""

    def likeness(other: SpanExplanation) -> tuple[float, int]:
        ratio = SequenceMatcher(None, span.text, other.text, autojunk=False).ratio()
        return ratio, -abs(other.index - span.index)

    # Mostly the answers are one, and likeness is slow to work out.
    if span.index < len(others) and others[span.index].text == span.text:
        return others[span.index]
    best = max(others, key=likeness, default=None)
    return best if best is not None and likeness(best)[0] >= ALIKE else None


def _row(cited: Cited, others: Sequence[Cited], index: dict[tuple, int]) -> list:
    unit, places = cited.unit, {_place(other.unit) for other in others}
    near = any(_overlap(unit, other.unit) for other in others)
    mark = "both" if _place(unit) in places else "near" if near else "only"
    at = index.get(_place(unit), -1)
    return [at, unit.lane, clean(unit.label), rounded(cited.share), mark]


def _place(unit: SourceUnit) -> tuple:
    return unit.lane, unit.part, unit.start, unit.end


def _overlap(one: SourceUnit, other: SourceUnit) -> bool:
    if (one.lane, one.part) != (other.lane, other.part):
        return False
    ends = (one.start, one.end, other.start, other.end)
    if any(end is None for end in ends):
        return True
    return max(ends[0], ends[2]) < min(ends[1], ends[3])  # type: ignore[type-var]


def _whole(a: Explanation, b: Explanation) -> str:
    used_a, used_b = _used(a), _used(b)
    both = len(used_a & used_b)
    return (
        f"Whole answers: {both} source{'s' * (both != 1)} in both, {len(used_a - used_b)} only in "
        f"A, {len(used_b - used_a)} only in B; {len(a.spans)} and {len(b.spans)} sentences."
    )


def _used(explanation: Explanation) -> set[tuple]:
    return {_place(cited.unit) for span in explanation.spans for cited in span.sources}
