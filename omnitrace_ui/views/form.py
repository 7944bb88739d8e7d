"""What the form sends and is given: a strict schema, because anybody can send anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.prompt import MEDIA_PARTS
from omnitrace_ui.views.wire import JSON, clean, file_data

MOST_PARTS = 200
MOST_CHARACTERS = 1_000_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_FILE_META = {"_type": "gradio.FileData"}


@dataclass(frozen=True)
class GivenPart:
    """One part of the form.

    Attributes:
        id: names the row, so that an error can be shown beside it.
        kind: ``text``, ``image``, ``audio`` or ``video``.
        text: of a text.
        path: of a file. Gradio has checked that it lies in its upload folder; check it again
            before opening it.
        name: what the person calls the file.
    """

    id: str
    kind: str
    text: str = ""
    path: Path | None = None
    name: str = ""


def form_value(parts: Sequence[GivenPart]) -> list[JSON]:
    """Parts → the form's value, to fill it with an example."""
    return [
        {"id": part.id, "kind": part.kind, "text": clean(part.text)}
        if part.path is None
        else {"id": part.id, "kind": part.kind, "file": file_data(part.path, part.name)}
        for part in parts
    ]


def read_form(payload: object) -> list[GivenPart]:
    """The form's value → parts.

    Raises:
        InputError: it is not what our form sends.
    """
    if not isinstance(payload, list):
        raise InputError("The form sent something that is not a list of parts. Reload the page.")
    if len(payload) > MOST_PARTS:
        raise InputError(f"{len(payload)} parts are too many: use at most {MOST_PARTS}.")
    parts = [_read(row, place) for place, row in enumerate(payload, start=1)]
    if len({part.id for part in parts}) != len(parts):
        raise InputError("Two parts of the form have the same name. Reload the page.")
    return parts


def _read(row: object, place: int) -> GivenPart:
    wrong = InputError(f"Part {place} of the form is malformed. Remove it and add it again.")
    if not isinstance(row, dict):
        raise wrong
    name, kind = row.get("id"), row.get("kind")
    if not (isinstance(name, str) and _ID.fullmatch(name) and isinstance(kind, str)):
        raise wrong
    if kind == "text":
        text = row.get("text")
        if set(row) != {"id", "kind", "text"} or not isinstance(text, str):
            raise wrong
        if len(text) > MOST_CHARACTERS:
            raise InputError(
                f"Part {place} has {len(text):,} characters: use at most {MOST_CHARACTERS:,}."
            )
        return GivenPart(name, kind, text=clean(text))
    if kind in MEDIA_PARTS and row.get("pending") is True:
        raise InputError(f"Part {place} is not uploaded: wait for it, try again, or remove it.")
    file = row.get("file")
    if kind not in MEDIA_PARTS or set(row) != {"id", "kind", "file"} or not isinstance(file, dict):
        raise wrong
    path, called = file.get("path"), file.get("orig_name")
    # Gradio checks the paths of dicts with exactly this mark, and of no others.
    if file.get("meta") != _FILE_META or not isinstance(path, str) or not path or "\0" in path:
        raise wrong
    called = called if isinstance(called, str) and called else Path(path).name
    return GivenPart(name, kind, path=Path(path), name=clean(called)[:255])
