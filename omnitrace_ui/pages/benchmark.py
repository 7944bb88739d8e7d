"""The Benchmark page: open a report, see who is ahead, its tables and figures; take them away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from core.evaluation.charts import chart_rows
from omnitrace_ui.actions.benchmark import (
    Opened,
    Reports,
    open_uploaded,
    save_figure,
    save_rows,
)
from omnitrace_ui.actions.messages import told
from omnitrace_ui.pages.events import PRIVATE, Updates
from omnitrace_ui.pages.offer import offer
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views.benchmark import summary, table
from omnitrace_ui.views.charts import plotted

PATH = "/benchmark"
_HOURS = 3600
_WELCOME = (
    "<p>Open the report of <code>python -m core evaluate</code> to see its tables and figures, or "
    "the leaderboard of <code>python -m core leaderboard</code>.</p>"
)
_KEY = (
    "<p>F1 compares the sources found with the labels; behind it its 95 % interval. Nats count how "
    "much less likely a sentence becomes when its first source is hidden (0.7: half as likely). "
    "Deletion and insertion are areas of 0 to 1 under the curves in Figures. More is better.</p>"
)
_WITH_THEME = "(...given) => [...given.slice(0, -1), document.body.classList.contains('dark')]"
"""Fills the last input, which is never shown: figures are drawn for the page's theme."""


@dataclass(frozen=True)
class _Parts:
    """The components that change with what is opened; ``dark`` and ``download`` are never seen."""

    saved: gr.Dropdown
    upload: gr.File
    said: gr.HTML
    board: gr.HTML
    figure: gr.Dropdown
    plot: gr.Plot
    numbers: gr.HTML
    table: gr.Dropdown
    task: gr.Dropdown
    rows: gr.HTML
    dark: gr.Checkbox
    download: gr.DownloadButton


def benchmark_page(app: gr.Blocks, reports: Reports, store: Store, *, title: str) -> None:
    """Add the page to the app, at ``PATH``.

    Args:
        app: finished but for this page.
        reports: that the server's operator offers.
        store: where uploads and downloads lie.
        title: of the app.
    """
    with app.route("Benchmark", PATH):
        gr.Navbar(main_page_name="Explore")
        gr.HTML(f"<h1>{title}</h1><p>Which signal finds the sources?</p>", elem_id="masthead")
        visitor = gr.State(Visitor(), time_to_live=12 * _HOURS, delete_callback=store.forget)
        opened = gr.State(Opened(), time_to_live=12 * _HOURS)
        with gr.Column(elem_id="benchmark"):
            parts, buttons = _build(reports)
        _wire(app, parts, visitor, opened, reports, store)
        _wire_downloads(parts, buttons, visitor, opened, store)


def _build(reports: Reports) -> tuple[_Parts, dict[str, gr.Button]]:
    with gr.Row(elem_id="bench-open", equal_height=True):
        saved = gr.Dropdown(
            reports.names, value=None, label="Reports", visible=bool(reports.names),
            elem_id="bench-saved",
        )  # fmt: skip
        upload = gr.File(
            label="Or drop a report.json or leaderboard.json",
            file_types=[".json"],
            height=110,
            elem_id="bench-upload",
        )
    said = gr.HTML(_WELCOME, elem_id="bench-said")
    buttons: dict[str, gr.Button] = {}
    with gr.Tabs(elem_id="bench-tabs"):
        with gr.Tab("Leaderboard"):
            board = gr.HTML(elem_id="bench-board")
            gr.HTML(_KEY, elem_id="bench-key")
            buttons["board"] = gr.Button("Download CSV", size="sm", elem_id="bench-board-csv")
        with gr.Tab("Figures"):
            figure = gr.Dropdown([], label="Figure", elem_id="bench-figure")
            plot = gr.Plot(show_label=False, elem_id="bench-plot")
            with gr.Row(elem_id="bench-figure-files"):
                for kind in ("svg", "png", "csv"):
                    buttons[kind] = gr.Button(
                        f"Download {kind.upper()}", size="sm", elem_id=f"bench-figure-{kind}"
                    )
            with gr.Accordion("The numbers of this figure", open=False):
                numbers = gr.HTML(elem_id="bench-numbers")
        with gr.Tab("Tables"):
            with gr.Row():
                table = gr.Dropdown([], label="Table", elem_id="bench-table", scale=3)
                task = gr.Dropdown([], label="Task", elem_id="bench-task", scale=2)
            rows = gr.HTML(elem_id="bench-rows")
            buttons["table"] = gr.Button("Download CSV", size="sm", elem_id="bench-table-csv")
    dark = gr.Checkbox(visible=False)
    download = gr.DownloadButton(visible="hidden", elem_id="bench-download")
    parts = (saved, upload, said, board, figure, plot, numbers, table, task, rows, dark, download)
    return _Parts(*parts), buttons


def _wire(
    app: gr.Blocks,
    parts: _Parts,
    visitor: gr.State,
    opened: gr.State,
    reports: Reports,
    store: Store,
) -> None:
    def show(found: Opened, dark: bool) -> Updates:
        figure, title = next(iter(found.figures), None), next(iter(found.tables), None)
        return {
            opened: found,
            parts.said: summary(found.name, found.report, len(found.rows)),
            parts.board: table(found.rows, f"Leaderboard · {found.name}", shared=True),
            parts.figure: gr.update(choices=list(found.figures), value=figure),
            parts.table: gr.update(choices=list(found.tables), value=title),
            **show_figure(found, figure, dark),
            **show_table(found, title),
        }

    def show_figure(found: Opened, title: str | None, dark: bool) -> Updates:
        chart = found.figures.get(title or "")
        return {
            parts.plot: plotted(chart, dark=dark) if chart else None,
            parts.numbers: table(chart_rows(chart), chart.title) if chart else "",
        }

    def show_table(found: Opened, title: str | None) -> Updates:
        tasks = found.tasks(title)
        first = next(iter(tasks), None)
        return {
            parts.task: gr.update(choices=tasks, value=first, visible=len(tasks) > 1),
            parts.rows: table(found.table(title, first), title) if title else "",
        }

    def show_task(found: Opened, title: str | None, task: str | None) -> str:
        return table(found.table(title, task), title) if title else ""

    def open_saved(name: str | None, dark: bool) -> Updates:
        return show(reports.open(name), dark)

    def open_upload(mine: Visitor, path: str, dark: bool) -> Updates:
        found = open_uploaded(store, mine, Path(path))
        return {
            **show(found, dark), visitor: mine, parts.upload: None, parts.saved: None
        }  # fmt: skip

    def enter(dark: bool) -> Updates:
        if not reports.names:
            return {opened: Opened()}
        name = reports.names[0]
        return {**show(reports.open(name), dark), parts.saved: name}

    shown = [opened, parts.said, parts.board, parts.figure, parts.plot, parts.numbers]
    shown += [parts.table, parts.task, parts.rows]
    themed: dict[str, Any] = {**PRIVATE, "js": _WITH_THEME}
    parts.saved.input(told(open_saved), [parts.saved, parts.dark], shown, **themed)
    parts.upload.upload(
        told(open_upload),
        [visitor, parts.upload, parts.dark],
        [*shown, visitor, parts.upload, parts.saved],
        **themed,
    )
    figure_inputs = [opened, parts.figure, parts.dark]
    parts.figure.input(told(show_figure), figure_inputs, [parts.plot, parts.numbers], **themed)
    parts.table.input(told(show_table), [opened, parts.table], [parts.task, parts.rows], **PRIVATE)
    parts.task.input(told(show_task), [opened, parts.table, parts.task], parts.rows, **PRIVATE)
    app.load(told(enter), parts.dark, [*shown, parts.saved], **themed)


def _wire_downloads(
    parts: _Parts,
    buttons: dict[str, gr.Button],
    visitor: gr.State,
    opened: gr.State,
    store: Store,
) -> None:
    def of_board(mine: Visitor, found: Opened) -> str:
        return str(save_rows(store, mine, found.rows, "leaderboard"))

    def of_table(mine: Visitor, found: Opened, title: str | None, task: str | None) -> str:
        name = found.tables.get(title or "", "table")
        return str(save_rows(store, mine, found.table(title, task), name))

    def of_figure(kind: Any, mine: Visitor, found: Opened, title: str | None) -> str:
        return str(save_figure(store, mine, found.figures.get(title or ""), kind))

    makers: dict[str, tuple[Any, list[Any]]] = {
        "board": (of_board, [visitor, opened]),
        "table": (of_table, [visitor, opened, parts.table, parts.task]),
    }
    for kind in ("svg", "png", "csv"):
        makers[kind] = partial(of_figure, kind), [visitor, opened, parts.figure]
    for name, (make, inputs) in makers.items():
        offer(buttons[name], make, inputs, parts.download)
