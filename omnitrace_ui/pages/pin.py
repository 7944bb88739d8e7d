"""View B of the panel Compare: the view raises ``pin`` and ``unpin``."""

from __future__ import annotations

import gradio as gr

from omnitrace_ui.actions.messages import told
from omnitrace_ui.actions.pin import pin, unpin
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import AT_ONCE


def wire_pin(visitor: gr.State, view: TraceView) -> None:
    """Let the panel act."""
    view.pin(told(pin), visitor, view, **AT_ONCE)
    view.unpin(told(unpin), visitor, view, **AT_ONCE)
