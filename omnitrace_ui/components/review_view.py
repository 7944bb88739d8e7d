"""ReviewView: the door, the desk and the lead's page (contract: ``omnitrace_ui.views.review``).

Its value is nothing: it asks the server itself (``omnitrace_ui.review_routes``), because only the
answer to a request tells what is saved, and only a session may see anything.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from omnitrace_ui.components.assets import script, style, template
from omnitrace_ui.components.trace_view import SCRIPTS, STYLES

_STYLES = (*STYLES, "review")
_SCRIPTS = (
    # All that TraceView draws with, but not what starts it.
    *(name for name in SCRIPTS if name != "trace_view"),
    "review_api",
    "review_outbox",
    "review_verdict",
    "review_time",
    "review_sources",
    "review_answer",
    "review_keys",
    "review_door",
    "review_lead",
    "review",
    "review_acts",
)


class ReviewView(gr.HTML):
    """The whole Review page. No value, no events."""

    def __init__(
        self,
        value: None = None,
        *,
        elem_id: str | None = None,
        visible: bool = True,
        render: bool = True,
    ) -> None:
        super().__init__(
            value=value,
            html_template=template("review"),
            css_template=style(*_STYLES),
            js_on_load=script(*_SCRIPTS),
            apply_default_css=False,
            elem_id=elem_id,
            visible=visible,
            render=render,
        )

    def preprocess(self, payload: object) -> None:
        """Nothing: a browser may send anything."""
        return None

    def postprocess(self, value: object) -> None:
        """Nothing: see the module."""
        return None

    def api_info(self) -> dict[str, Any]:
        """Nothing goes in or out."""
        return {"type": "null", "description": "see omnitrace_ui.views.review"}
