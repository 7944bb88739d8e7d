"""The curation panel: every knob of rules 2 to 7, the signal and the cut into units."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from core.curation import DEFAULT_CURATION, Curation
from core.sources import BIN_SECONDS, DEFAULT_GRANULARITY
from omnitrace_ui.actions.settings import CONTROLS, CUSTOM, curation_values

_ASSIGNMENTS = [("Mass: the sum over the unit", "mass"), ("Peak: its strongest position", "peak")]
_LANES = [
    ("Joint: all compete", "joint"),
    ("Per lane: each apart", "per_lane"),
    ("As published", "reference"),
]
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


def curation_panel() -> CurationPanel:
    """Build the panel inside the current ``gr.Blocks``."""
    values = curation_values(DEFAULT_CURATION)
    made: dict[str, gr.components.Component] = {}

    def share(name: str, label: str, info: str) -> None:
        made[name] = gr.Slider(
            0, 1, values[name], step=0.01, label=label, info=info, elem_id=name, min_width=150
        )

    with gr.Accordion("Curation: how votes become sources", open=False, elem_id="curation"):
        with gr.Row():
            preset = gr.Dropdown(
                [*Curation.presets(), (CUSTOM, CUSTOM)], value="default", label="Preset",
                elem_id="preset", min_width=150,
            )  # fmt: skip
            made["signal"] = gr.Dropdown(
                [], label="Signal", interactive=False, elem_id="signal", min_width=150
            )
            reset = gr.Button("Reset", elem_id="reset", size="sm", min_width=80, scale=0)
        with gr.Row():
            share("coverage", "Coverage", "stop once the sources hold so much of the votes")
            share("min_share", "Minimum share", "of the votes, for a source to count")
            share("min_run", "Minimum run", "or of consecutive votes")
        with gr.Row():
            share("alpha", "α", "weight of the share beside the run")
            made["gamma"] = gr.Slider(
                0, 5, values["gamma"], step=0.1, label="γ", info="sharpness of the confidence",
                elem_id="gamma", min_width=150,
            )  # fmt: skip
            made["bin_seconds"] = gr.Slider(
                *BIN_SECONDS, DEFAULT_GRANULARITY.bin_seconds, step=0.25, label="Time bin",
                info="seconds", elem_id="bin_seconds", min_width=150,
            )  # fmt: skip
        with gr.Row():
            made["assignment"] = gr.Dropdown(
                _ASSIGNMENTS, value=values["assignment"], label="Evidence of a unit",
                elem_id="assignment", min_width=150,
            )  # fmt: skip
            made["lanes"] = gr.Dropdown(
                _LANES, value=values["lanes"], label="Lanes", elem_id="lanes", min_width=150
            )
            made["text_units"] = gr.Dropdown(
                [("Sentences", "sentence"), ("Whole text parts", "part")],
                value=DEFAULT_GRANULARITY.text, label="Units of text", elem_id="text_units",
                min_width=150,
            )  # fmt: skip
        with gr.Accordion("Weight of a word, by its part of speech", open=False), gr.Row():
            for name, label in _POS_LABELS.items():
                made[name] = gr.Slider(
                    0, 1, values[name], step=0.05, label=label, elem_id=name, min_width=150
                )
    return CurationPanel(preset, reset, {name: made[name] for name in CONTROLS})
