"""TraceView: answer, sources and why in one component (contract: ``omnitrace_ui.views``).

The template is static and every string reaches the page by ``textContent``: gradio evaluates
templates, so nothing that a model or a person wrote may enter one.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from omnitrace_ui.components.assets import script, style, template
from omnitrace_ui.views import Status, view_value

STYLES = ("lanes", "trace_view", "check", "pinned")
SCRIPTS = (
    "dom",
    "lanes",
    "timeline",
    "transcript",
    "answer",
    "sources",
    "ranking",
    "why",
    "compare",
    "pinned",
    "check",
    "trace_view",
)


class TraceView(gr.HTML):
    """Shows a trace. Its value is ``views.view_value``'s; ``None`` is the empty state.

    Events: ``select`` (``gr.SelectData``: ``index`` is the sentence or −1, ``value`` its text) and
    ``resend`` (``gr.EventData`` with ``trace`` and ``key``: answer with a value that has ``parts``
    and ``units``), ``check`` (``{"span", "chosen", "way"}``, see ``views.check``),
    ``uncheck``, ``pin`` and ``unpin``. Listen with ``trigger_mode="multiple"``: of events that
    overlap, the other modes drop the later ones or hand on the first one's data.
    """

    def __init__(
        self,
        value: dict[str, Any] | None = None,
        *,
        elem_id: str | None = None,
        visible: bool = True,
        render: bool = True,
    ) -> None:
        super().__init__(
            value=value,
            html_template=template("trace_view"),
            css_template=style(*STYLES),
            js_on_load=script(*SCRIPTS),
            apply_default_css=False,
            elem_id=elem_id,
            visible=visible,
            render=render,
        )

    def postprocess(self, value: dict[str, Any] | None) -> dict[str, Any]:
        """The value as it is: views make it, from paths that the server chose."""
        return view_value(Status()) if value is None else value

    def preprocess(self, payload: object) -> None:
        """Nothing: what is shown is no input, and a browser may send anything."""
        return None

    def api_info(self) -> dict[str, Any]:
        """A JSON object, see ``omnitrace_ui.views``."""
        return {"type": "object", "description": "view of a trace, see omnitrace_ui.views"}
