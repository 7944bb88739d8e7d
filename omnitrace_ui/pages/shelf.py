"""Save and open: trace files and explanations out, trace files in."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.keep import save_explanation, save_page, save_trace
from omnitrace_ui.actions.library import SUFFIX
from omnitrace_ui.actions.messages import told
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import PRIVATE, Updates, signal_choice
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.wire import JSON

DOWNLOAD = """(file) => {
  if (!file?.url) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name ?? "";
  link.click();
}"""
"""The file is made when asked for; gradio's own button would need it beforehand."""


@dataclass(frozen=True)
class Shelf:
    """The components; ``download`` is never seen, it only carries a file to the browser."""

    save: gr.Button
    export: gr.Button
    page: gr.Button
    download: gr.DownloadButton
    upload: gr.File
    saved: gr.Dropdown


def build_shelf(site: Site) -> Shelf:
    """Build the shelf inside the current ``gr.Blocks``."""
    gr.Markdown(
        "A saved trace holds the prompt with its media, the answer and all scores. It opens on "
        "any machine, without the model."
    )
    save = gr.Button("Save this trace", variant="primary", elem_id="save")
    export = gr.Button("Download the explanation as JSON", elem_id="export")
    page = gr.Button("Download as a web page", elem_id="export-page")
    upload = gr.File(
        label=f"Open a trace: drop a {SUFFIX} file here",
        file_types=[SUFFIX],
        height=140,
        elem_id="upload",
    )
    names = [name for name, _ in site.library.traces]
    saved = gr.Dropdown(
        names, value=None, label="Or open one of ours", visible=bool(names), elem_id="saved"
    )
    download = gr.DownloadButton(visible="hidden", elem_id="download")
    return Shelf(save, export, page, download, upload, saved)


def wire_shelf(
    actions: Explore,
    visitor: gr.State,
    shelf: Shelf,
    *,
    view: TraceView,
    signal: gr.Dropdown,
    page: gr.Blocks,
) -> None:
    """Let the shelf act, and open what the page's address asks for."""
    store = actions.site.store

    def save(mine: Visitor) -> str:
        return str(save_trace(mine, store))

    def export(mine: Visitor) -> str:
        return str(save_explanation(mine, store))

    def export_page(mine: Visitor) -> str:
        return str(save_page(mine, store))

    def shown(mine: Visitor, value: JSON) -> Updates:
        return {view: value, visitor: mine, signal: signal_choice(mine)}

    def open_upload(mine: Visitor, path: str) -> Updates:
        return {**shown(mine, actions.open_upload(mine, path)), shelf.upload: None}

    def open_saved(mine: Visitor, name: str) -> Updates:
        return shown(mine, actions.open_saved(mine, name))

    def enter(mine: Visitor, request: gr.Request) -> Updates:
        return shown(mine, actions.enter(mine, request.query_params.get("trace")))

    for button, make in (
        (shelf.save, save),
        (shelf.export, export),
        (shelf.page, export_page),
    ):
        button.click(told(make), visitor, shelf.download, **PRIVATE).success(
            None, shelf.download, None, js=DOWNLOAD, **PRIVATE
        )
    outputs = [view, visitor, signal]
    shelf.upload.upload(
        told(open_upload), [visitor, shelf.upload], [*outputs, shelf.upload], **PRIVATE
    )
    shelf.saved.input(told(open_saved), [visitor, shelf.saved], outputs, **PRIVATE)
    page.load(told(enter), visitor, outputs, **PRIVATE)
