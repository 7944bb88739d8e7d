"""The choice of how sound is cut: at once where the trace keeps it, else a segmenter listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from omnitrace_ui.actions.explore import Explore
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import PRIVATE, Updates, segmenter_choice
from omnitrace_ui.session import Visitor

_LISTENING: dict[str, Any] = {**PRIVATE, "concurrency_id": "sound", "concurrency_limit": 1}
"""Recognisers are heavy: one listens at a time."""


def wire_sound(
    actions: Explore,
    visitor: gr.State,
    segmenter: gr.Dropdown,
    *,
    view: TraceView,
    after: gr.events.Dependency,
) -> None:
    """Let the choice act; ``after``: what ends with every answer, whose sound is then cut."""

    def cut(mine: Visitor, name: str) -> Iterator[Updates]:
        for shown in actions.cut(mine, name):
            yield {view: shown, segmenter: choice(mine)}

    def recut(mine: Visitor) -> Iterator[Updates]:
        yield {segmenter: choice(mine)}
        for shown in actions.recut(mine):
            yield {view: shown, segmenter: choice(mine)}

    def choice(mine: Visitor) -> Any:
        return segmenter_choice(actions.site.segmenters, mine)

    segmenter.input(
        cut, [visitor, segmenter], [view, segmenter], trigger_mode="always_last", **_LISTENING
    )
    after.success(recut, visitor, [view, segmenter], **_LISTENING)
