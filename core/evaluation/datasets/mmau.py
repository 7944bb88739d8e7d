"""MMAU: multiple-choice questions on sounds, music and speech.

``mmau-test-mini.json``: a list of ``{"id", "audio_id", "question", "choices", "answer", "task",
"category", "sub-category", …}``; ``audio_id`` is a path beside the file, choices carry no letters
and the answer is the choice's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.evaluation.datasets.records import (
    field,
    find_media,
    json_records,
    lettered,
    with_options,
)

PROMPT = "Answer the question based on the audio provided. Explain your reasoning step by step.\n"


def read(source: Path, media: Path) -> Iterator[dict[str, Any]]:
    """The questions, in the file's order."""
    for number, record in enumerate(json_records(source), 1):
        where = f"{source.name!r}, record {number}"
        options = lettered(field(record, "choices", where))
        sound = find_media(field(record, "audio_id", where), (source.parent,))
        yield {
            "id": field(record, "id", where),
            "task": "qa",
            "source_dataset": "MMAU",
            "prompt": PROMPT,
            "question": [
                {"text": with_options(field(record, "question", where), options)},
                {"audio": sound},
            ],
            "answer": field(record, "answer", where),
            "category": record.get("sub-category"),
        }
