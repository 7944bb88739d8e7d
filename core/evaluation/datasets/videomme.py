"""Video-MME: multiple-choice questions on films.

A parquet file with ``video_id, duration, domain, sub_category, url, videoID, question_id,
task_type, question, options, answer``; the film is ``videoID.mp4``, options read ``A. …`` and the
answer is a letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.evaluation.datasets.records import field, find_media, parquet_records, with_options

PROMPT = "Answer the question based on the video provided. Explain your reasoning step by step.\n"


def read(source: Path, media: Path) -> Iterator[dict[str, Any]]:
    """The questions, in the file's order."""
    root = source.parent.parent
    folders = (source.parent, source.parent / "data", root, root / "data", root / "video")
    for number, record in enumerate(parquet_records(source), 1):
        where = f"{source.name!r}, record {number}"
        film = find_media(f"{field(record, 'videoID', where)}.mp4", folders)
        text = with_options(field(record, "question", where), field(record, "options", where))
        yield {
            "id": field(record, "question_id", where),
            "task": "qa",
            "source_dataset": "VideoMME",
            "prompt": PROMPT,
            "question": [{"text": text}, {"video": film}],
            "answer": field(record, "answer", where),
            "category": record.get("task_type"),
            "duration": record.get("duration"),
        }
