"""The Benchmark page's handlers: reports in, tables, figures and files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.errors import InputError
from core.evaluation.charts import Chart, chart_rows, charts
from core.evaluation.figures import drawn
from core.evaluation.html import TITLES
from core.evaluation.leaderboard import board_rows, open_any, ranked, report_name
from core.evaluation.report import write_csv
from omnitrace_ui.session import Store, Visitor

Row = Mapping[str, Any]

BOARD = "Leaderboard of all reports"
"""Offered where the server has several reports."""


@dataclass(frozen=True)
class Opened:
    """What a visitor looks at.

    Attributes:
        name: of the report.
        report: as ``core.evaluation.reading`` checked it; ``None`` for a leaderboard.
        rows: of its leaderboard, best first.
        figures: by title.
    """

    name: str = ""
    report: Mapping[str, Any] | None = None
    rows: Sequence[Row] = ()
    figures: Mapping[str, Chart] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, found: Mapping[str, Any]) -> Opened:
        """A checked report, or a checked leaderboard."""
        if "rows" in found:
            return cls(name, None, found["rows"])
        figures = {chart.title: chart for chart in charts(found["tables"])}
        return cls(name, found, ranked(board_rows(name, found)), figures)

    @property
    def tables(self) -> dict[str, str]:
        """Title → name of the tables that hold rows."""
        held = self.report["tables"] if self.report else {}
        return {title: name for name, title in TITLES.items() if held.get(name)}

    def tasks(self, title: str | None) -> list[str]:
        """The tasks that a table tells apart, in its order; none where it does not."""
        return list(dict.fromkeys(row["task"] for row in self._all(title) if "task" in row))

    def table(self, title: str | None, task: str | None = None) -> list[Row]:
        """The rows of a table, of one task where it tells tasks apart."""
        rows = self._all(title)
        return [row for row in rows if "task" not in row or row["task"] == task]

    def _all(self, title: str | None) -> Sequence[Row]:
        name = self.tables.get(title or "")
        return self.report["tables"][name] if self.report and name else ()


@dataclass(frozen=True)
class Reports:
    """The reports that the server's operator offers: name → file; may be empty."""

    known: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Reports:
        """Every ``report.json`` below a folder; what they hold is checked when they are opened."""
        return cls(
            {report_name(path, folder): path for path in sorted(folder.rglob("report.json"))}
        )

    @property
    def names(self) -> list[str]:
        """What a visitor may choose."""
        return [BOARD, *self.known] if len(self.known) > 1 else list(self.known)

    def open(self, name: str | None) -> Opened:
        """Open one of them, or all as a leaderboard.

        Raises:
            InputError: there is none of that name, or it is no sound report.
        """
        if name == BOARD and name in self.names:
            opened = [self.open(one) for one in self.known]
            return Opened(BOARD, None, ranked(row for one in opened for row in one.rows))
        if name not in self.known:
            raise InputError(f"There is no report {name!r} here. Known: {', '.join(self.known)}.")
        return Opened.of(name, open_any(self.known[name]))


def open_uploaded(store: Store, visitor: Visitor, path: Path) -> Opened:
    """A report or leaderboard that the visitor uploaded; the upload goes some minutes later.

    Raises:
        InputError: it is neither, or not the visitor's.
    """
    given = store.given(visitor, path)
    return Opened.of(given.stem, open_any(given))


def save_rows(store: Store, visitor: Visitor, rows: Sequence[Row], name: str) -> Path:
    """Rows as a CSV file to download; their lists are left out.

    Raises:
        InputError: there are none.
    """
    plain = [{k: v for k, v in row.items() if not isinstance(v, list)} for row in rows]
    if not plain:
        raise InputError("There is nothing to download yet: open a report first.")
    return write_csv(_target(store, visitor, f"{name}.csv"), plain)


def save_figure(
    store: Store, visitor: Visitor, chart: Chart | None, kind: Literal["svg", "png", "csv"]
) -> Path:
    """A figure as a file to download: drawn for print, or its numbers.

    Raises:
        InputError: no figure is shown.
    """
    if chart is None:
        raise InputError("There is no figure to download yet: open a report first.")
    target = _target(store, visitor, f"{chart.name}.{kind}")
    if kind == "csv":
        return write_csv(target, chart_rows(chart))
    target.write_bytes(drawn(chart, kind))
    return target


def _target(store: Store, visitor: Visitor, name: str) -> Path:
    """A file in the visitor's folder; ``name`` is one of ours."""
    folder = store.folder(visitor) / "saved"
    folder.mkdir(exist_ok=True)
    return folder / name
