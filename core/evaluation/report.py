"""What an evaluation found → report.json, report.html and one CSV a table.

    report.json   {"format": 2, "traces", "labels", "problems", "tables": {name: rows}}
    report.html   the same for people, with the figures
    NAME.csv      the same rows; lists (an ECDF, calibration bins) are CSVs of their own
    figures/      NAME.svg, NAME.png, and NAME.csv with the numbers drawn

Nothing is dropped silently: every trace and label that could not be used is a problem, counted by
kind and named.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation import tables
from core.evaluation.causal_tables import causal, causal_comparisons
from core.evaluation.charts import chart_rows, charts
from core.evaluation.comparing import comparisons
from core.evaluation.curves import CausalResult
from core.evaluation.figures import FORMATS, drawn
from core.evaluation.html import page
from core.evaluation.scoring import Problem, Result

FORMAT = 2

TABLES = {
    "table2": tables.table_2,
    "table3": tables.table_3,
    "comparisons": comparisons,
    "figure2a": tables.figure_2a,
    "figure2b": tables.figure_2b,
    "figure3a": tables.positions,
    "figure3b": tables.calibrations,
    "figure4": tables.quality,
    "options": tables.options,
    "costs": tables.costs,
}
"""Name → what makes its rows of all results."""

_CURVES = {
    "figure3a": ("ecdf", ("position", "share")),
    "figure3b": ("bins", None),
    "figure4": ("points", ("rouge_l", "f1")),
    "causal": ("curve", None),
}
"""Tables whose rows hold a list: its key, and the names of its columns (``None``: its keys)."""


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        results: one a trace that has labels.
        problems: all that did not fit, in order.
        labellers: ``(by, name, prompt version)`` → labels used.
        predictors: the same → predictions for the traces of the folder.
        causal: one a trace whose sources were hidden from the model.
    """

    results: tuple[Result, ...]
    problems: tuple[Problem, ...]
    labellers: Mapping[tuple[str, str, str], int]
    predictors: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    causal: tuple[CausalResult, ...] = ()


def report(evaluated: Evaluated) -> dict[str, Any]:
    """The report as plain JSON values."""
    results, hidden = evaluated.results, evaluated.causal
    made = {name: rows(results) for name, rows in TABLES.items()}
    made["comparisons"] += causal_comparisons(hidden)
    made["causal"] = causal(hidden)
    return {
        "format": FORMAT,
        "traces": {
            "scored": len(results),
            "judged": len(hidden),
            "models": dict(Counter(result.model for result in results or hidden)),
            "sentences_labelled": sum(result.labelled for result in results),
            "sentences_unlabelled": sum(result.unlabelled for result in results),
        },
        "labels": [
            {"by": by, "name": name, "prompt_version": version, "labels": count}
            for (by, name, version), count in evaluated.labellers.items()
        ],
        "predictions": [
            {"by": by, "name": name, "prompt_version": version, "sentences": count}
            for (by, name, version), count in evaluated.predictors.items()
        ],
        "problems": {
            "counts": dict(Counter(problem.kind for problem in evaluated.problems)),
            "all": [problem._asdict() for problem in evaluated.problems],
        },
        "tables": made,
    }


def write_report(made: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write ``report.json``, ``report.html`` and the CSVs into a folder, which is made.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "report.json"
        path.write_text(
            json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
        html = folder / "report.html"
        html.write_text(page(made), encoding="utf-8")
        return (
            path,
            html,
            *(write_csv(folder / f"{name}.csv", rows) for name, rows in _csvs(made) if rows),
            *write_figures(made, folder / "figures"),
        )
    except OSError as error:
        raise InputError(f"The folder {folder.name!r} cannot be written: {error}.") from error


def write_figures(
    made: Mapping[str, Any], folder: Path, *, kinds: Sequence[str] = (*FORMATS, "csv")
) -> tuple[Path, ...]:
    """Write every figure of a report into a folder, which is made: drawn, and its numbers."""
    folder.mkdir(exist_ok=True)
    written = []
    for chart in charts(made["tables"]):
        for kind in kinds:
            path = folder / f"{chart.name}.{kind}"
            if kind == "csv":
                write_csv(path, chart_rows(chart))
            else:
                path.write_bytes(drawn(chart, kind))
            written.append(path)
    return tuple(written)


def told(made: Mapping[str, Any]) -> str:
    """A report in a few lines, for a terminal: counts, table 2 over all tasks, problems."""
    traces, problems = made["traces"], made["problems"]["counts"]
    rows = made["tables"]["table2"]
    width = max([34, *(len(row["signal"]) + len(row["curation"]) + 5 for row in rows)])
    lines = [
        f"{traces['scored']} traces scored; {traces['sentences_labelled']} sentences with a label, "
        f"{traces['sentences_unlabelled']} without",
        f"{'F1, %':<{width}}{'modality':<10}{'F1':>6}   95 % interval",
    ]
    first: dict[str, str] = {}
    for row in rows:
        if row["task"] == first.setdefault(row["model"], row["task"]):
            named = f"{row['signal']} · {row['curation']}"
            between = "" if row["low"] is None else f"{row['low']:.1f}–{row['high']:.1f}"
            lines.append(f"{named:<{width}}{row['modality']:<10}{row['f1']:>6.1f}   {between}")
    for row in made["tables"]["causal"]:
        if row["task"] == first.setdefault(row["model"], row["task"]):
            lost = f"{row['top1']:>6.2f}   without its first source"
            lines.append(f"{row['signal']:<{width}}{'nats':<10}{lost}")
    lines += [f"problem: {kind}: {count}" for kind, count in problems.items()]
    return "\n".join(lines)


def _csvs(made: Mapping[str, Any]) -> Iterable[tuple[str, Sequence[Mapping[str, Any]]]]:
    yield "problems", made["problems"]["all"]
    for name, rows in made["tables"].items():
        if name not in _CURVES:
            yield name, rows
            continue
        key, columns = _CURVES[name]
        yield name, [{k: v for k, v in row.items() if k != key} for row in rows]
        yield (
            f"{name}-{key}",
            [_point(row, key, columns, point) for row in rows for point in row[key]],
        )


def _point(
    row: Mapping[str, Any], key: str, columns: Sequence[str] | None, point: Any
) -> Mapping[str, Any]:
    named = {k: v for k, v in row.items() if k != key and isinstance(v, str)}
    return named | (dict(zip(columns, point, strict=True)) if columns else point)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows of one table, the first of which names the columns; cells are safe in spreadsheets."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([{k: _safe(v) for k, v in row.items()} for row in rows])
    return path


def _safe(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula: names come from strangers' files."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
