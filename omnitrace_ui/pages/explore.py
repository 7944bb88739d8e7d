"""The Explore page: give something, watch the answer grow, see what each sentence leans on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.messages import told
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.check import wire_check
from omnitrace_ui.pages.curation import build_curation, wire_curation
from omnitrace_ui.pages.events import AT_ONCE
from omnitrace_ui.pages.form import build_form, wire_form
from omnitrace_ui.pages.models import wire_models
from omnitrace_ui.pages.pin import wire_pin
from omnitrace_ui.pages.share import build_share, wire_link, wire_share
from omnitrace_ui.pages.shelf import build_opening, build_saving, wire_shelf
from omnitrace_ui.pages.sound import wire_sound
from omnitrace_ui.session import Visitor


def explore_page(
    site: Site, visitor: gr.State, *, signals: Mapping[str, str], page: gr.Blocks
) -> None:
    """Build the page inside ``page``.

    Args:
        site: models, files, examples.
        visitor: holds the ``Visitor``.
        signals: name → title of each signal that can be recorded.
        page: the app that is being built.
    """
    with gr.Row(elem_id="explore", equal_height=False):
        with gr.Column(scale=3, min_width=340, elem_id="ask"), gr.Tabs():
            with gr.Tab("Prompt"):
                form = build_form(site, signals)
            with gr.Tab("Curation"):
                curation = build_curation(site.segmenters)
            with gr.Tab("Save and open"):
                saving = build_saving()
                share = build_share()
                opening = build_opening(site)
        with gr.Column(scale=8, min_width=340, elem_id="see"):
            view = TraceView(elem_id="view")
    actions = Explore(site)
    signal = curation.controls["signal"]
    traced = wire_form(actions, visitor, form, view=view, signal=signal)
    wire_curation(actions, visitor, curation, view=view)
    wire_models(site, form.model, form.in_memory, page=page)
    wire_sound(actions, visitor, curation.segmenter, view=view, after=traced)
    opened = wire_shelf(
        actions,
        visitor,
        saving,
        opening,
        view=view,
        signal=signal,
        segmenter=curation.segmenter,
        page=page,
    )
    _wire_view(actions, visitor, view)
    wire_check(site, visitor, view)
    wire_pin(visitor, view)
    wire_link(visitor, curation, opened)
    wire_share(actions, visitor, share)

    def leave(request: gr.Request) -> None:
        site.store.close(request.session_hash)

    page.unload(leave)


def _wire_view(actions: Explore, visitor: gr.State, view: TraceView) -> None:
    def select(mine: Visitor, event: gr.SelectData) -> Any:
        shown = actions.select(mine, int(event.index))
        return gr.skip() if mine.running else shown

    view.select(told(select), visitor, view, **AT_ONCE)
    view.resend(told(actions.resend), visitor, view, **AT_ONCE)
