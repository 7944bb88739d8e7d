"""A visitor's trace → the view's value. The browser keeps parts and units; each is sent once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from core.curation import DEFAULT_CURATION
from core.explain import Explanation, explain
from core.segmenters import by_segments
from core.signals.registry import BEST, SIGNALS
from core.trace import Trace, Transcript
from omnitrace_ui.actions.link import address, view_parameters
from omnitrace_ui.actions.settings import BINS, CUSTOM, Settings, preset_of
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import Status, answer_model, parts_model, units_model, view_value
from omnitrace_ui.views.pinned import Side, pinned_model
from omnitrace_ui.views.wire import JSON, clean

_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s)|\n")


def show(visitor: Visitor) -> JSON:
    """The view of the visitor's trace under the visitor's settings, or of none."""
    trace = visitor.trace
    if trace is None:
        return view_value(visitor.status)
    explanation = explain_with(trace, visitor.settings)
    answer = _growing(visitor, explanation) if visitor.running else _whole(visitor, explanation)
    known, cut = visitor.sent
    key = _name(trace, visitor.settings)
    new_trace = known != visitor.trace_key
    visitor.sent = (visitor.trace_key, key)
    return _alongside(visitor, explanation) | view_value(
        visitor.status,
        trace=visitor.trace_key,
        key=key,
        parts=parts_model(trace, _files(trace, visitor.folder)) if new_trace else None,
        units=_units(trace, explanation, visitor.settings) if new_trace or cut != key else None,
        answer=answer,
    )


def _alongside(visitor: Visitor, explanation: Explanation) -> JSON:
    """What is said beside the answer: a check of it, another view, the address."""
    beside, trace, said = visitor.alongside, visitor.trace, {}
    assert trace is not None
    if beside.check is not None and beside.check_of == visitor.trace_key:
        said["check"] = beside.check
    if beside.pinned is not None and not visitor.running:
        shown = side(trace, visitor.settings, explanation)
        said["pinned"] = pinned_model(shown, beside.pinned, visitor.selected)
    return {"address": address(visitor), "selected": visitor.selected, **said}


def side(trace: Trace, settings: Settings, explanation: Explanation | None = None) -> Side:
    """A view to be compared with another, named by what may differ between the two."""
    explanation = explanation or explain_with(trace, settings)
    preset = preset_of(settings.curation)
    named = settings if preset == CUSTOM else replace(settings, curation=DEFAULT_CURATION)
    changed = view_parameters(Visitor(settings=replace(named, signal=None)))
    curated = [] if preset == CUSTOM else [preset]
    curated += [f"{name} {value}" for name, value in changed.items()]
    names = (trace.model.name, short_title(explanation.signal), ", ".join(curated))
    return Side(" · ".join(names), trace, explanation)


def show_whole(
    trace: Trace, settings: Settings, folder: Path | None
) -> tuple[JSON, dict[int, Path]]:
    """A finished trace with every sentence's detail, and the files of its parts."""
    explanation = explain_with(trace, settings)
    answer = answer_model(
        trace,
        explanation,
        settings.curation,
        compared=_compared(trace, explanation, settings),
        whole=True,
    )
    value = view_value(
        Status("done"),
        trace="trace",
        key=_name(trace, settings),
        parts=parts_model(trace, {}),
        units=_units(trace, explanation, settings),
        answer=answer,
    )
    return value, _files(trace, folder)


def explain_with(trace: Trace, settings: Settings) -> Explanation:
    """The explanation under these settings."""
    said, granularity = transcript(trace, settings), settings.granularity
    if settings.segmenter == BINS:
        granularity = replace(granularity, time="bins")
    return explain(
        trace,
        signal=shown_signal(trace, settings),
        curation=settings.curation,
        granularity=granularity if said is None else by_segments(said, granularity),
    )


def transcript(trace: Trace, settings: Settings) -> Transcript | None:
    """What the chosen segmenter found, if there is one and the trace keeps it."""
    return trace.transcripts.get(settings.segmenter or "")


def shown_signal(trace: Trace, settings: Settings) -> str | None:
    """The chosen signal; of a trace that lacks it the best, or its first."""
    wanted = (settings.signal, BEST, *trace.signals)
    return next((name for name in wanted if name in trace.signals), None)


def finished_to(answer: str) -> int:
    """How much of a growing answer stands: up to the end of its last whole sentence."""
    return max((match.end() for match in _SENTENCE_END.finditer(answer)), default=0)


def _whole(visitor: Visitor, explanation: Explanation) -> JSON:
    assert visitor.trace is not None
    settings = visitor.settings
    return answer_model(
        visitor.trace,
        explanation,
        settings.curation,
        selected=visitor.selected,
        compared=_compared(visitor.trace, explanation, settings),
    )


def _compared(
    trace: Trace, explanation: Explanation, settings: Settings
) -> list[tuple[str, Explanation]]:
    """What every recorded signal says under these settings, the shown one first."""
    others = (name for name in trace.signals if name != explanation.signal)
    explained = [explanation, *(explain_with(trace, replace(settings, signal=s)) for s in others)]
    return [(short_title(one.signal), one) for one in explained]


def short_title(signal: str) -> str:
    """A signal's name for people: ``AttMean``."""
    return SIGNALS[signal].title.partition(":")[0] if signal in SIGNALS else signal


def _growing(visitor: Visitor, explanation: Explanation) -> JSON:
    """The sentences that stand, with their sources; what follows them is shown as mere text."""
    trace = visitor.trace
    assert trace is not None
    end = finished_to(trace.answer)
    standing = tuple(span for span in explanation.spans if span.end <= end)
    model = answer_model(
        trace, replace(explanation, spans=standing), visitor.settings.curation, live=True
    )
    for span in model["spans"]:
        span["live"] = False
    model["tail"] = clean(visitor.growing[standing[-1].end if standing else 0 :])
    return model


def _units(trace: Trace, explanation: Explanation, settings: Settings) -> JSON:
    return units_model(trace, explanation.sources, transcript(trace, settings))


def _name(trace: Trace, settings: Settings) -> str:
    """A name for the cut into units."""
    cut = f"{settings.granularity.text}-{settings.granularity.bin_seconds:g}"
    by = settings.segmenter == BINS or transcript(trace, settings) is not None
    return f"{cut}-{settings.segmenter}" if by else cut


def _files(trace: Trace, folder: Path | None) -> dict[int, Path]:
    """The media that may be served: those in the trace's own folder."""
    if folder is None:
        return {}
    inside = folder.resolve()
    return {
        index: part.path
        for index, part in trace.prompt.media
        if part.path.is_file() and part.path.resolve().is_relative_to(inside)
    }
