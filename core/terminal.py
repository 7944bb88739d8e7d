"""What a terminal is shown, and what is typed there."""

from __future__ import annotations

import argparse


def printable(text: str) -> str:
    """Text safe to show in a terminal: control characters (escape sequences too) made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """As ``printable``, keeping the line breaks."""
    return "\n".join(map(printable, text.split("\n")))


def positive(text: str) -> int:
    """An argument that must be 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value
