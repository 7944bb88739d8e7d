"""MISP-Meeting: meetings in Mandarin, to be summarised in English.

A folder of sessions; each holds ``meeting_summary.json`` (``{"brief", "detail"}``, in Mandarin, by
people) and the recording as one ``.wav``. The corpus comes under a signed licence, so this follows
what its makers' published code reads. The summaries are kept under ``summaries`` and not as
``answer``: ROUGE-L between an English and a Mandarin summary would measure nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.datasets.records import field

PROMPT = "Summarize the audio recording in English.\n"


def read(source: Path, media: Path) -> Iterator[dict[str, Any]]:
    """The sessions, by name."""
    for path in sorted(source.rglob("meeting_summary.json")):
        where = f"session {path.parent.name!r}"
        sounds = sorted(path.parent.glob("*.wav"))
        if len(sounds) != 1:
            raise InputError(
                f"{where} has {len(sounds)} .wav files: put the one to be heard there."
            )
        summaries = _summaries(path, where)
        yield {
            "id": path.parent.name,
            "task": "summarization",
            "source_dataset": "MISP",
            "prompt": PROMPT,
            "question": [{"audio": sounds[0].resolve().as_posix()}],
            "summaries": {key: field(summaries, key, where) for key in ("brief", "detail")},
        }


def _summaries(path: Path, where: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: meeting_summary.json is not valid JSON.") from error
