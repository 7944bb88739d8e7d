"""The curation panel: every knob of rules 2 to 7, the signal and the cut into units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.curation import DEFAULT_CURATION, Curation
from core.sources import BIN_SECONDS, DEFAULT_GRANULARITY
from omnitrace_ui.actions.explore import Explore
from omnitrace_ui.actions.messages import told
from omnitrace_ui.actions.settings import CONTROLS, CUSTOM, curation_values
from omnitrace_ui.actions.sound import NATURAL, Segmenters
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.pages.events import AT_ONCE, Updates, segmenter_choice, signal_choice
from omnitrace_ui.session import Visitor

_ASSIGNMENTS = [("Mass: the sum over the unit", "mass"), ("Peak: its strongest position", "peak")]
_LANES = [
    ("Joint: all compete", "joint"),
    ("Per lane: each apart", "per_lane"),
    ("As the published code", "reference"),
]
_TEXT_UNITS = [("Sentences", "sentence"), ("Whole text parts", "part")]
_SHARES = {
    "coverage": ("Coverage", "Stop once the sources hold this share of the votes"),
    "min_share": ("Minimum share", "Leave out a source below this share …"),
    "min_run": ("Minimum run", "… unless consecutive votes for it reach this"),
    "alpha": ("α", "Weight of the share beside the run in the ranking"),
}
_POS_LABELS = {
    "nouns": "Nouns, names, numbers",
    "verbs": "Verbs",
    "adjectives": "Adjectives",
    "adverbs": "Adverbs",
    "function_words": "Function words",
    "punctuation": "Punctuation",
    "other_words": "Anything else",
}


@dataclass(frozen=True)
class CurationPanel:
    """``controls``: name → component, in the order of ``CONTROLS``."""

    preset: gr.Dropdown
    reset: gr.Button
    controls: dict[str, gr.components.Component]
    segmenter: gr.Dropdown


def build_curation(segmenters: Segmenters) -> CurationPanel:
    """Build the panel inside the current ``gr.Blocks``."""
    values = curation_values(DEFAULT_CURATION)
    made: dict[str, gr.components.Component] = {}

    def share(name: str) -> None:
        label, info = _SHARES[name]
        made[name] = gr.Slider(0, 1, values[name], step=0.01, label=label, info=info, elem_id=name)

    def choice(name: str, label: str, choices: list[tuple[str, str]], value: str) -> None:
        made[name] = gr.Dropdown(choices, value=value, label=label, elem_id=name)

    with gr.Row(elem_id="presets"):
        preset = gr.Dropdown(
            [*Curation.presets(), CUSTOM], value="default", label="Preset", elem_id="preset"
        )
        reset = gr.Button("Reset", size="sm", elem_id="reset", min_width=70, scale=0)
    made["signal"] = gr.Dropdown([], label="Signal", interactive=False, elem_id="signal")
    segmenter = gr.Dropdown(
        segmenters.choices(None), value=NATURAL, label="Units of time", elem_id="segmenter"
    )
    for name in ("coverage", "min_share", "min_run"):
        share(name)
    with gr.Accordion("Units and rules", open=False):
        made["bin_seconds"] = gr.Slider(
            *BIN_SECONDS,
            DEFAULT_GRANULARITY.bin_seconds,
            step=0.25,
            label="Time bin",
            info="Seconds that make a unit where time is cut into bins",
            elem_id="bin_seconds",
        )
        choice("text_units", "Units of text", _TEXT_UNITS, DEFAULT_GRANULARITY.text)
        choice("assignment", "Evidence of a unit", _ASSIGNMENTS, values["assignment"])
        choice("lanes", "Lanes", _LANES, values["lanes"])
        share("alpha")
        made["gamma"] = gr.Slider(
            0,
            5,
            values["gamma"],
            step=0.1,
            label="γ",
            info="How much confident words outvote others; 0: not at all",
            elem_id="gamma",
        )
    with gr.Accordion("Weight of a word by part of speech", open=False):
        for name, label in _POS_LABELS.items():
            made[name] = gr.Slider(0, 1, values[name], step=0.05, label=label, elem_id=name)
    return CurationPanel(preset, reset, {name: made[name] for name in CONTROLS}, segmenter)


def wire_curation(
    actions: Explore, visitor: gr.State, panel: CurationPanel, *, view: TraceView
) -> None:
    """Let the panel act: everything is worked out again from the trace, without the model."""
    controls = panel.controls

    def recurate(mine: Visitor, *values: Any) -> tuple[Any, str]:
        return actions.recurate(mine, dict(zip(controls, values, strict=True)))

    def preset(mine: Visitor, name: str) -> Updates:
        shown, values = actions.preset(mine, name)
        return {view: shown, **{controls[key]: value for key, value in values.items()}}

    def reset(mine: Visitor) -> Updates:
        shown, values = actions.reset(mine)
        return {
            view: shown,
            panel.preset: "default",
            controls["text_units"]: mine.settings.granularity.text,
            controls["bin_seconds"]: mine.settings.granularity.bin_seconds,
            controls["signal"]: signal_choice(mine),
            panel.segmenter: segmenter_choice(actions.site.segmenters, mine),
            **{controls[key]: value for key, value in values.items()},
        }

    inputs = [visitor, *controls.values()]
    everything = [view, panel.preset, panel.segmenter, *controls.values()]
    for control in controls.values():
        control.input(told(recurate), inputs, [view, panel.preset], **AT_ONCE)
    panel.preset.input(told(preset), [visitor, panel.preset], everything, **AT_ONCE)
    panel.reset.click(told(reset), visitor, everything, **AT_ONCE)
