"""Records of a published file, whatever holds them, and how questions are worded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError, MissingExtraError

LETTERS = "ABCDEFGHIJ"


def parquet_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a parquet file, a few at a time: pictures may be packed in them.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: it is no parquet file.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise MissingExtraError("Parquet files need pyarrow: pip install pyarrow.") from error
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=16):
            yield from batch.to_pylist()
    except (ArrowException, OSError) as error:
        raise InputError(f"{path.name!r} is not a parquet file, or it is damaged.") from error


def json_records(path: Path) -> list[Any]:
    """A JSON list.

    Raises:
        InputError: it is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name!r} is not valid JSON.") from error
    if not isinstance(found, list):
        raise InputError(f"{path.name!r} must hold a list of records.")
    return found


def field(record: Any, key: str, where: str) -> Any:
    """A field that every record must have.

    Raises:
        InputError: it is missing; names the record and what it has instead.
    """
    if not isinstance(record, Mapping) or record.get(key) is None:
        has = ", ".join(map(str, record)) if isinstance(record, Mapping) else "no fields"
        raise InputError(f"{where} has no {key!r}; it has {has}.")
    return record[key]


def with_options(question: str, options: Sequence[str]) -> str:
    """A question with its options on lines of their own, as they stand."""
    return "\n".join([question, *(option.strip() for option in options)])


def lettered(options: Sequence[str]) -> list[str]:
    """``A. first``, ``B. second`` …"""
    return [f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False)]


def find_media(name: str, folders: Sequence[Path]) -> str:
    """Where a media file lies, else its bare name: the sample then says itself what is missing."""
    for folder in folders:
        path = folder / name
        if path.is_file():
            return path.resolve().as_posix()
    return Path(name).name
