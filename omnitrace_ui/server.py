"""Launch settings, in one place: what is served, to whom, and how much of it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import BaseRoute

from omnitrace_ui.components.assets import page_style, style
from omnitrace_ui.components.theme import theme
from omnitrace_ui.security import ANY, guards


@dataclass(frozen=True)
class Serving:
    """Where and to whom the app is served.

    Attributes:
        host, port: where to listen; ``port`` ``None``: the first free one from 7860.
        names: names the server answers to beside localhost and addresses; ``*`` for any.
        frames: origins that may show the page in a frame.
        upload_megabytes: size of one uploaded file.
        waiting: visitors that may wait for the model.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    names: Collection[str] = ()
    frames: Collection[str] = ()
    upload_megabytes: int = 500
    waiting: int = 32


def private_folder() -> Path:
    """A new folder for all that visitors give and make; gradio is told, and it goes at exit."""
    folder = Path(tempfile.mkdtemp(prefix="omnitrace-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def on_space(serving: Serving) -> Serving:
    """The same, as it must be where the program runs as a Hugging Face Space."""
    name = os.environ.get("SPACE_HOST")
    if not name:
        return serving
    # The platform's own probes use names that it does not tell.
    return Serving(
        host="0.0.0.0",
        port=serving.port,
        names=(ANY, *name.split(",")),
        frames=("https://huggingface.co", "https://*.hf.space"),
        upload_megabytes=serving.upload_megabytes,
        waiting=serving.waiting,
    )


def launch(app: gr.Blocks, serving: Serving, *, routes: Sequence[BaseRoute] = ()) -> str:
    """Serve the app in the background; returns its address. ``app.block_thread()`` waits for it.

    Args:
        app: ``layout.build_app``'s.
        serving: where and to whom.
        routes: what else is answered, before gradio's own.

    Raises:
        OSError: the port is taken.
    """
    app.queue(max_size=serving.waiting, default_concurrency_limit=8, api_open=False)
    _, url, _ = app.launch(
        server_name=serving.host,
        server_port=serving.port,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme(),
        css=page_style() + style("page"),
        share=False,
        show_error=False,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        footer_links=[],
        allowed_paths=[],
        max_file_size=f"{serving.upload_megabytes}mb",
        state_session_capacity=2000,
        app_kwargs={**_app_settings(serving), "routes": [*routes]},
    )
    return url


def _app_settings(serving: Serving) -> dict[str, Any]:
    return {
        "middleware": guards(serving.names, frames=serving.frames),
        "openapi_url": None,
        "docs_url": None,
        "redoc_url": None,
    }
