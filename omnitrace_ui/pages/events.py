"""How the page listens: the options that its events share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from core.signals.registry import SIGNALS
from omnitrace_ui.actions.present import shown_signal
from omnitrace_ui.actions.sound import NATURAL, Segmenters
from omnitrace_ui.session import Visitor

Updates = dict[gr.components.Component, Any]
"""Component → its new value or properties; components that are not named stay as they are."""

PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Every event of the page: gradio's progress would cover what is shown, and nothing is an API."""

AT_ONCE: dict[str, Any] = {**PRIVATE, "queue": False, "trigger_mode": "always_last"}
"""What must never wait behind a generation; of a quick series the last one counts."""

IN_LINE: dict[str, Any] = {**PRIVATE, "concurrency_id": "line", "concurrency_limit": None}
"""What uses the model: it begins at once, and waits in the engine's line, which says how long."""


def gone() -> Callable[[], bool]:
    """Whether the browser that asked for the running event has hung up, to be asked at any time.

    Gradio notices at once, but closes a generator only when that next yields. A broken heartbeat
    says less: proxies cut long connections while the page is still read.
    """
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    event = blocks._queue.event_ids_to_events.get(event_id) if blocks and event_id else None
    return lambda: event is not None and not event.alive


def signal_choice(visitor: Visitor) -> Any:
    """The signals of the visitor's trace to choose from, as an update of a dropdown."""
    recorded = visitor.trace.signals if visitor.trace else ()
    value = shown_signal(visitor.trace, visitor.settings) if visitor.trace else None
    titled = [(SIGNALS[name].title if name in SIGNALS else name, name) for name in recorded]
    return gr.update(choices=titled, value=value, interactive=bool(recorded))


def segmenter_choice(segmenters: Segmenters, visitor: Visitor) -> Any:
    """What the time of the visitor's trace can be cut by, as an update of a dropdown."""
    choices = segmenters.choices(visitor.trace)
    return gr.update(choices=choices, value=visitor.settings.segmenter or NATURAL)
