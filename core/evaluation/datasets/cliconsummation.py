"""CliConSummation: talks of patients and doctors with pictures, to be summarised.

One CSV of blocks. A block opens with the header ``Patient, Doctor, …, Summary, MCS, DI`` and the
row ``Dialogue ID, N``; then a row a turn: what the patient says, where ``$S1_1_1.jpg$`` stands for
a picture of the folder ``Visuals``, and what the doctor says. The first turn's ``Summary`` is the
reference. The closing row ``Disease: …, Group: …`` is a label, not said by anybody: left out.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.datasets.records import find_media

PROMPT = "Summarize the conversation.\n"
_PICTURE = re.compile(r"\$([^$\s]+\.(?:jpe?g|png))\$", re.IGNORECASE)
_CLOSING = re.compile(r"\s*Disease\s*[:;]", re.IGNORECASE)


def read(source: Path, media: Path) -> Iterator[dict[str, Any]]:
    """The talks that show a picture."""
    for identity, rows in _blocks(source):
        question = [item for row in rows for item in _turn(row, source.parent)]
        if any("image" in item for item in question):
            yield {
                "id": identity,
                "task": "summarization",
                "source_dataset": "CliConSummation",
                "prompt": PROMPT,
                "question": question,
                "answer": next((row["Summary"] for row in rows if row["Summary"]), ""),
            }


def _blocks(source: Path) -> Iterator[tuple[str, list[Mapping[str, str]]]]:
    header: list[str] = []
    identity, rows = "", []
    for cells in _cells(source):
        if cells[0] == "Patient" and cells[1] == "Doctor":
            header = cells
        elif cells[0] == "Dialogue ID":
            if rows:
                yield identity, rows
            identity, rows = cells[1], []
        elif header and any(cells) and not _CLOSING.match(cells[0]):
            rows.append({"Summary": "", **dict(zip(header, cells, strict=False))})
    if rows:
        yield identity, rows
    if not header:
        raise InputError(f"{source.name!r} has no row that begins with 'Patient' and 'Doctor'.")


def _cells(source: Path) -> Iterator[list[str]]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            for cells in csv.reader(file):
                if len(cells) > 1:
                    yield [cell.strip() for cell in cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source.name!r} is not a CSV file in UTF-8.") from error


def _turn(row: Mapping[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """What the patient says and shows, then what the doctor says."""
    pieces = _PICTURE.split(row["Patient"])
    words = re.sub(r"[\s,;]+([.?!])", r"\1", re.sub(r"\s+", " ", "".join(pieces[::2]))).strip(" ;,")
    if words:
        yield {"text": f"Patient: {words}"}
    for name in pieces[1::2]:
        yield {"image": find_media(name, (folder / "Visuals", folder))}
    if row["Doctor"]:
        yield {"text": f"Doctor: {row['Doctor']}"}
