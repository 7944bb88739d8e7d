"""What may cross the wire: clean strings, finite rounded numbers, files as gradio knows them."""

from __future__ import annotations

import math
import mimetypes
from pathlib import Path
from typing import Any

JSON = dict[str, Any]


def clean(text: str) -> str:
    """The text with lone surrogates replaced: no characters, and JSON writers refuse them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def rounded(number: float, digits: int = 4) -> float:
    """A finite number with few digits; what is not finite becomes 0."""
    return round(float(number), digits) if math.isfinite(number) else 0.0


def significant(number: float) -> float:
    """A finite number with three significant digits, for confidences, which span magnitudes."""
    return float(f"{number:.3g}") if math.isfinite(number) else 0.0


def file_data(path: Path, name: str) -> JSON:
    """A file as gradio's ``FileData``.

    Gradio checks and serves only what carries ``meta``: without it, a path is passed on unseen.
    """
    return {
        "path": str(path),
        "orig_name": clean(name),
        "mime_type": mimetypes.guess_type(name)[0],
        "meta": {"_type": "gradio.FileData"},
    }
