"""Launch settings, in one place: what is served, to whom, and how much of it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import BaseRoute

from core.errors import MissingExtraError
from omnitrace_ui.allowance import DEFAULT_ALLOWANCE, Allowance
from omnitrace_ui.components.assets import page_style, style
from omnitrace_ui.components.theme import theme
from omnitrace_ui.intake import intake
from omnitrace_ui.security import ANY, guards
from omnitrace_ui.session import Store, keep_tidy

_OTHERS = 40
"""Threads, and places in gradio's queue, for what does not use the model."""


@dataclass(frozen=True)
class Serving:
    """Where and to whom the app is served.

    Attributes:
        host, port: where to listen; ``port`` ``None``: the first free one from 7860.
        names: names the server answers to beside localhost and addresses; ``*`` for any.
        frames: origins that may show the page in a frame.
        allowance: how much visitors may send, and how many may wait.
        mcp: whether the endpoints are tools for agents too, at ``/gradio_api/mcp/``.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    names: Collection[str] = ()
    frames: Collection[str] = ()
    allowance: Allowance = DEFAULT_ALLOWANCE
    mcp: bool = False


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
    # Every request comes through the platform, which names the visitor's address in a header.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")
    return replace(
        serving,
        host="0.0.0.0",
        names=(ANY, *name.split(",")),
        frames=("https://huggingface.co", "https://*.hf.space"),
    )


def launch(
    app: gr.Blocks, serving: Serving, store: Store, *, routes: Sequence[BaseRoute] = ()
) -> str:
    """Serve the app in the background; returns its address. ``app.block_thread()`` waits for it.

    Args:
        app: ``layout.build_app``'s.
        serving: where and to whom.
        store: where visitors' files lie.
        routes: what else is answered, before gradio's own.

    Raises:
        OSError: the port is taken.
        MissingExtraError: MCP is asked for, and its package is not there.
    """
    if serving.mcp and find_spec("mcp") is None:
        raise MissingExtraError(
            "MCP needs a package: pip install -r omnitrace_ui/requirements-mcp.txt"
        )
    bounds = serving.allowance
    # Those who wait for the model hold a thread and a place in gradio's queue.
    busy = bounds.waiting + bounds.at_once
    # Gradio sums up the last events after each one; nobody looks at it here.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    app.queue(max_size=busy + _OTHERS, default_concurrency_limit=8, api_open=False)
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
        mcp_server=serving.mcp,
        pwa=False,
        footer_links=[],
        allowed_paths=[],
        max_file_size=bounds.upload_bytes,
        max_threads=busy + _OTHERS,
        state_session_capacity=2 * bounds.visitors,
        app_kwargs={**_app_settings(serving, store), "routes": [*routes]},
    )
    keep_tidy(store)
    return url


def _app_settings(serving: Serving, store: Store) -> dict[str, Any]:
    doors = intake(serving.allowance.upload_bytes, has_room=store.has_room)
    return {
        "middleware": [*guards(serving.names, frames=serving.frames), *doors],
        "openapi_url": None,
        "docs_url": None,
        "redoc_url": None,
    }
