"""PartsBuilder: the prompt's parts in order (contract: ``omnitrace_ui.views``)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from core.errors import InputError
from omnitrace_ui.components.assets import script, style, template
from omnitrace_ui.views import GivenPart, form_value, read_form
from omnitrace_ui.views.wire import clean

_SCRIPTS = ("dom", "lanes", "upload", "part_row", "parts_builder")


def part_errors(messages: Mapping[str, str]) -> dict[str, Any]:
    """An update that shows a message beside each part, by its id, and clears all others.

    It is a property of its own: a new value would overwrite what was typed in the meantime.
    """
    by_part = {part: clean(message) for part, message in messages.items()}
    # The number makes the same message news, after the person had it dismissed by typing.
    return gr.update(errors={"by_part": by_part, "number": secrets.token_hex(4)})


class PartsBuilder(gr.HTML):
    """An ordered list of texts and files. In and out of Python it is a list of ``GivenPart``.

    ``errors`` is what ``part_errors`` updates.

    Events: ``change`` after a part was added, moved, removed or uploaded, or a text was left.
    """

    def __init__(
        self,
        value: Sequence[GivenPart] | None = None,
        *,
        elem_id: str | None = None,
        visible: bool = True,
        render: bool = True,
        errors: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            value=value,
            html_template=template("parts_builder"),
            css_template=style("lanes", "parts_builder"),
            js_on_load=script(*_SCRIPTS),
            apply_default_css=False,
            elem_id=elem_id,
            errors=dict(errors or {}),
            visible=visible,
            render=render,
        )

    def preprocess(self, payload: object) -> list[GivenPart]:
        """The browser's list, checked against the schema.

        Raises:
            gr.Error: it is not what the form sends, or a file is still being uploaded.
        """
        try:
            return read_form([] if payload is None else payload)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def postprocess(self, value: Sequence[GivenPart] | None) -> list[dict[str, Any]]:
        """Parts, to fill the form with."""
        return form_value(value or ())

    def api_info(self) -> dict[str, Any]:
        """A JSON list of parts, see ``omnitrace_ui.views``."""
        return {
            "type": "array",
            "items": {"type": "object"},
            "description": "parts in order, see omnitrace_ui.views",
        }
