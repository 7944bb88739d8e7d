"""The model picker: one of those offered or, where the operator allows it, any by its name."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.models import Said, in_memory, load, model_choices
from omnitrace_ui.components.text_line import TextLine
from omnitrace_ui.pages.events import IN_LINE, PRIVATE

_ANY = (
    "Or type a hub id (OWNER/NAME) or the path of a folder. Of these one stays in memory: the one "
    "before makes room."
)


def build_models(site: Site) -> tuple[gr.Dropdown, TextLine]:
    """Build the picker, and the line that says what is in memory, inside the current blocks."""
    engine = site.engine
    choice = gr.Dropdown(
        model_choices(engine),
        value=next(iter(engine.names), None),
        label="Model",
        info=_ANY if engine.takes_any else None,
        allow_custom_value=engine.takes_any,
        interactive=True,
        elem_id="model",
    )
    return choice, TextLine(elem_id="in-memory")


def wire_models(site: Site, choice: gr.Dropdown, line: TextLine, *, page: gr.Blocks) -> None:
    """Let a choice load its model, so that what it lacks is told before Trace is pressed."""

    def chosen(name: str, request: gr.Request) -> Iterator[Said]:
        yield from load(site.engine, name, request.client.host if request.client else "")

    def entered() -> Said:
        return in_memory(site.engine)

    choice.input(chosen, choice, line, **IN_LINE)
    page.load(entered, None, line, queue=False, **PRIVATE)
