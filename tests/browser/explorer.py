"""The whole app, served as ``app.py`` serves it, for the browser tests and the screenshots."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from core.models.registry import load_model
from omnitrace_ui.actions.benchmark import Reports
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.library import Library
from omnitrace_ui.actions.loading import Loader
from omnitrace_ui.actions.sound import OFFLINE, Segmenters
from omnitrace_ui.layout import NO_REPORTS, build_app
from omnitrace_ui.server import Serving, launch, private_folder
from omnitrace_ui.session import Store

ROOT = Path(__file__).resolve().parents[2]
HELDOUT = ROOT / "assets" / "heldout" / "samples.json"
PATIENCE = 60_000
"""Milliseconds; machines that build are slow and busy."""
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@contextmanager
def served(
    traces: Path,
    *,
    port: int | None = None,
    any_model: Callable[[str], Loader] | None = None,
    segmenters: Sequence[str] = OFFLINE,
    reports: Path | None = None,
) -> Iterator[str]:
    """The app with the embedded model; yields its address."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    root = private_folder()
    engine = Engine({"embedded": partial(load_model, "embedded")}, any_model=any_model)
    store, library = Store(root), Library.read(HELDOUT, traces)
    offered = Reports.read(reports) if reports else NO_REPORTS
    app = build_app(Site(engine, store, library, Segmenters(segmenters)), reports=offered)
    try:
        address = launch(app, Serving(port=port), store)
        engine.warm_up()
        yield address
    finally:
        app.close()
        shutil.rmtree(root, ignore_errors=True)
        del os.environ["GRADIO_TEMP_DIR"]
        if before is not None:
            os.environ["GRADIO_TEMP_DIR"] = before


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; every visitor is a new context of it."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        try:
            yield browser
        finally:
            browser.close()
