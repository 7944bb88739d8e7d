"""The Review page alone in a process of its own, to be killed; without the models' long imports."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from pathlib import Path

import gradio as gr

from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.pages.review import review_page
from omnitrace_ui.review_routes import review_routes
from omnitrace_ui.server import Serving, launch, private_folder
from omnitrace_ui.session import Store


def serve_until_killed(folder: Path, port: int, started: Connection) -> None:
    """Serve a project; says when it does."""
    store = Store(private_folder())
    with gr.Blocks(analytics_enabled=False) as app:
        gr.HTML("")
    review_page(app)
    routes = review_routes(Bench(folder), upload_megabytes=20)
    started.send(launch(app, Serving(port=port), store, routes=routes))
    threading.Event().wait()
