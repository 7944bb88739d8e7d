"""Settings and selection ↔ the parameters of a link; a saved trace keeps the same parameters.

A link names a trace of the server's gallery: ``?trace=conversation&sentence=2&signal=attmean``.
Only what differs from the defaults is in it. Anybody can write anything into an address: what is
not known, out of range or too long counts as not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from core.errors import InputError
from core.spans import spans
from core.trace import Trace
from omnitrace_ui.actions.settings import (
    BINS,
    POS_CLASSES,
    Settings,
    curation_values,
    read_settings,
)
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.wire import JSON

TRACE, SENTENCE, CUT = "trace", "sentence", "cut"
_LONGEST = 200
_DIGITS = 7
_MOST = dict.fromkeys(POS_CLASSES, 1.0) | {"gamma": 5.0}
"""As far as the sliders go, where curation itself would allow more."""


def view_parameters(visitor: Visitor) -> dict[str, str]:
    """The visitor's settings and selection."""
    settings, defaults = _values(visitor.settings), _values(Settings())
    found = {name: _text(v) for name, v in settings.items() if v != defaults[name]}
    if visitor.settings.segmenter is not None:
        found[CUT] = visitor.settings.segmenter
    if visitor.selected is not None:
        found[SENTENCE] = str(visitor.selected + 1)
    return found


def address(visitor: Visitor) -> str:
    """The query of the page's address: a link where the trace is the gallery's."""
    beside, parameters = visitor.alongside, view_parameters(visitor)
    if beside.gallery and beside.gallery_of == visitor.trace_key:
        parameters = {TRACE: beside.gallery, **parameters}
    else:
        # Of no use to anybody else, but a reload keeps the settings.
        parameters.pop(SENTENCE, None)
    return urlencode(parameters)


def take_view(visitor: Visitor, parameters: Mapping[str, str]) -> None:
    """Take over settings and selection, as far as they make sense."""
    kept = () if visitor.trace is None else tuple(visitor.trace.transcripts)
    by = parameters.get(CUT)
    visitor.settings = replace(
        settings_of(parameters), segmenter=by if by in (BINS, *kept) else None
    )
    visitor.selected = None
    sentence = parameters.get(SENTENCE, "")
    plain = isinstance(sentence, str) and sentence.isascii() and sentence.isdigit()
    if visitor.trace is not None and plain and len(sentence) < _DIGITS:
        count = len(spans(visitor.trace.answer, visitor.trace.tokens))
        visitor.selected = int(sentence) - 1 if 1 <= int(sentence) <= count else None


def settings_of(parameters: Mapping[str, str]) -> Settings:
    """The settings that parameters name; the others are the defaults."""
    settings, values = Settings(), _values(Settings())
    for name, default in values.copy().items():
        given = parameters.get(name)
        value = _read(name, default, given) if isinstance(given, str) else None
        if value is None:
            continue
        try:
            settings = read_settings({**values, name: value})
        except InputError:
            continue
        values[name] = value
    return settings


def with_view(trace: Trace, visitor: Visitor) -> Trace:
    """The trace as it is saved: it opens with what is selected and set now."""
    return replace(trace, view=view_parameters(visitor))


def _values(settings: Settings) -> JSON:
    return {
        "signal": settings.signal or "",
        **curation_values(settings.curation),
        "text_units": settings.granularity.text,
        "bin_seconds": settings.granularity.bin_seconds,
    }


def _read(name: str, default: object, given: str) -> str | float | None:
    if len(given) > _LONGEST:
        return None
    if isinstance(default, str):
        return given
    try:
        number = float(given)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= _MOST.get(name, number) else None


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
