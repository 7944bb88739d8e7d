"""Verdicts out of the store and back: label files (JSON Lines) and Parquet.

``labels.jsonl`` is what ``core evaluate`` reads: each person's labels, the gold ones last, so that
they are heard. It cannot say that a sentence is bad or that somebody is unsure;
``verdicts.parquet`` holds everything that was committed, one row an owner and sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError, TraceFileError
from core.evaluation.labels import Interval, Label, read_labels, write_labels
from core.review.manifest import Manifest
from core.review.records import FLAGS, GOLD, Event, Item, Place, Verdict
from core.review.state import joined, replay_all
from core.tracefile.checks import array, boolean, integer, number, optional, text

LABELS, TABLE = "labels.jsonl", "verdicts.parquet"

_INTERVAL = pa.struct(
    [
        ("part", pa.int32()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("lane", pa.string()),
    ]
)
_SCHEMA = pa.schema(
    [
        ("item", pa.string()),
        ("sentence", pa.int32()),
        ("text", pa.string()),
        ("owner", pa.string()),
        ("units", pa.list_(pa.string())),
        ("intervals", pa.list_(_INTERVAL)),
        *((name, pa.bool_()) for name in (*FLAGS, "accepted")),
        ("note", pa.string()),
        ("title", pa.string()),
        ("task", pa.string()),
        ("model", pa.string()),
        ("author", pa.string()),
        ("version", pa.int32()),
        ("time", pa.timestamp("us", tz="UTC")),
    ]
)


class Said(NamedTuple):
    """A committed verdict on its way in or out; ``text`` is the sentence's words."""

    owner: str
    place: Place
    text: str
    verdict: Verdict


class Committed(NamedTuple):
    """A committed verdict, and the last event of its owner on that sentence."""

    said: Said
    last: Event


def committed(manifest: Manifest, events: Sequence[Event]) -> list[Committed]:
    """What is committed, by owner and place; the gold verdicts last."""
    last = {(event.owner, event.place): event for event in events}
    found = [
        Committed(
            Said(
                owner, place, manifest.items[place.item].sentences[place.sentence], state.committed
            ),
            last[owner, place],
        )
        for (owner, place), state in replay_all(events).items()
        if state.committed is not None
    ]
    return sorted(found, key=lambda one: (one.said.owner == GOLD, *one.said[:2]))


def write_exports(folder: Path, manifest: Manifest, events: Sequence[Event]) -> tuple[Path, Path]:
    """Write ``labels.jsonl`` and ``verdicts.parquet``; existing ones are replaced whole.

    Raises:
        InputError: the folder cannot be written.
    """
    rows = committed(manifest, events)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drafts = folder / f".{LABELS}.part", folder / f".{TABLE}.part"
        write_labels(drafts[0], map(_label, (row.said for row in rows if row.said.verdict.counts)))
        table = [_row(row, manifest.items[row.said.place.item]) for row in rows]
        pq.write_table(pa.Table.from_pylist(table, _SCHEMA), drafts[1])
        return tuple(
            draft.replace(folder / name)
            for draft, name in zip(drafts, (LABELS, TABLE), strict=True)
        )
    except OSError as error:
        raise InputError(f"{folder.name!r} cannot be written: {error.strerror}.") from error


def read_said(path: Path) -> list[Said]:
    """Verdicts of people from a label file (``.jsonl``) or a table (``.parquet``).

    Raises:
        InputError: the file cannot be read, or a row is wrong.
    """
    if path.suffix.lower() == ".parquet":
        return _read_table(path)
    return [_said(label) for label in read_labels(path) if label.by == "person"]


def _label(said: Said) -> Label:
    verdict = said.verdict
    return Label(
        *said.place, said.text, verdict.units, verdict.intervals, by="person", name=said.owner
    )


def _said(label: Label) -> Said:
    sourceless = not (label.units or label.intervals)
    verdict = Verdict(
        tuple(sorted(set(label.units))), joined(label.intervals), unsupported=sourceless
    )
    return Said(label.name, Place(label.answer_id, label.span), label.text, verdict)


def _row(one: Committed, item: Item) -> dict[str, Any]:
    return {
        "item": item.id,
        "sentence": one.said.place.sentence,
        "text": one.said.text,
        "owner": one.said.owner,
        **asdict(one.said.verdict),
        "title": item.title,
        "task": item.task,
        "model": item.model,
        "author": one.last.author,
        "version": one.last.version,
        "time": round(one.last.time * 1e6),
    }


_CHECKS = {
    "item": text(16),
    "sentence": integer(0, 100_000),
    "text": text(1_000_000),
    "owner": text(100),
    "units": array(text(200), 100_000),
    "note": text(10_000),
    **dict.fromkeys(FLAGS, boolean),
}
_EDGE = number(0, 1e7)


def _read_table(path: Path) -> list[Said]:
    wanted = [*_CHECKS, "intervals"]
    try:
        rows = pq.read_table(path, columns=wanted).to_pylist()
        return [_checked(row, f"{path.name!r}, row {at}") for at, row in enumerate(rows, 1)]
    except TraceFileError as error:
        raise InputError(str(error)) from error
    except (OSError, KeyError, TypeError, pa.ArrowException) as error:
        raise InputError(
            f"{path.name!r} is no table of verdicts; it needs the columns {', '.join(wanted)}."
        ) from error


def _checked(row: dict[str, Any], where: str) -> Said:
    found = {name: check(row[name], f"{where}, {name}") for name, check in _CHECKS.items()}
    intervals = [
        Interval(
            integer(0, 10_000)(one["part"], where),
            _EDGE(one["start"], where),
            _EDGE(one["end"], where),
            optional(text(20))(one["lane"], where),
        )
        for one in row["intervals"]
    ]
    verdict = Verdict(
        tuple(sorted(set(found["units"]))),
        joined(intervals),
        note=found["note"],
        **{name: found[name] for name in FLAGS},
    )
    return Said(found["owner"], Place(found["item"], found["sentence"]), found["text"], verdict)


def newest(said: Iterable[Said]) -> dict[tuple[str, Place], Said]:
    """One verdict an owner and sentence: the last of several."""
    return {(one.owner, one.place): one for one in said}
