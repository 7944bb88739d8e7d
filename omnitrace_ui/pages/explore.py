"""The Explore page: give something, watch the answer grow, see what each sentence leans on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.trace import Generation
from omnitrace_ui.actions.explore import WORLD_ONLY, Explore, Site
from omnitrace_ui.actions.generate import Request
from omnitrace_ui.actions.keep import save_explanation, save_trace
from omnitrace_ui.actions.library import SUFFIX
from omnitrace_ui.actions.messages import told
from omnitrace_ui.components.parts_builder import PartsBuilder, part_errors
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.curation import CurationPanel, curation_panel
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import WHY_TOKENS, GivenPart

Updates = dict[gr.components.Component, Any]

MODEL_QUEUE = "model"
AT_ONCE: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
"""For what must never wait behind a generation."""

_DOWNLOAD = "() => document.querySelector('#download a, a#download')?.click()"
_ARRIVED = "(visitor, parts) => [visitor, (parts ?? []).filter((part) => !part.pending)]"
"""While a file is on its way its row is not yet a part."""


@dataclass(frozen=True)
class Form:
    """What is on the left of the page."""

    instruction: gr.Textbox
    parts: PartsBuilder
    trace: gr.Button
    stop: gr.Button
    note: gr.Markdown
    examples: gr.Dataset | None
    model: gr.Dropdown
    signals: gr.CheckboxGroup
    generation: dict[str, gr.components.Component]


@dataclass(frozen=True)
class Shelf:
    """Saving and opening."""

    save: gr.Button
    export: gr.Button
    download: gr.DownloadButton
    upload: gr.File
    saved: gr.Dropdown


def explore_page(site: Site, visitor: gr.State, *, signals: tuple[str, ...]) -> None:
    """Build the page inside the current ``gr.Blocks``.

    Args:
        site: models, files, examples.
        visitor: holds the ``Visitor``.
        signals: names of the signals that can be recorded.
    """
    with gr.Row(elem_id="explore", equal_height=False):
        with gr.Column(scale=3, min_width=330, elem_id="ask"):
            form = _form(site, signals)
        with gr.Column(scale=8, min_width=330, elem_id="see"):
            panel = curation_panel()
            view = TraceView(elem_id="view")
            shelf = _shelf(site)
    actions = Explore(site)
    _wire_form(actions, visitor, form, view, panel, shelf)
    _wire_view(actions, visitor, view)
    _wire_curation(actions, visitor, panel, view)
    _wire_shelf(actions, visitor, form, shelf, panel, view)


def _form(site: Site, signals: tuple[str, ...]) -> Form:
    examples = site.library.examples
    instruction = gr.Textbox(
        label="Instruction",
        placeholder="What shall the model do with the parts below?",
        lines=2,
        max_lines=8,
        elem_id="instruction",
    )
    parts = PartsBuilder(elem_id="parts")
    with gr.Row(elem_id="run"):
        trace = gr.Button("Trace", variant="primary", elem_id="trace", scale=3)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, min_width=80)
    note = gr.Markdown(WORLD_ONLY, visible=False, elem_id="note")
    dataset = None
    if examples:
        dataset = gr.Dataset(
            label="Examples",
            components=["textbox"],
            samples=[[example.title] for example in examples],
            type="index",
            samples_per_page=12,
            elem_id="examples",
        )
    with gr.Accordion("Model and generation", open=False, elem_id="generation"):
        model = gr.Dropdown(list(site.engine.names), label="Model", interactive=True)
        recorded = gr.CheckboxGroup(
            list(signals),
            value=list(signals[:2]),
            label="Signals to record",
            info="Gradient signals take about twice the time.",
        )
        generation = _generation()
    return Form(instruction, parts, trace, stop, note, dataset, model, recorded, generation)


def _generation() -> dict[str, gr.components.Component]:
    default = Generation()
    return {
        "max_new_tokens": gr.Slider(
            8, 2048, default.max_new_tokens, step=8, label="Longest answer", info="tokens"
        ),
        "temperature": gr.Slider(
            0, 2, default.temperature, step=0.05, label="Temperature", info="0: the likeliest token"
        ),
        "top_p": gr.Slider(
            0.05, 1, default.top_p, step=0.05, label="Top p", info="only with a temperature"
        ),
        "seed": gr.Number(
            default.seed, precision=0, minimum=0, label="Seed", info="only with a temperature"
        ),
        "no_repeat_ngram_size": gr.Slider(
            0, 10, default.no_repeat_ngram_size, step=1, label="Never repeat so many tokens",
            info="0: off. It bans phrases of the prompt too.",
        ),
    }  # fmt: skip


def _shelf(site: Site) -> Shelf:
    with gr.Row(elem_id="shelf"):
        save = gr.Button("Save trace", size="sm", elem_id="save")
        export = gr.Button("Explanation as JSON", size="sm", elem_id="export")
    with gr.Accordion("Open a saved trace", open=False, elem_id="open"):
        names = [name for name, _ in site.library.traces]
        saved = gr.Dropdown(
            names, value=None, label="Examples of other models", visible=bool(names),
            elem_id="saved",
        )  # fmt: skip
        upload = gr.File(
            label=f"Drop a {SUFFIX} file", file_types=[SUFFIX], height=110, elem_id="upload"
        )
    download = gr.DownloadButton(visible="hidden", elem_id="download")
    return Shelf(save, export, download, upload, saved)


def _wire_form(
    actions: Explore,
    visitor: gr.State,
    form: Form,
    view: TraceView,
    panel: CurationPanel,
    shelf: Shelf,
) -> None:
    generation = list(form.generation.values())
    outputs = [
        view,
        form.trace,
        form.stop,
        form.parts,
        form.note,
        panel.controls["signal"],
        visitor,
    ]

    def run(
        visitor_now: Visitor,
        instruction: str,
        parts: list[GivenPart],
        model: str,
        signals: list[str],
        *values: float,
    ) -> Iterator[Updates]:
        settings = dict(zip(form.generation, values, strict=True))
        whole = {k: int(v) for k, v in settings.items() if k not in ("temperature", "top_p")}
        request = Request(
            instruction, parts, model, tuple(signals), Generation(**{**settings, **whole})
        )
        was_running = None
        for frame in actions.trace(visitor_now, request):
            updates: Updates = {view: frame.view}
            if frame.running is not was_running:
                updates[form.trace] = gr.update(interactive=not frame.running)
                updates[form.stop] = gr.update(interactive=frame.running)
                was_running = frame.running
            if not frame.running:
                updates[form.parts] = part_errors(frame.refused)
                updates[form.note] = gr.update(visible=bool(actions.note(visitor_now)))
                updates[panel.controls["signal"]] = _signal_choice(visitor_now)
                updates[visitor] = visitor_now
            yield updates

    gr.on(
        [form.trace.click, form.instruction.submit],
        told(actions.wait),
        visitor,
        view,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    ).success(
        run,
        [visitor, form.instruction, form.parts, form.model, form.signals, *generation],
        outputs,
        show_progress="hidden",
        concurrency_id=MODEL_QUEUE,
        concurrency_limit=1,
        api_visibility="private",
    )
    form.stop.click(actions.stop, visitor, None, **AT_ONCE)

    def check(visitor_now: Visitor, parts: list[GivenPart]) -> Any:
        return part_errors(actions.check(visitor_now, parts))

    form.parts.change(told(check), [visitor, form.parts], form.parts, js=_ARRIVED, **AT_ONCE)
    if form.examples is not None:
        form.examples.click(
            told(actions.example),
            [visitor, form.examples],
            [form.instruction, form.parts],
            **AT_ONCE,
        )


def _wire_view(actions: Explore, visitor: gr.State, view: TraceView) -> None:
    def select(visitor_now: Visitor, event: gr.SelectData) -> Any:
        shown = actions.select(visitor_now, int(event.index))
        long = visitor_now.trace is not None and len(visitor_now.trace.tokens) > WHY_TOKENS
        return shown if long and not visitor_now.running else gr.skip()

    view.select(told(select), visitor, view, **AT_ONCE)
    view.resend(told(actions.resend), visitor, view, **AT_ONCE)


def _wire_curation(
    actions: Explore, visitor: gr.State, panel: CurationPanel, view: TraceView
) -> None:
    controls = panel.controls

    def recurate(visitor_now: Visitor, *values: Any) -> tuple[Any, Any]:
        return actions.recurate(visitor_now, dict(zip(controls, values, strict=True)))

    def preset(visitor_now: Visitor, name: str) -> Updates:
        shown, values = actions.preset(visitor_now, name)
        return {view: shown, **{controls[key]: value for key, value in values.items()}}

    def reset(visitor_now: Visitor) -> Updates:
        shown, values = actions.reset(visitor_now)
        cut = visitor_now.settings.granularity
        return {
            view: shown,
            panel.preset: "default",
            controls["text_units"]: cut.text,
            controls["bin_seconds"]: cut.bin_seconds,
            controls["signal"]: _signal_choice(visitor_now),
            **{controls[key]: value for key, value in values.items()},
        }

    everything = [view, panel.preset, *controls.values()]
    for control in controls.values():
        control.input(
            told(recurate), [visitor, *controls.values()], [view, panel.preset], **AT_ONCE
        )
    panel.preset.input(told(preset), [visitor, panel.preset], everything, **AT_ONCE)
    panel.reset.click(told(reset), visitor, everything, **AT_ONCE)


def _wire_shelf(
    actions: Explore,
    visitor: gr.State,
    form: Form,
    shelf: Shelf,
    panel: CurationPanel,
    view: TraceView,
) -> None:
    store = actions.site.store
    signal = panel.controls["signal"]
    private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def save(visitor_now: Visitor) -> str:
        return str(save_trace(visitor_now, store))

    def export(visitor_now: Visitor) -> str:
        return str(save_explanation(visitor_now, store))

    for button, make in ((shelf.save, save), (shelf.export, export)):
        button.click(told(make), visitor, shelf.download, **private).success(
            None, None, None, js=_DOWNLOAD
        )

    def opened(visitor_now: Visitor, shown: Any) -> Updates:
        return {
            view: shown,
            visitor: visitor_now,
            signal: _signal_choice(visitor_now),
            form.note: gr.update(visible=False),
        }

    def open_upload(visitor_now: Visitor, path: str) -> Updates:
        return {**opened(visitor_now, actions.open_upload(visitor_now, path)), shelf.upload: None}

    def open_saved(visitor_now: Visitor, name: str) -> Updates:
        return opened(visitor_now, actions.open_saved(visitor_now, name))

    def enter(visitor_now: Visitor, request: gr.Request) -> Updates:
        return opened(visitor_now, actions.enter(visitor_now, request.query_params.get("trace")))

    outputs = [view, visitor, signal, form.note]
    shelf.upload.upload(
        told(open_upload), [visitor, shelf.upload], [*outputs, shelf.upload], **private
    )
    shelf.saved.input(told(open_saved), [visitor, shelf.saved], outputs, **private)
    gr.on(None, told(enter), visitor, outputs, **private)


def _signal_choice(visitor: Visitor) -> Any:
    """The signals of the visitor's trace to choose from."""
    recorded = visitor.trace.signals if visitor.trace else ()
    wanted = visitor.settings.signal
    value = wanted if wanted in recorded else next(iter(recorded), None)
    return gr.update(choices=list(recorded), value=value, interactive=bool(recorded))
