"""A file that is made when it is asked for, and handed to the browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from omnitrace_ui.actions.messages import told
from omnitrace_ui.pages.events import PRIVATE

_PREPARING = "Preparing …"
_DOWNLOAD = """(file) => {
  if (!file?.url) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name ?? "";
  link.click();
}"""
"""Gradio's own button would need the file beforehand."""


def offer(
    button: gr.Button,
    make: Callable[..., str],
    inputs: Sequence[gr.components.Component],
    download: gr.DownloadButton,
) -> None:
    """Let a button make a file and hand it over; until that is done it says so.

    Args:
        button: what is clicked.
        make: the inputs' values → path of the file; what it raises is told.
        inputs: of ``make``.
        download: never seen; carries the file to the browser.
    """
    begun = button.click(None, None, button, js=_saying(_PREPARING), queue=False, **PRIVATE)
    made = begun.then(told(make), inputs, download, **PRIVATE)
    made.success(None, download, None, js=_DOWNLOAD, **PRIVATE)
    made.then(None, None, button, js=_saying(button.value), queue=False, **PRIVATE)


def _saying(label: Any) -> str:
    return f"() => {json.dumps(label)}"
