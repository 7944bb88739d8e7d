"""Running text for figures: pieces of text → lines that fit a width, measured, not guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from omnitrace_ui.views.wire import clean

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that lines break alike everywhere."""


_FINE = 10
"""Measured so many times larger: at the size of a screen, widths are rounded to pixels."""


@dataclass(frozen=True)
class Run:
    """Text of one piece on one line: ``x`` and ``width`` in points, ``piece`` its index."""

    piece: int
    x: float
    width: float
    text: str


def flow(pieces: Sequence[str], width: float, size: float) -> list[list[Run]]:
    """Break pieces, set one after another, into lines of at most ``width`` points.

    A newline ends a line. A word that is wider than a line is broken between characters.
    """
    lines: list[list[Run]] = [[]]
    at = 0.0
    for index, word in _words(pieces):
        if word == "\n":
            lines, at = [*lines, []], 0.0
            continue
        for part in _fitting(word, width, size):
            long = text_width(part, size)
            if at and at + text_width(part.rstrip(), size) > width:
                lines, at = [*lines, []], 0.0
            if at or part.strip():
                _append(lines[-1], Run(index, at, long, part))
                at += long
    return [line for line in lines if line] or [[]]


def printable(text: str) -> str:
    """The text without characters that a drawing cannot hold: XML knows no control characters."""
    return "".join(
        c if c in "\n " or unicodedata.category(c)[0] != "C" else "\ufffd" for c in clean(text)
    )


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float) -> float:
    """Width in points."""
    renderer, font = _measure(size)
    return renderer.get_text_width_height_descent(text, font, ismath=False)[0] / _FINE


@lru_cache
def _measure(size: float):
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    return RendererAgg(10, 10, 72 * _FINE), FontProperties(family=FONT, size=size)


def _words(pieces: Sequence[str]) -> Iterator[tuple[int, str]]:
    for index, piece in enumerate(pieces):
        for word in re.findall(r"\n|[^\s]+[^\S\n]*|[^\S\n]+", printable(piece)):
            yield index, word


def _fitting(word: str, width: float, size: float) -> Iterator[str]:
    while text_width(word.rstrip(), size) > width and len(word) > 1:
        most = max(1, int(len(word) * width / text_width(word, size)))
        while most > 1 and text_width(word[:most], size) > width:
            most -= 1
        yield word[:most]
        word = word[most:]
    yield word


def _append(line: list[Run], run: Run) -> None:
    """Add a run, joined to the one before where they are of one piece."""
    if line and line[-1].piece == run.piece:
        last = line.pop()
        run = Run(run.piece, last.x, last.width + run.width, last.text + run.text)
    line.append(run)
