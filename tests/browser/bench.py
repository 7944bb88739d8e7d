"""A review project of fabricated traces, and a server of the Review page, for the browser tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.evaluation.labels import Interval, Label, answer_id, write_labels
from core.review import Project, create_project
from core.spans import spans
from core.trace import Trace
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.library import Library
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.layout import build_app
from omnitrace_ui.review_routes import review_routes
from omnitrace_ui.server import Serving, launch, private_folder
from omnitrace_ui.session import Store
from tests.omnitrace_ui.views.fabricated import DIARY, OPTIONS, Word, fabricated, said

NAMES = ("lion.jpg", "cheetah.jpg", "sax.wav", "world.mp4")
SHORT: list[Word] = [
    *said("The first picture shows a lion with a dark mane.", ("image", 2, None)),
    *said(" The saxophone enters after four seconds.", ("audio", 4, 4.5)),
]
"""Two sentences."""


def review_project(
    folder: Path,
    *,
    items: int = 3,
    answer: list[Word] = SHORT,
    annotators: Sequence[str] = ("anna", "ben"),
    blind: bool = False,
    password: str = "",
    overlap: float = 1.0,
    change: Callable[[Trace], Trace] = lambda trace: trace,
) -> Project:
    """A project whose judge says of every first sentence picture 1, of every second an interval.

    ``change``: what is to be different about its traces.
    """
    traces = folder.parent / f"{folder.name}-traces"
    traces.mkdir()
    labels: list[Label] = []
    for n in range(items):
        trace = change(fabricated(answer, (f"Day {n + 1}. {DIARY}", OPTIONS), NAMES))
        trace.save(traces / f"{n:03d}.omnitrace")
        for place, span in enumerate(spans(trace.answer, trace.tokens)):
            labels.append(
                Label(
                    answer_id(trace),
                    place,
                    span.text,
                    () if place % 2 else ("p2.0",),
                    (Interval(4, 4.0, 6.0),) if place % 2 else (),
                    "judge",
                    "judge-1",
                    "1",
                )
            )
    file = write_labels(folder.parent / f"{folder.name}.jsonl", labels)
    project = create_project(
        folder,
        traces=traces,
        labels=file,
        annotators=annotators,
        leads=("lea",),
        overlap=overlap,
        blind=blind,
    )
    if password:
        project.add_account("lea", "lead", password)
    return project


@contextlib.contextmanager
def served_review(root: Path, *, port: int | None = None) -> Iterator[str]:
    """The app with the Review page, and no model; yields the page's address."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    store = Store(private_folder())
    bench = Bench(root)
    app = build_app(Site(Engine({}), store, Library()), review=True)
    try:
        routes = review_routes(bench, upload_megabytes=20)
        yield launch(app, Serving(port=port), store, routes=routes) + "review"
    finally:
        app.close()
        bench.close()
        os.environ.pop("GRADIO_TEMP_DIR")
        if before is not None:
            os.environ["GRADIO_TEMP_DIR"] = before
