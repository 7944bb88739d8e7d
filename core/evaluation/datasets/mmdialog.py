"""MMDialog: conversations with pictures, to be summarised.

``conversations.json``: a list of ``{"conversation": [{"turn": [{"__TEXT__": …}, {"__MEDIA__":
key}, …]}, …]}``; picture ``key`` is the file ``key.jpg``. Test and validation records also carry
``negative_candidate_…`` lists for retrieval, which nothing here needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.datasets.records import field, find_media, json_records

PROMPT = "Summarize the conversation.\n"


def read(source: Path, media: Path) -> Iterator[dict[str, Any]]:
    """The conversations that show a picture; there is no reference summary."""
    for number, record in enumerate(json_records(source), 1):
        where = f"{source.name!r}, conversation {number}"
        items = [
            _item(item, source.parent, where)
            for turn in field(record, "conversation", where)
            for item in field(turn, "turn", where)
        ]
        if any("image" in item for item in items):
            yield {
                "id": number,
                "task": "summarization",
                "source_dataset": "MMDialog",
                "prompt": PROMPT,
                "question": items,
            }


def _item(item: Any, folder: Path, where: str) -> dict[str, str]:
    if isinstance(item, dict) and isinstance(item.get("__TEXT__"), str):
        return {"text": f"<TURN> {item['__TEXT__']}"}
    if isinstance(item, dict) and "__MEDIA__" in item:
        folders = (folder, folder / "images", folder.parent / "images" / folder.name)
        return {"image": find_media(f"{item['__MEDIA__']}.jpg", folders)}
    raise InputError(f"{where}: a turn holds neither '__TEXT__' nor '__MEDIA__'.")
