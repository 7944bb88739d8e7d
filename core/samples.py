"""The published sample format: a JSON list of questions over mixed media.

    [{"id": 0, "prompt": "Answer …", "question": [{"text": "…"}, {"audio": "media/x.wav"}], …}]

Ids repeat across tasks, so an entry's place in the file is its identity. Media paths are written
as seen from somewhere in the data set; they are looked up from the file's folder, then its
parents, then by their last name beside the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.prompt import MEDIA_PARTS, MediaPart, Prompt, TextPart

KINDS = ("text", *MEDIA_PARTS)


@dataclass(frozen=True)
class Sample:
    """One entry of a sample file.

    Attributes:
        entry: place in the file, from 1.
        id: as given; the entry's place where none is.
        instruction: the entry's ``prompt``.
        question: ``(kind, text or media path as written)``, in order.
        folder: where the file lies.
        extra: every other key of the entry (task, answer, category, …).
    """

    entry: int
    id: int | str
    instruction: str
    question: tuple[tuple[str, str], ...]
    folder: Path
    extra: Mapping[str, Any] = field(default_factory=dict)

    def prompt(self) -> Prompt:
        """The sample as a prompt, its media found.

        Raises:
            InputError: a media file is missing; other samples are not concerned.
        """
        parts = tuple(
            TextPart(value) if kind == "text" else self._media(kind, value)
            for kind, value in self.question
        )
        return Prompt(self.instruction, parts)

    def to_json(self) -> dict[str, Any]:
        """The entry as it stands in the file; nothing in it depends on where the file lies."""
        question = [{kind: value} for kind, value in self.question]
        return {**self.extra, "id": self.id, "prompt": self.instruction, "question": question}

    def _media(self, kind: str, written: str) -> MediaPart:
        relative = Path(written)
        folders = (self.folder, *self.folder.parents)
        candidates = [*(folder / relative for folder in folders), self.folder / relative.name]
        try:
            found = next((path for path in candidates if path.is_file()), None)
        except (OSError, ValueError):  # A name that is too long or holds a zero.
            found = None
        if found is None:
            raise InputError(
                f"Entry {self.entry}: the {kind} {written!r} was not found. Put it beside the "
                "sample file, or at that path from its folder or a parent."
            )
        return MEDIA_PARTS[kind](found, relative.name)


def read_samples(path: str | Path) -> tuple[Sample, ...]:
    """Read a sample file; media are not looked for until ``Sample.prompt``.

    Raises:
        InputError: the file is missing, no JSON, or an entry is malformed; names entry and key.
    """
    path = Path(path)
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{path.name!r} is not valid JSON{where}: it must be a list.") from error
    if not isinstance(entries, list):
        raise InputError(f"{path.name!r} must hold a list of samples, not {_type(entries)}.")
    folder = path.resolve().parent
    samples = []
    for number, entry in enumerate(entries, 1):
        try:
            samples.append(_sample(entry, number, folder))
        except InputError as error:
            raise InputError(f"{path.name!r}, entry {number}: {error}") from error
    return tuple(samples)


def _sample(entry: object, number: int, folder: Path) -> Sample:
    if not isinstance(entry, dict):
        raise InputError(f"must be an object, not {_type(entry)}.")
    identity = entry.get("id", number)
    if isinstance(identity, bool) or not isinstance(identity, int | str):
        raise InputError(f"'id' must be a number or text, not {_type(identity)}.")
    instruction = entry.get("prompt")
    if not isinstance(instruction, str):
        raise InputError(f"'prompt' must be text, not {_type(instruction)}.")
    question = entry.get("question")
    if not isinstance(question, list):
        raise InputError(f"'question' must be a list, not {_type(question)}.")
    items = tuple(_item(item, f"'question' item {i}") for i, item in enumerate(question, 1))
    extra = {k: v for k, v in entry.items() if k not in ("id", "prompt", "question")}
    return Sample(number, identity, instruction, items, folder, extra)


def _item(item: object, where: str) -> tuple[str, str]:
    if not isinstance(item, dict) or len(item) != 1 or not item.keys() <= set(KINDS):
        found = f"keys {sorted(map(str, item))}" if isinstance(item, dict) else _type(item)
        raise InputError(f"{where} must have exactly one key of {', '.join(KINDS)}, not {found}.")
    ((kind, value),) = item.items()
    if not isinstance(value, str) or (kind != "text" and not value):
        wanted = "text" if kind == "text" else "the path of a file"
        raise InputError(f"{where}: {kind!r} must be {wanted}, not {_type(value)}.")
    return kind, value


def _type(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return names.get(type(value), "a number") if value != "" else "empty text"
