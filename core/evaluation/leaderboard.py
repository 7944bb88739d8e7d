"""A folder of reports → one table: signals × models × settings, best first.

    leaderboard.json   {"format": 1, "rows", "problems"}
    leaderboard.html   the same for people
    leaderboard.csv    the same for a spreadsheet

A report is found by its file, ``report.json`` or any other ``.json``, at any depth; its name is
that of its folder. A row is a signal under one curation, by one model on one report's tasks
together. Columns that a report says nothing of (no film, no model at hand) are empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.grouping import Row
from core.evaluation.html import document, table
from core.evaluation.metrics import MODALITIES
from core.evaluation.reading import BOARD_FORMAT, read_bytes, read_leaderboard, read_report
from core.evaluation.report import write_csv
from core.evaluation.scoring import RANDOM

TITLE = "Leaderboard"


def leaderboard(folder: Path) -> tuple[list[Row], list[Row]]:
    """The rows of all reports of a folder, best first, and files that are no reports.

    Raises:
        InputError: it is no folder, or holds no report.
    """
    reports: dict[str, Mapping[str, Any]] = {}
    problems: list[Row] = []
    for path in sorted(folder.rglob("*.json")):
        name = report_name(path, folder)
        try:
            reports[name] = read_report(read_bytes(path), repr(path.name))
        except InputError as error:
            problems.append({"file": str(path.relative_to(folder)), "problem": str(error)})
    if not reports:
        why = f" {problems[0]['problem']}" if problems else ""
        raise InputError(f"{folder.name!r} holds no report: run `core evaluate` into it.{why}")
    return ranked(row for name, made in reports.items() for row in board_rows(name, made)), problems


def open_any(path: Path) -> dict[str, Any]:
    """A report, or a leaderboard (which has ``rows``), checked.

    Raises:
        InputError: it is neither.
    """
    content, name = read_bytes(path), repr(path.name)
    return read_leaderboard(content, name) or read_report(content, name)


def report_name(path: Path, folder: Path) -> str:
    """What a report is called: its place below the folder, without the usual file name."""
    place = path.relative_to(folder)
    named = place.parent if place.name == "report.json" else place.with_suffix("")
    return named.as_posix() if named.parts else folder.name


def ranked(rows: Iterable[Row]) -> list[Row]:
    """Rows by falling F1; those without come last, by what they lose without their first source."""
    return sorted(rows, key=lambda row: (row["f1"] is None, -(row["f1"] or row["top1"] or 0)))


def board_rows(name: str, made: Mapping[str, Any]) -> Iterator[Row]:
    """One report's rows: of every model its first task, which is all of them where there are more.

    Args:
        name: of the report.
        made: the report, as ``reading.read_report`` checks it.
    """
    tables = made["tables"]
    methods: dict[tuple[str, str, str, str], dict[str, Row]] = {}
    for row in tables.get("table2", ()):
        key = row["model"], row["task"], row["signal"], row["curation"]
        methods.setdefault(key, {})[row["modality"]] = row
    causal = {(r["model"], r["task"], r["signal"]): r for r in tables.get("causal", ())}
    for model, task, signal in causal:
        # A causal score is the signal's, whichever curation comes after it.
        if not any((model, task, signal) == key[:3] for key in methods):
            methods[model, task, signal, "–"] = {}
    first: dict[str, str] = {}
    for (model, task, signal, curation), scores in methods.items():
        if task != first.setdefault(model, task):
            continue
        # Chance "matched to" a signal cites as much as it, and nothing else of it.
        is_chance = curation == RANDOM
        hidden = {} if is_chance else causal.get((model, task, signal), {})
        cost = {} if is_chance else _cost(tables.get("costs", ()), model, task, signal)
        overall = scores.get("all", {})
        yield {
            "report": name,
            "model": model,
            "task": task,
            "signal": signal,
            "settings": curation,
            "f1": overall.get("f1"),
            "low": overall.get("low"),
            "high": overall.get("high"),
            **{f"{one}_f1": scores.get(one, {}).get("f1") for one in MODALITIES},
            **{key: hidden.get(key) for key in ("top1", "deletion", "insertion")},
            **{key: cost.get(key) for key in ("decoding_ms", "recorded_mb")},
            "answers": overall.get("answers", hidden.get("answers")),
        }


def write_leaderboard(rows: Sequence[Row], problems: Sequence[Row], folder: Path) -> None:
    """Write the three files into a folder, which is made.

    Raises:
        InputError: the folder cannot be written.
    """
    made = {"format": BOARD_FORMAT, "rows": rows, "problems": problems}
    body = table(rows) + "<h2>Files that are no reports</h2>" + table(problems)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False)
        (folder / "leaderboard.json").write_text(content + "\n", encoding="utf-8")
        (folder / "leaderboard.html").write_text(document(TITLE, [body]), encoding="utf-8")
        write_csv(folder / "leaderboard.csv", rows)
    except OSError as error:
        raise InputError(f"The folder {folder.name!r} cannot be written: {error}.") from error


def _cost(rows: Sequence[Row], model: str, task: str, signal: str) -> Mapping[str, Any]:
    """Of the recording that this signal was part of."""
    return next(
        (
            row
            for row in rows
            if (row["model"], row["task"]) == (model, task) and signal in row["signals"].split(", ")
        ),
        {},
    )
