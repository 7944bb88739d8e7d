"""Mantis-Eval: questions over several pictures.

A parquet file with ``id, question_type, question, images, options, answer, data_source, category``;
pictures are packed (``{"bytes", "path"}``), ``<image>`` marks them in the question, options read
``(A) …`` and the answer is their letter. Only multiple choice is taken, as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.datasets.records import field, parquet_records, with_options

PROMPT = "Answer the question based on the images provided. Explain your reasoning step by step.\n"
_SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif"}


def read(source: Path, media: Path) -> Iterator[dict[str, Any]]:
    """The multiple-choice questions; their pictures are written to ``media``."""
    media.mkdir(parents=True, exist_ok=True)
    for number, record in enumerate(parquet_records(source), 1):
        where = f"{source.name!r}, record {number}"
        if field(record, "question_type", where) != "multi-choice":
            continue
        identity = str(field(record, "id", where))
        options = field(record, "options", where)
        text = with_options(field(record, "question", where).strip(), options)
        pictures = [
            {"image": _unpack(image, media, f"{identity}_{index}", where)}
            for index, image in enumerate(field(record, "images", where))
        ]
        yield {
            "id": identity,
            "task": "vqa",
            "source_dataset": "MANTIS",
            "prompt": PROMPT,
            "question": [{"text": text}, *pictures],
            "answer": field(record, "answer", where),
            "category": record.get("category"),
        }


def _unpack(image: Any, media: Path, stem: str, where: str) -> str:
    content = field(image, "bytes", f"{where}, a picture")
    suffix = next((s for mark, s in _SIGNATURES.items() if content.startswith(mark)), None)
    if suffix is None:
        raise InputError(f"{where}: a picture is neither PNG, JPEG, WebP nor GIF.")
    path = media / f"{Path(stem).name}{suffix}"
    path.write_bytes(content)
    return f"media/{path.name}"
