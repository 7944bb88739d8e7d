"""TraceView as a page of its own: one file that opens anywhere, without a server or a network.

The same template, style and script as on the site; what gradio hands to a component is stood in for
by a few lines. The value lies in the page as JSON, media as ``data:`` addresses. A policy allows
this page's own script by its hash and nothing else, so that a name or an answer that looked like
markup could not run even if it became some.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from omnitrace_ui.components.assets import script, style, template
from omnitrace_ui.components.trace_view import SCRIPTS, STYLES
from omnitrace_ui.views.wire import JSON, clean

MOST_BYTES = 24 * 2**20
"""Of media in one page, before they are encoded: some mail servers refuse more."""

LEFT_OUT = "Left out of this page, to keep it small. The trace file has it."

_START = """const held = JSON.parse(document.getElementById("value").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.body.classList.toggle("dark", dark.matches);
dark.addEventListener("change", follow);
follow();
const element = document.getElementById("view"), props = { value: held };
const trigger = () => {}, watch = () => {};
"""


def standalone(title: str, facts: str, value: JSON, files: Mapping[int, Path]) -> str:
    """The page.

    Args:
        title: of the page.
        facts: one line below it, e.g. the model and the signal.
        value: ``views.view_value``'s, with parts, units and every span's detail.
        files: part index → its file; those that fit are put into the page, small ones first.
    """
    code = f"{script(*SCRIPTS).replace(_STRICT, _STRICT + _START, 1)}"
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    # Inside a script element only "<" could end the data.
    data = json.dumps(_with_media(value, files), ensure_ascii=False).replace("<", "\\u003c")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(clean(title))}</title>",
            # Nested, as gradio nests a component's style: that is what "&" in it means.
            f"<style>{style('host', 'standalone')}\n#view {{\n{style(*STYLES)}\n}}</style></head>",
            f"<body><header><h1>{html.escape(clean(title))}</h1>",
            f"<p>{html.escape(clean(facts))}</p></header>",
            f'<main id="view">{template("trace_view")}</main>',
            f'<script type="application/json" id="value">{data}</script>',
            f"<script>{code}</script></body></html>",
        )
    )


_STRICT = '"use strict";\n'


def _with_media(value: JSON, files: Mapping[int, Path]) -> JSON:
    """The value with files as ``data:`` addresses, as far as they fit."""
    parts = [dict(part) for part in value["parts"]]
    left = MOST_BYTES
    for index, path in sorted(files.items(), key=lambda item: (item[1].stat().st_size, item[0])):
        left -= path.stat().st_size
        if left < 0:
            parts[index] |= {"file": None, "notes": [*parts[index]["notes"], LEFT_OUT]}
        else:
            parts[index]["file"] = {"url": _data_url(path)}
    return {**value, "parts": parts, "offline": True}


def _data_url(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
