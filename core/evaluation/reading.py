"""Reports opened again, whoever wrote them: every table that is shown has its columns checked.

A report is a stranger's file. What is returned holds only tables that this version knows, and of
their rows only plain values; strings are data and must be escaped by whoever shows them. Columns
that this version does not know are kept if they are plain, so that a newer report opens too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError, TraceFileError
from core.evaluation.report import FORMAT
from core.tracefile.checks import Check, array, boolean, integer, number, optional, table, text

MAX_BYTES = 32 * 2**20
_MOST_ROWS, _MOST_POINTS = 20_000, 5_000

_NAME = text(1_000)
_REAL = number(-1e12, 1e12)
_MAYBE = optional(_REAL)
_COUNT = number(0, 1e12)
_SCORE = {"precision": _MAYBE, "recall": _MAYBE, "f1": _REAL, "sentences": _COUNT}
_OF = {"model": _NAME, "task": _NAME, "signal": _NAME}
_BETWEEN = {"low": _MAYBE, "high": _MAYBE}


def _list(inner: Check, most: int) -> Check:
    """As ``array``; returned as the list that it was."""
    check = array(inner, most)
    return lambda value, where: list(check(value, where))


_POINTS = _list(_list(_REAL, 2), _MOST_POINTS)


def _plain(value: Any, where: str) -> Any:
    """A value that is neither list nor object."""
    check = _NAME if isinstance(value, str) else boolean if isinstance(value, bool) else _MAYBE
    return check(value, where)


def _row(**columns: Check) -> Check:
    """An object with these columns at least; others are plain."""

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > 100:
            raise TraceFileError(f"{where} is no row.")
        missing = [name for name in columns if name not in value]
        if missing:
            raise TraceFileError(f"{where} lacks {', '.join(missing)}.")
        rest = table(_plain, 100)({k: v for k, v in value.items() if k not in columns}, where)
        return {
            name: columns[name](value[name], f"{where}.{name}") if name in columns else rest[name]
            for name in value
        }

    return check


_BIN = _row(low=_REAL, high=_REAL, sentences=_COUNT, predicted=_MAYBE, labelled=_MAYBE)
_ROWS: Mapping[str, Check] = {
    "table2": _row(**_OF, curation=_NAME, modality=_NAME, **_SCORE, **_BETWEEN, answers=_COUNT),
    "table3": _row(**_OF, curation=_NAME, modality=_NAME, **_SCORE, answers=_COUNT),
    "comparisons": _row(
        model=_NAME,
        task=_NAME,
        first=_NAME,
        second=_NAME,
        difference=_REAL,
        **_BETWEEN,
        p=optional(number(0, 1)),
        answers=_COUNT,
    ),
    "figure2a": _row(**_OF, segments=_NAME, modality=_NAME, **_SCORE, **_BETWEEN),
    "figure2b": _row(**_OF, curation=_NAME, modality=_NAME, **_SCORE, **_BETWEEN),
    "figure3a": _row(
        model=_NAME, kind=_NAME, of=_NAME, citations=_COUNT, mean=_MAYBE, **_BETWEEN, ecdf=_POINTS
    ),
    "figure3b": _row(
        model=_NAME, signal=_NAME, sentences=_COUNT, error=_MAYBE, bins=_list(_BIN, 100)
    ),
    "figure4": _row(
        **_OF,
        right_f1=_MAYBE,
        right_low=_MAYBE,
        right_high=_MAYBE,
        right=_COUNT,
        wrong_f1=_MAYBE,
        wrong_low=_MAYBE,
        wrong_high=_MAYBE,
        wrong=_COUNT,
        pearson=_MAYBE,
        spearman=_MAYBE,
        points=_POINTS,
    ),
    "options": _row(**_OF, consistent=_MAYBE, compared=_COUNT, not_compared=_COUNT),
    "costs": _row(
        model=_NAME, task=_NAME, signals=_NAME, answers=_COUNT, decoding_ms=_MAYBE,
        total_s=_MAYBE, recorded_mb=_MAYBE,
    ),
    "causal": _row(
        **_OF,
        top1=_REAL,
        top3=_REAL,
        **_BETWEEN,
        deletion=_MAYBE,
        insertion=_MAYBE,
        sentences=_COUNT,
        answers=_COUNT,
        curve=_list(_row(share=number(0, 1), lost=_REAL, regained=_REAL), 100),
    ),
}  # fmt: skip
"""Table → what each of its rows must hold."""

_FREE_ROW = _row()
_TRACES = _row(
    scored=_COUNT,
    sentences_labelled=_COUNT,
    sentences_unlabelled=_COUNT,
    models=table(_COUNT, 1_000),
)


BOARD_FORMAT = 1
_BOARD_ROW = _row(
    report=_NAME,
    **_OF,
    settings=_NAME,
    f1=_MAYBE,
    **_BETWEEN,
    top1=_MAYBE,
    deletion=_MAYBE,
    insertion=_MAYBE,
)


def read_bytes(path: Path) -> bytes:
    """A file that is not too large to be a report.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name!r} is larger than {MAX_BYTES // 2**20} MB.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}.") from error


def read_report(content: bytes, name: str) -> dict[str, Any]:
    """Check a report.

    Args:
        content: of a ``report.json``.
        name: of the file, for messages.

    Raises:
        InputError: it is no sound report, or of another version; says what is wrong where.
    """
    value = _parsed(content, name)
    if not isinstance(value, dict) or not isinstance(value.get("tables"), dict):
        raise InputError(f"{name} is no report: choose the report.json of `core evaluate`.")
    _check_format(value, FORMAT, name)
    try:
        return _checked(value)
    except TraceFileError as error:
        raise InputError(f"{name}: {error}") from error


def read_leaderboard(content: bytes, name: str) -> dict[str, Any] | None:
    """Check a leaderboard; ``None`` if it is none, by its looks.

    Raises:
        InputError: it is one, and not sound.
    """
    value = _parsed(content, name)
    if not isinstance(value, dict) or "tables" in value or "rows" not in value:
        return None
    _check_format(value, BOARD_FORMAT, name)
    try:
        return {"rows": _list(_BOARD_ROW, _MOST_ROWS)(value["rows"], "rows")}
    except TraceFileError as error:
        raise InputError(f"{name}: {error}") from error


def _parsed(content: bytes, name: str) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not valid JSON: choose a report.json.") from error


def _check_format(value: Mapping[str, Any], known: int, name: str) -> None:
    version = value.get("format")
    if version != known or isinstance(version, bool):
        raise InputError(
            f"{name} has format {str(version)[:20]!r}; this version reads {known}. Update it, or "
            "evaluate again."
        )


def _checked(value: Mapping[str, Any]) -> dict[str, Any]:
    problems = value.get("problems")
    counts = problems.get("counts", {}) if isinstance(problems, dict) else {}
    return {
        "format": value["format"],
        "traces": _TRACES(value.get("traces"), "traces"),
        "labels": _list(_FREE_ROW, _MOST_ROWS)(value.get("labels", []), "labels"),
        "problems": {"counts": table(integer(0, 10**9), 1_000)(counts, "problems.counts")},
        "tables": {
            name: _list(row, _MOST_ROWS)(value["tables"][name], name)
            for name, row in _ROWS.items()
            if name in value["tables"]
        },
    }


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
