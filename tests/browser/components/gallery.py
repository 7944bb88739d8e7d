"""A small app around the two components, for the browser tests and for looking at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr

from core.explain import Explanation
from omnitrace_ui.components.assets import page_style
from omnitrace_ui.components.parts_builder import PartsBuilder, part_errors
from omnitrace_ui.components.theme import theme
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.views import (
    GivenPart,
    Status,
    answer_model,
    form_value,
    parts_model,
    units_model,
    view_value,
)
from tests.omnitrace_ui.views.fabricated import LION, MUSIC, Case, case, said

HOSTILE = (
    "<img src=x onerror=\"window.hacked='img'\"> ${window.hacked='js'} {{constructor}} "
    "\\u00zz </textarea></script><script>window.hacked='script'</script> `x` "
    "\u202egpj.exe\u202c \0 \ud800 end."
)


def whole(
    shown: Case,
    *,
    trace: str,
    key: str,
    phase: str = "done",
    selected: int | None = None,
    compared: Sequence[tuple[str, Explanation]] = (),
):
    return view_value(
        Status(phase),  # type: ignore[arg-type]
        trace=trace,
        key=key,
        parts=parts_model(shown.trace, shown.files),
        units=units_model(shown.trace, shown.sources),
        answer=answer_model(
            shown.trace, shown.explanation, shown.curation, selected=selected, compared=compared
        ),
    )


def detailed(shown: Case):
    """All of the fourth sentence's detail, beside a signal that says something else."""
    spans = shown.explanation.spans
    swapped = replace(spans[3], sources=(*spans[3].sources[:1], *spans[0].sources[:1]))
    other = replace(shown.explanation, spans=(*spans[:3], swapped, *spans[4:]))
    compared = [("AttMean", shown.explanation), ("Other", other)]
    return whole(shown, trace="1", key="1", selected=3, compared=compared)


def hostile_case() -> Case:
    return case(
        answer=[*said(HOSTILE, ("text", 0, 0)), *said("\n" + HOSTILE, None)],
        texts=(HOSTILE, HOSTILE),
        names=tuple(HOSTILE + suffix for suffix in (".jpg", ".jpg", ".wav", ".mp4")),
    )


def streamed(shown: Case):
    """The values of a stream: parts first, then the answer sentence by sentence."""
    parts, units = parts_model(shown.trace, shown.files), units_model(shown.trace, shown.sources)
    yield view_value(Status("busy", "Reading the prompt"), trace="s", key="1", parts=parts)
    full = answer_model(shown.trace, shown.explanation, shown.curation, live=True)
    for n in range(1, len(full["spans"]) + 1):
        answer = {**full, "spans": [dict(span, live=False) for span in full["spans"][:n]]}
        answer["spans"][-1]["live"] = True
        value = view_value(Status("busy", "Answering", n, 6), trace="s", key="1", answer=answer)
        yield value | ({"units": units} if n == 1 else {})
    yield view_value(
        Status("done"),
        trace="s",
        key="1",
        answer=answer_model(shown.trace, shown.explanation, shown.curation),
    )


def build() -> gr.Blocks:
    """The app: every button makes one kind of update."""
    plain = case()
    with gr.Blocks(analytics_enabled=False, fill_width=True) as app:
        with gr.Row():
            with gr.Column(scale=3, min_width=280):
                form = PartsBuilder(elem_id="form")
                send, fail, fill = gr.Button("send"), gr.Button("fail"), gr.Button("fill")
                sent = gr.JSON(elem_id="sent")
                evil_form, queued = gr.Button("evil form"), gr.Button("queue")
                no_form = gr.Button("no form")
                coverage = gr.Slider(0, 1, 0.85, label="coverage", elem_id="coverage")
                with gr.Row():
                    show, evil, stream = gr.Button("show"), gr.Button("evil"), gr.Button("stream")
                    busy, error, clear = gr.Button("busy"), gr.Button("error"), gr.Button("clear")
                    coarse, forgotten = gr.Button("coarse"), gr.Button("forgotten")
                    detail = gr.Button("detail")
                selected = gr.Textbox(elem_id="selected")
            with gr.Column(scale=9, min_width=320):
                view = TraceView(elem_id="view")

        def echo(parts: list[GivenPart]):
            return form_value(parts)

        def refuse(parts: list[GivenPart]):
            return part_errors(
                {part.id: f"{part.kind} is too large: {HOSTILE}"[:200] for part in parts[1:2]}
            )

        def example():
            return [
                GivenPart("a", "text", text="The first text."),
                GivenPart("b", "image", path=LION, name="lion.jpg"),
                GivenPart("c", "audio", path=MUSIC, name="sax.wav"),
            ]

        def evil_example():
            return [
                GivenPart("a", "text", text=HOSTILE),
                GivenPart("b", "image", path=LION, name=HOSTILE + ".jpg"),
            ]

        def moved(value: float):
            changed = case(curation=replace(plain.curation, coverage=value))
            return view_value(
                Status("done"),
                trace="1",
                key="1",
                answer=answer_model(changed.trace, changed.explanation, changed.curation),
            )

        quiet = {"queue": False, "show_progress": "hidden"}
        send.click(echo, form, sent, **quiet)
        queued.click(echo, form, sent, show_progress="hidden")
        no_form.click(lambda: [], None, form, **quiet)
        fail.click(refuse, form, form, **quiet)
        fill.click(example, None, form, **quiet)
        evil_form.click(evil_example, None, form, **quiet)
        show.click(lambda: whole(plain, trace="1", key="1"), None, view, **quiet)
        evil.click(lambda: whole(hostile_case(), trace="evil", key="1"), None, view, **quiet)
        coarse.click(
            lambda: {
                k: v
                for k, v in whole(case(bin_seconds=5.0), trace="1", key="5").items()
                if k != "parts"
            },
            None,
            view,
            **quiet,
        )
        coverage.input(moved, coverage, view, trigger_mode="always_last", **quiet)

        def stream_values():
            yield from streamed(plain)

        stream.click(stream_values, None, view, show_progress="hidden")
        busy.click(
            lambda: view_value(Status("busy", "Loading the model", 0, 4)), None, view, **quiet
        )
        error.click(
            lambda: view_value(
                Status("error", "The film has 400 s: use at most 300 s. " + HOSTILE)
            ),
            None,
            view,
            **quiet,
        )
        detail.click(lambda: detailed(plain), None, view, **quiet)
        clear.click(lambda: None, None, view, **quiet)
        forgotten.click(lambda: moved(0.85) | {"trace": "lost"}, None, view, **quiet)
        view.resend(lambda: whole(plain, trace="lost", key="1"), None, view, **quiet)

        def on_select(event: gr.SelectData):
            return f"{event.index}: {event.value}"

        view.select(on_select, None, selected, trigger_mode="multiple", **quiet)
    return app


def launch() -> tuple[gr.Blocks, str]:
    """The app on a free port, and its address."""
    app = build()
    _, url, _ = app.queue().launch(
        server_name="127.0.0.1",
        prevent_thread_lock=True,
        quiet=True,
        css=page_style(),
        theme=theme(),
        allowed_paths=[str(Path(LION).parents[1])],
        footer_links=[],
        max_file_size="2mb",
    )
    return app, url
