"""The heads chosen for a model: ``heads.json`` beside its weights.

    {"heads": [[layer, head], …], …}

They are picked from prompts with known sources by ``python -m core bench heads``; what else
the file says is how. A model without the file simply has no such signal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import ModelError

FILE = "heads.json"
Head = tuple[int, int]
"""Layer and query head, both from 0."""


def read_heads(folder: Path, layers: int, heads: int) -> tuple[Head, ...]:
    """The heads chosen for the model in a folder of so many layers and heads; none without a file.

    Raises:
        ModelError: the file is damaged, or was made for another model.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))["heads"]
        found = tuple((int(layer), int(head)) for layer, head in pairs)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{FILE} beside the model is damaged. Pick the heads anew.") from error
    if any(not (0 <= layer < layers and 0 <= head < heads) for layer, head in found):
        raise ModelError(
            f"{FILE} names a head that this model of {layers} layers and {heads} heads has not. "
            "It was made for another model; pick the heads anew."
        )
    return found


def write_heads(folder: Path, chosen: Sequence[Head], how: Mapping[str, Any]) -> Path:
    """Write the file, with words and numbers on how they were picked."""
    path = folder / FILE
    document = {"heads": [list(pair) for pair in chosen], **how}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path
