"""A report's rows → its figures as data: series of numbers and how they are marked.

Whoever draws (``core.evaluation.figures`` for print, the Benchmark page for the screen) draws
these; ``chart_rows`` are the same numbers for a spreadsheet. Where a report holds several tasks, a
chart that compares signals shows each model's first: all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]
Mark = Literal["line", "dashed", "steps", "points", "bars"]

COLOURS = (
    "#3b6fd4",
    "#c2571a",
    "#2f8f5b",
    "#a04ba8",
    "#8a7400",
    "#c03a5b",
    "#1f8a94",
    "#6b7280",
)
"""Of the series in turn; each stands out by 3:1 from white and from near black."""


@dataclass(frozen=True)
class Series:
    """One set of marks.

    Attributes:
        name: for the legend.
        mark: how they are drawn.
        x: numbers, or the names of bars.
        y: numbers; as many.
        low, high: of an interval around each ``y``, ``None`` where there is none; may be empty.
    """

    name: str
    mark: Mark
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Chart:
    """One figure.

    Attributes:
        name: of its files, without an ending.
        title: what it shows.
        x, y: titles of the axes.
        series: at least one, none of them empty.
        x_range, y_range: what the axes span; ``None``: what the numbers do.
        diagonal: a line where both axes are equal.
    """

    name: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    diagonal: bool = False


def charts(tables: Mapping[str, Sequence[Row]]) -> tuple[Chart, ...]:
    """Every figure that the tables hold data for, in the paper's order."""
    return tuple(chart for make in _MAKERS for chart in make(tables) if chart.series)


def chart_rows(chart: Chart) -> list[dict[str, Any]]:
    """A figure's numbers: one row a mark."""
    rows = []
    for series in chart.series:
        none = (None,) * len(series.x)
        points = zip(series.x, series.y, series.low or none, series.high or none, strict=True)
        rows += [
            {"series": series.name, "x": x, "y": y, "low": low, "high": high}
            for x, y, low, high in points
        ]
    return rows


def _table_3(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = [r for r in _first_task(tables.get("table3", ())) if r["modality"] == "all"]
    title = "Table 3 · the published curation, whole and less one part"
    yield Chart("table3", title, "", "F1, %", _bars(rows, "curation"), y_range=(0, 100))


def _figure_2a(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = _first_task(tables.get("figure2a", ()))
    title = "Figure 2a · sound by segmenter"
    yield Chart("figure2a", title, "", "Time-F1, %", _bars(rows, "segments"), y_range=(0, 100))


def _figure_2b(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = _first_task(tables.get("figure2b", ()))
    title = "Figure 2b · film: both streams, and each alone"
    yield Chart("figure2b", title, "", "Time-F1, %", _bars(rows, "curation"), y_range=(0, 100))


def _figure_3a(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    for kind in ("summary", "choice"):
        rows = [r for r in tables.get("figure3a", ()) if r["kind"] == kind and r["citations"]]
        name_of = _namer(rows, "of")
        series = tuple(
            Series(
                f"{name_of(row)} (mean {row['mean']:.2f})",
                "dashed" if row["of"] == "labels" else "steps",
                *_columns(row["ecdf"]),
            )
            for row in rows
        )
        title = f"Figure 3a · where cited units stand, {kind} prompts"
        axes = "position in the input", "share of citations"
        unit = (0.0, 1.0)
        yield Chart(f"figure3a-{kind}", title, *axes, series, unit, unit, diagonal=True)


def _figure_3b(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = [r for r in tables.get("figure3b", ()) if r["sentences"]]
    name_of = _namer(rows, "signal")
    series = []
    for row in rows:
        held = [(b["predicted"], b["labelled"]) for b in row["bins"] if b["sentences"]]
        series.append(Series(f"{name_of(row)} ({row['error']:.1f} % off)", "line", *_columns(held)))
    title = "Figure 3b · image mass, labelled by predicted"
    axes = "predicted image mass", "labelled image mass"
    unit = (0.0, 1.0)
    yield Chart("figure3b", title, *axes, tuple(series), unit, unit, diagonal=True)


def _figure_4a(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = _first_task(tables.get("figure4", ()))
    name_of = _namer(rows, "signal")
    series = []
    for which in ("right", "wrong"):
        held = [row for row in rows if row[which]]
        if held:
            series.append(
                Series(
                    f"{which} answers",
                    "bars",
                    tuple(map(name_of, held)),
                    *(_column(held, f"{which}_{key}") for key in ("f1", "low", "high")),
                )
            )
    title = "Figure 4a · F1 of right and of wrong answers"
    yield Chart("figure4a", title, "", "F1, %", tuple(series), y_range=(0, 100))


def _figure_4b(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = [row for row in _first_task(tables.get("figure4", ())) if row["points"]]
    name_of = _namer(rows, "signal")
    series = tuple(
        Series(name_of(row) + _correlated(row), "points", *_columns(row["points"])) for row in rows
    )
    title = "Figure 4b · ROUGE-L of summaries and F1 of their sources"
    yield Chart("figure4b", title, "ROUGE-L, %", "F1, %", series, (0, 100), (0, 100))


def _options(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = [row for row in _first_task(tables.get("options", ())) if row["compared"]]
    title = "Appendix B.3 · the traced option is the chosen one"
    series = ()
    if rows:
        names = tuple(map(_namer(rows, "signal"), rows))
        series = (Series("consistent", "bars", names, _column(rows, "consistent")),)
    yield Chart("options", title, "", "answers, %", series, y_range=(0, 100))


def _causal(tables: Mapping[str, Sequence[Row]]) -> Iterator[Chart]:
    rows = _first_task(tables.get("causal", ()))
    name_of = _namer(rows, "signal")
    for key, title in (
        ("lost", "Deletion · nats that a sentence loses as its first sources are hidden"),
        ("regained", "Insertion · nats that it regains as its first sources come back"),
    ):
        series = tuple(
            Series(
                name_of(row),
                "dashed" if row["signal"] == "random" else "line",
                *_columns([(point["share"], point[key]) for point in row["curve"]]),
            )
            for row in rows
        )
        name = {"lost": "deletion", "regained": "insertion"}[key]
        yield Chart(name, title, "share of sources", "nats", series, (0.0, 1.0))


_MAKERS: tuple[Callable[[Mapping[str, Sequence[Row]]], Iterator[Chart]], ...] = (
    _table_3,
    _figure_2a,
    _figure_2b,
    _figure_3a,
    _figure_3b,
    _figure_4a,
    _figure_4b,
    _options,
    _causal,
)


def _bars(rows: Sequence[Row], key: str) -> tuple[Series, ...]:
    """A series a signal, a bar for each value of ``key``."""
    name_of = _namer(rows, "signal")
    held: dict[str, list[Row]] = {}
    for row in rows:
        held.setdefault(name_of(row), []).append(row)
    return tuple(
        Series(
            name,
            "bars",
            tuple(row[key] for row in some),
            *(_column(some, column) for column in ("f1", "low", "high") if column in some[0]),
        )
        for name, some in held.items()
    )


def _first_task(rows: Sequence[Row]) -> list[Row]:
    """Of every model the rows of its first task: all tasks, where there are several."""
    first: dict[str, str] = {}
    return [row for row in rows if row["task"] == first.setdefault(row["model"], row["task"])]


def _namer(rows: Sequence[Row], key: str) -> Callable[[Row], str]:
    """Names rows by ``key``, and by their model where there are several."""
    several = len({row["model"] for row in rows}) > 1
    return lambda row: f"{row['model']} · {row[key]}" if several else str(row[key])


def _correlated(row: Row) -> str:
    return "" if row["pearson"] is None else f" (r {row['pearson']:.2f}, ρ {row['spearman']:.2f})"


def _column(rows: Sequence[Row], key: str) -> tuple[Any, ...]:
    return tuple(row[key] for row in rows)


def _columns(points: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(zip(*points, strict=True))
