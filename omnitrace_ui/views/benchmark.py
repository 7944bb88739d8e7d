"""A report's rows → markup for the Benchmark page. Every string is a stranger's and is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Row = Mapping[str, Any]

EMPTY = "–"
_WORDS = {
    "f1": "F1, %",
    "text_f1": "text F1",
    "image_f1": "image F1",
    "time_f1": "time F1",
    "top1": "nats, 1st hidden",
    "top3": "nats, first 3 hidden",
    "deletion": "deletion area",
    "insertion": "insertion area",
    "decoding_ms": "ms a token",
    "recorded_mb": "MB a signal",
    "total_s": "seconds in all",
    "right": "right answers",
    "wrong": "wrong answers",
    "right_f1": "F1 of right answers",
    "wrong_f1": "F1 of wrong answers",
    "rouge_l": "ROUGE-L",
    "pearson": "Pearson's r",
    "pearson_p": "its p",
    "spearman": "Spearman's ρ",
    "spearman_p": "its p ",
    "error": "off the diagonal, %",
    "p": "p",
}
"""Column → heading, where it is not the name in words."""

_INTERVALS = {"low": "high", "right_low": "right_high", "wrong_low": "wrong_high"}
_OF = {
    "low": ("f1", "difference", "top1", "mean", "y"),
    "right_low": ("right_f1",),
    "wrong_low": ("wrong_f1",),
}
"""A lower end → the columns that its interval may be of; the first that is there has it."""


def table(rows: Sequence[Row], caption: str, *, shared: bool = False) -> str:
    """Rows as a table that scrolls sideways by itself; the first row names the columns.

    An interval stands behind the number that it is of, lists are left out.

    Args:
        rows: of the table.
        caption: above it.
        shared: words that all rows have in common stand in the caption, not in every row.
    """
    if not rows:
        return f'<p class="ot-none">{escape(caption)}: nothing in this report.</p>'
    between = _intervals(rows[0])
    hidden = {end for ends in between.values() for end in ends}
    columns = [k for k, v in rows[0].items() if k not in hidden and not isinstance(v, list)]
    same = _same(rows, columns) if shared else {}
    columns = [column for column in columns if column not in same]
    caption = " · ".join((caption, *(f"{heading(name)}: {word}" for name, word in same.items())))
    numeric = {c for c in columns if any(_is_number(row.get(c)) for row in rows)}
    head = "".join(
        f'<th scope="col"{_number(column in numeric)}>{escape(heading(column))}</th>'
        for column in columns
    )
    body = "".join(
        "<tr>"
        + "".join(_cell(row, column, between.get(column), column in numeric) for column in columns)
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="ot-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="ot-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def heading(column: str) -> str:
    """A column's name in words."""
    return _WORDS.get(column, column.replace("_", " "))


def summary(name: str, report: Mapping[str, Any] | None, rows: int) -> str:
    """What was opened, in a sentence or two."""
    if report is None:
        return f"<p><strong>{escape(name)}</strong>: a leaderboard of {rows} rows.</p>"
    traces = report["traces"]
    said = (
        f"{traces['scored']:,} answers scored, {traces['sentences_labelled']:,} sentences with a "
        f"label and {traces['sentences_unlabelled']:,} without"
    )
    labels = ", ".join(
        f"{row.get('labels')} by {row.get('by')} {row.get('name')}" for row in report["labels"]
    )
    told = f" Labels: {escape(labels)}." if labels else ""
    problems = ", ".join(f"{kind} ({n})" for kind, n in report["problems"]["counts"].items())
    wrong = f" Problems: {escape(problems)}." if problems else ""
    return f"<p><strong>{escape(name)}</strong>: {escape(said)}.{told}{wrong}</p>"


def _same(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, str]:
    """Column → the word that every row has there; of a single row nothing is repeated."""
    words = {column: rows[0][column] for column in columns if isinstance(rows[0][column], str)}
    found = {c: w for c, w in words.items() if all(row.get(c) == w for row in rows)}
    return found if len(rows) > 1 else {}


def _intervals(row: Row) -> dict[str, tuple[str, str]]:
    """Column → the two ends of its interval."""
    found = {}
    for low, high in _INTERVALS.items():
        column = next((c for c in _OF[low] if c in row), None)
        if low in row and high in row and column:
            found[column] = low, high
    return found


def _cell(row: Row, column: str, ends: tuple[str, str] | None, numeric: bool) -> str:
    shown = escape(_shown(row.get(column)))
    if ends and all(row.get(end) is not None for end in ends):
        low, high = (escape(_shown(row[end])) for end in ends)
        shown += f' <span class="ot-between">{low}–{high}</span>'
    return f"<td{_number(numeric)}>{shown}</td>"


def _shown(value: object) -> str:
    if value is None:
        return EMPTY
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1 else f"{value:,.2f}"
    return f"{value:,}" if _is_number(value) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(numeric: bool) -> str:
    return ' class="ot-number"' if numeric else ""
