"""How sound is cut: the segmenters that this server offers, and a trace cut by one of them.

Nothing is generated anew: what a segmenter finds is kept in the trace, and goes with its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.errors import InputError
from core.media import Limits
from core.prompt import ImagePart
from core.segmenters import SEGMENTERS, Segmenter, load_segmenter, segmenter_name, transcribed
from core.trace import Trace
from omnitrace_ui.actions.generate import settled
from omnitrace_ui.actions.messages import message
from omnitrace_ui.actions.present import show
from omnitrace_ui.actions.settings import BINS
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import Status
from omnitrace_ui.views.wire import JSON, clean

NATURAL = "natural"
"""The choice of no segmenter: time is cut where it divides by itself (``core.natural``)."""

OFFLINE = ("whisper", "paraformer")
"""Offered by default: nothing leaves this machine, and only weights that lie here are used."""


class Segmenters:
    """Those that visitors may choose. Which weights they use is the operator's to say.

    Args:
        specs: as ``load_segmenter`` takes them, e.g. ``whisper:small``.

    Raises:
        InputError: one is unknown.
    """

    def __init__(self, specs: Sequence[str] = OFFLINE) -> None:
        for spec in specs:
            if spec.partition(":")[0] not in SEGMENTERS:
                raise InputError(f"No segmenter {spec!r}. Known: {', '.join(SEGMENTERS)}.")
        self._specs = {segmenter_name(spec): spec for spec in specs}

    def choices(self, trace: Trace | None) -> list[tuple[str, str]]:
        """``(title, name)``: without a segmenter, those offered, and what else the trace keeps."""
        kept = () if trace is None else trace.transcripts
        # A file may hold names that are no text, which could not be sent.
        others = [(f"{title(n)} · kept in this trace", n) for n in kept if n == clean(n)]
        return [
            ("Speech between pauses, shots of films", NATURAL),
            ("Fixed bins", BINS),
            *((title(name), name) for name in self._specs),
            *(choice for choice in others if choice[1] not in self._specs),
        ]

    def offers(self, name: str) -> bool:
        """Whether a segmenter is among them."""
        return name in self._specs

    def load(self, name: str) -> Segmenter:
        """One of those offered.

        Raises:
            OmniTraceError: it lacks a package, weights or a key; says which.
        """
        return load_segmenter(self._specs[name])


def title(name: str) -> str:
    """A segmenter's name for people: ``Whisper · words · small``."""
    base, _, model = name.partition(":")
    known = SEGMENTERS[base].title if base in SEGMENTERS else base
    return f"{known} · {model}" if model else known


def cut(visitor: Visitor, name: str, segmenters: Segmenters, limits: Limits) -> Iterator[JSON]:
    """Cut the sound of the visitor's trace by a segmenter; yields views; never raises.

    While an answer is written the choice is only noted: call it again when it is done. Of a
    segmenter that cannot be used the view says why, and the cut stays as it was. One that is
    neither offered nor kept in the trace means none.
    """
    before, trace = visitor.settings, visitor.trace
    kept = trace is not None and name in trace.transcripts
    usable = kept or segmenters.offers(name)
    visitor.settings = replace(before, segmenter=name if usable or name == BINS else None)
    if visitor.running:
        return
    try:
        if usable and not kept:
            yield from _segmented(visitor, trace, name, segmenters, limits)
        status = settled(visitor)
    except Exception as error:
        visitor.settings = replace(visitor.settings, segmenter=before.segmenter)
        status = Status("error", message(error))
    if not visitor.running:
        visitor.status = status
        yield show(visitor)


def _segmented(
    visitor: Visitor, trace: Trace | None, name: str, segmenters: Segmenters, limits: Limits
) -> Iterator[JSON]:
    """Before there is a trace, a segmenter is loaded only to tell what it lacks."""
    if trace is not None and not _has_sound(trace):
        return
    yield _busy(visitor, f"Loading: {title(name)}")
    segmenter = segmenters.load(name)
    if trace is not None:
        yield _busy(visitor, f"Cutting the sound: {title(name)}")
        _keep(visitor, trace, transcribed(trace, segmenter, limits=limits))


def _keep(visitor: Visitor, trace: Trace, cut: Trace) -> None:
    """Take the trace with its transcript, unless another took its place in the meantime."""
    if visitor.trace is trace:
        visitor.trace = cut


def _busy(visitor: Visitor, text: str) -> JSON:
    visitor.status = Status("busy", text)
    return show(visitor)


def _has_sound(trace: Trace) -> bool:
    return any(not isinstance(part, ImagePart) for _, part in trace.prompt.media)
