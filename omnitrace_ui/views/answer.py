"""The answer's spans with what they cite (rules 4 and 5), for the middle of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from core.curation import Curation
from core.explain import Explanation, Meter, SpanExplanation
from core.timeline import LANES
from core.trace import Trace
from omnitrace_ui.views.compare import compare_model
from omnitrace_ui.views.intensity import intensity_model
from omnitrace_ui.views.why import why_model
from omnitrace_ui.views.wire import JSON, clean, rounded

WHY_TOKENS = 256
"""Up to so many generated tokens, every span's votes are sent at once (≈ 20 KB)."""

ASKED = 300
"""Characters of the instruction that stand above the answer."""


def answer_model(
    trace: Trace,
    explanation: Explanation,
    curation: Curation,
    *,
    live: bool = False,
    selected: int | None = None,
    compared: Sequence[tuple[str, Explanation]] = (),
    whole: bool = False,
) -> JSON:
    """The answer; see the contract in ``omnitrace_ui.views``.

    Args:
        trace: for the answer's text.
        explanation: of that trace.
        curation: the settings that it was made with.
        live: still streaming: the last span is unfinished, and no votes are sent.
        selected: the span that the person selected: only it brings ``where`` and ``compare``, and
            of a long answer only its votes are sent.
        compared: title → explanation of every recorded signal, the shown one first.
        whole: every span brings all of its detail: nobody can be asked for it later.
    """
    spans, at = [], 0
    votes = whole or len(trace.tokens) <= WHY_TOKENS
    for span in explanation.spans:
        model = _span(span, before=trace.answer[at : span.start])
        model["live"] = live and span is explanation.spans[-1]
        if not live and (votes or span.index == selected):
            model["why"] = why_model(trace, explanation, span, curation)
        if not live and (whole or span.index == selected):
            model["where"] = intensity_model(trace, explanation.signal, span)
            if len(compared) > 1:
                model["compare"] = compare_model(compared, span.index)
        spans.append(model)
        at = span.end
    return {
        "spans": spans,
        "tail": clean(trace.answer[at:]),
        "stopped": trace.stopped,
        "given": trace.given,
        "asked": clean(trace.prompt.instruction)[:ASKED],
        "rules": {"signal": explanation.signal, **_rules(curation)},
    }


def _rules(curation: Curation) -> JSON:
    names = ("coverage", "min_share", "min_run", "alpha", "gamma", "assignment", "lanes")
    return {name: getattr(curation, name) for name in names}


def _span(span: SpanExplanation, *, before: str) -> JSON:
    lane, strength = _main_lane(span)
    return {
        "id": span.index,
        "before": clean(before),
        "text": clean(span.text),
        "own": span.drawn_from_own,
        "lane": lane,
        "strength": rounded(strength, 3),
        "cites": [[c.index, *map(rounded, (c.share, c.run, c.score))] for c in span.sources],
        "meter": meter_model(span.meter),
    }


def _main_lane(span: SpanExplanation) -> tuple[str | None, float]:
    """The lane whose selected units hold most of the votes; of equals the best ranked."""
    held: defaultdict[str, float] = defaultdict(float)
    for cited in span.sources:
        held[cited.unit.lane] += cited.share
    lane = max(held, key=held.__getitem__, default=None)
    return lane, min(1.0, held[lane]) if lane else 0.0


def meter_model(meter: Meter) -> list[list]:
    """``[name, share]``: lanes in their order, then what is never a source."""
    lanes = [[lane, rounded(meter.lanes[lane])] for lane in LANES if lane in meter.lanes]
    rest = ("instruction", "own", "structure")
    return lanes + [[name, rounded(getattr(meter, name))] for name in rest]
