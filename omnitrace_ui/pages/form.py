"""The form: instruction, parts, examples, model; Trace and Stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.decoding.loop import DEFAULT_SIGNALS
from core.signals.registry import BEST
from core.trace import Generation
from omnitrace_ui.actions.explore import WORLD_ONLY, Explore, Site
from omnitrace_ui.actions.generate import Frame, Request
from omnitrace_ui.actions.messages import told
from omnitrace_ui.actions.models import in_memory
from omnitrace_ui.components.parts_builder import PartsBuilder, part_errors
from omnitrace_ui.components.text_line import TextLine
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import AT_ONCE, IN_LINE, PRIVATE, Updates, gone, signal_choice
from omnitrace_ui.pages.models import build_models
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import GivenPart

_ARRIVED = "(visitor, parts) => [visitor, (parts ?? []).filter((part) => !part.pending)]"
"""While a file is on its way its row is not yet a part."""

_SHOW_ANSWER = """(visitor) => {
  const view = document.getElementById("view");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (view && view.getBoundingClientRect().top > window.innerHeight / 2)
    view.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  return [visitor];
}"""
"""On a narrow screen the answer is below the form."""

_TRACE_LABEL = '(given) => (given ?? "").trim() ? "Trace the given answer" : "Trace"'
"""The field is folded: what is left in it must not be traced unnoticed."""


@dataclass(frozen=True)
class Form:
    """The form's components; ``generation``: fields of ``Generation`` by name."""

    instruction: gr.Textbox
    parts: PartsBuilder
    trace: gr.Button
    stop: gr.Button
    note: gr.Markdown
    examples: gr.Dataset
    model: gr.Dropdown
    signals: gr.CheckboxGroup
    generation: dict[str, gr.components.Component]
    given: gr.Textbox
    in_memory: TextLine


def build_form(site: Site, signals: Mapping[str, str]) -> Form:
    """Build the form inside the current ``gr.Blocks``; ``signals``: name → title of each."""
    examples = site.library.examples
    dataset = gr.Dataset(
        label="Examples",
        components=["textbox"],
        samples=[[example.title] for example in examples],
        type="index",
        samples_per_page=20,
        visible=bool(examples),
        elem_id="examples",
    )
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
        stop = gr.Button("Stop", elem_id="stop", interactive=False, min_width=80)
    note = gr.Markdown(WORLD_ONLY, visible=False, elem_id="note")
    with gr.Accordion("Model and generation", open=False, elem_id="generation"):
        model, memory = build_models(site)
        recorded = gr.CheckboxGroup(
            [(title, name) for name, title in signals.items()],
            value=[BEST, *DEFAULT_SIGNALS],
            label="Signals to record",
            info="Gradient signals take about twice the time.",
        )
        generation = _generation()
    with gr.Accordion("Trace a given answer", open=False, elem_id="given-answer"):
        given = gr.Textbox(
            "",  # A field that was never unfolded would send nothing at all.
            label="Answer",
            info="Written elsewhere, e.g. by a model behind an API: the model above reads it "
            "instead of answering. Empty: it answers itself.",
            lines=4,
            max_lines=12,
            elem_id="given",
        )
    return Form(
        instruction, parts, trace, stop, note, dataset, model, recorded, generation, given, memory
    )


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
            0,
            10,
            default.no_repeat_ngram_size,
            step=1,
            label="Never repeat so many tokens",
            info="0: off. It bans phrases of the prompt too.",
        ),
    }


def wire_form(
    actions: Explore, visitor: gr.State, form: Form, *, view: TraceView, signal: gr.Dropdown
) -> gr.events.Dependency:
    """Let the form act; returns what ends with every answer.

    ``signal``: where the recorded signals are chosen from.
    """

    def run(
        mine: Visitor,
        asked: gr.Request,
        instruction: str,
        parts: list[GivenPart],
        model: str,
        signals: list[str],
        given: str,
        *generation: float,
    ) -> Iterator[Updates]:
        settings = _generation_of(dict(zip(form.generation, generation, strict=True)))
        actions.site.store.arrive(asked.session_hash, mine)
        address = asked.client.host if asked.client else ""
        request = Request(
            instruction, parts, model, tuple(signals), settings, address, given, gone()
        )
        for frame in actions.generator.run(mine, request):
            updates: Updates = {view: frame.view}
            if not frame.running:
                updates |= buttons(frame)
                updates[form.parts] = part_errors(frame.refused)
                updates[form.note] = gr.update(visible=actions.is_beyond_its_world(mine))
                updates[signal] = signal_choice(mine)
                updates[form.in_memory] = in_memory(actions.site.engine)
                updates[visitor] = mine
            yield updates

    def buttons(frame: Frame) -> Updates:
        return {
            form.trace: gr.update(interactive=not frame.running),
            form.stop: gr.update(interactive=frame.running),
        }

    def wait(mine: Visitor) -> Updates:
        frame = actions.generator.wait(mine)
        return {view: frame.view, **buttons(frame)}

    def give_up(mine: Visitor) -> Updates:
        frame = actions.generator.give_up(mine)
        return {view: frame.view, **buttons(frame)}

    def check(mine: Visitor, parts: list[GivenPart]) -> Any:
        return part_errors(actions.check(mine, parts))

    pressed = gr.on(
        [form.trace.click, form.instruction.submit],
        told(wait),
        visitor,
        [view, form.trace, form.stop],
        queue=False,
        js=_SHOW_ANSWER,
        **PRIVATE,
    )
    traced = pressed.success(
        run,
        [
            visitor,
            form.instruction,
            form.parts,
            form.model,
            form.signals,
            form.given,
            *form.generation.values(),
        ],
        [view, form.trace, form.stop, form.parts, form.note, form.in_memory, signal, visitor],
        **IN_LINE,
    )
    traced.failure(give_up, visitor, [view, form.trace, form.stop], queue=False, **PRIVATE)
    form.stop.click(actions.stop, visitor, None, **AT_ONCE)
    form.given.change(None, form.given, form.trace, js=_TRACE_LABEL, **AT_ONCE)
    form.parts.change(told(check), [visitor, form.parts], form.parts, js=_ARRIVED, **AT_ONCE)
    form.examples.click(
        told(actions.example),
        [visitor, form.examples],
        [form.instruction, form.parts],
        **AT_ONCE,
    )
    form.examples.click(lambda: "", None, form.given, **AT_ONCE)
    return traced


def _generation_of(values: dict[str, float]) -> Generation:
    """The sliders' values; those that count things as whole numbers."""
    fractions = ("temperature", "top_p")
    return Generation(**{k: v if k in fractions else int(v or 0) for k, v in values.items()})
