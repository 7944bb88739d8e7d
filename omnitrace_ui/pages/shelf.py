"""Save and open: trace files and explanations out, trace files in."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.keep import save_explanation, save_page, save_trace
from omnitrace_ui.actions.library import SUFFIX
from omnitrace_ui.actions.messages import told
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import PRIVATE, Updates, segmenter_choice, signal_choice
from omnitrace_ui.pages.offer import offer
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.wire import JSON


@dataclass(frozen=True)
class Saving:
    """The components; ``download`` is never seen, it only carries a file to the browser."""

    save: gr.Button
    export: gr.Button
    page: gr.Button
    download: gr.DownloadButton


@dataclass(frozen=True)
class Opening:
    """The components."""

    upload: gr.File
    saved: gr.Dropdown


def build_saving() -> Saving:
    """Build what is taken away inside the current ``gr.Blocks``."""
    gr.Markdown(
        "A saved trace holds the prompt with its media, the answer and all scores. It opens on "
        "any machine, without the model."
    )
    save = gr.Button("Save this trace", variant="primary", elem_id="save")
    gr.Markdown("Or the explanation alone, as")
    with gr.Row():
        page = gr.Button("Web page", elem_id="export-page", min_width=120)
        export = gr.Button("JSON", elem_id="export", min_width=120)
    return Saving(save, export, page, gr.DownloadButton(visible="hidden", elem_id="download"))


def build_opening(site: Site) -> Opening:
    """Build what opens a trace inside the current ``gr.Blocks``."""
    upload = gr.File(
        label=f"Open a trace: drop a {SUFFIX} file here",
        file_types=[SUFFIX],
        height=110,
        elem_id="upload",
    )
    names = [name for name, _ in site.library.traces]
    saved = gr.Dropdown(
        names, value=None, label="Or open one of ours", visible=bool(names), elem_id="saved"
    )
    return Opening(upload, saved)


def wire_shelf(
    actions: Explore,
    visitor: gr.State,
    saving: Saving,
    opening: Opening,
    *,
    view: TraceView,
    signal: gr.Dropdown,
    segmenter: gr.Dropdown,
    page: gr.Blocks,
) -> tuple[gr.events.Dependency, ...]:
    """Let them act, and open what the page's address asks for.

    Returns everything that opens a trace, which may bring settings of its own.
    """
    store = actions.site.store

    def save(mine: Visitor) -> str:
        return str(save_trace(mine, store))

    def export(mine: Visitor) -> str:
        return str(save_explanation(mine, store))

    def export_page(mine: Visitor) -> str:
        return str(save_page(mine, store))

    def shown(mine: Visitor, value: JSON) -> Updates:
        return {
            view: value,
            visitor: mine,
            signal: signal_choice(mine),
            segmenter: segmenter_choice(actions.site.segmenters, mine),
        }

    def open_upload(mine: Visitor, path: str) -> Updates:
        return {**shown(mine, actions.open_upload(mine, path)), opening.upload: None}

    def open_saved(mine: Visitor, name: str) -> Updates:
        return shown(mine, actions.open_saved(mine, name))

    def enter(mine: Visitor, request: gr.Request) -> Updates:
        store.arrive(request.session_hash, mine)
        return shown(mine, actions.enter(mine, dict(request.query_params)))

    for button, make in ((saving.save, save), (saving.export, export), (saving.page, export_page)):
        offer(button, make, [visitor], saving.download)
    outputs = [view, visitor, signal, segmenter]
    upload = opening.upload
    uploaded = upload.upload(told(open_upload), [visitor, upload], [*outputs, upload], **PRIVATE)
    chosen = opening.saved.input(told(open_saved), [visitor, opening.saved], outputs, **PRIVATE)
    return uploaded, chosen, page.load(told(enter), visitor, outputs, **PRIVATE)
