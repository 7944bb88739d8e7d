"""The components' templates, styles and scripts, read from ``assets/`` when the app is built.

Gradio treats a component's template and style as a Handlebars template and then as a JavaScript
one, with the value in reach. Ours are constant; what would be evaluated is refused here.
"""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
_EVALUATED = ("`", "\\", "${", "{{")


def script(*names: str) -> str:
    """One script of several files in ``assets/js``, in this order."""
    return '"use strict";\n' + _joined("js", names)


def style(*names: str) -> str:
    """One style sheet of several files in ``assets/css``.

    Raises:
        ValueError: it holds what gradio would evaluate.
    """
    return _constant(_joined("css", names))


def template(name: str) -> str:
    """A component's markup in ``assets/html``.

    Raises:
        ValueError: it holds what gradio would evaluate.
    """
    return _constant(_joined("html", (name,)))


def page_style() -> str:
    """What cannot stand in a component's own style: give it to ``launch(css=…)``."""
    return style("host")


def _joined(kind: str, names: tuple[str, ...]) -> str:
    files = (ASSETS / kind / f"{name}.{kind}" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _constant(text: str) -> str:
    for mark in _EVALUATED:
        if mark in text:
            raise ValueError(f"gradio would evaluate {mark!r} in: {text[:60]!r}…")
    return text
