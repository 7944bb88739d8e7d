"""The panel Check: what the view asks for waits in the line of the generations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from omnitrace_ui.actions.check import Checker
from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.messages import told
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import AT_ONCE, IN_LINE, PRIVATE
from omnitrace_ui.session import Visitor


def wire_check(site: Site, visitor: gr.State, view: TraceView) -> None:
    """Let the panel act: the view raises ``check`` and ``uncheck``."""
    checker = Checker(site.engine)

    def wait(mine: Visitor, event: gr.EventData) -> Any:
        return checker.wait(mine, event._data)

    asked = view.check(told(wait), visitor, view, queue=False, trigger_mode="multiple", **PRIVATE)

    def run(mine: Visitor, request: gr.Request) -> Iterator[Any]:
        yield from checker.run(mine, request.client.host if request.client else "")

    checked = asked.success(run, visitor, view, **IN_LINE)
    checked.failure(checker.give_up, visitor, view, queue=False, **PRIVATE)
    view.uncheck(told(checker.stop), visitor, view, **AT_ONCE)
