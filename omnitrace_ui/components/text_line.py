"""TextLine: a line of plain text that a screen reader announces when it changes.

It reaches the page by ``textContent``: names of models and files are untrusted.
"""

from __future__ import annotations

import gradio as gr

from omnitrace_ui.components.assets import script
from omnitrace_ui.views.wire import clean

_TEMPLATE = '<p role="status"><span></span> <span aria-hidden="true"></span></p>'


class TextLine(gr.HTML):
    """Shows a text and, more quietly, a note that changes too often to be read out."""

    def __init__(self, *, elem_id: str | None = None, render: bool = True) -> None:
        super().__init__(
            value=["", ""],
            html_template=_TEMPLATE,
            js_on_load=script("text_line"),
            apply_default_css=False,
            elem_id=elem_id,
            render=render,
        )

    def postprocess(self, value: tuple[str, str]) -> list[str]:
        """Text and note."""
        return [clean(part) for part in value]

    def preprocess(self, payload: object) -> None:
        """Nothing: it is no input."""
        return None
