"""Charts → print-quality files by matplotlib. Drawn without a display, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.evaluation.charts import COLOURS, Chart, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("svg", "png")
DPI = 160

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "omnitrace",
    "text.parse_math": False,  # names come from strangers' files; a "$" is a "$"
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_SIZE = (5.6, 3.6)


def drawn(chart: Chart, kind: Literal["svg", "png"] = "svg") -> bytes:
    """A chart as the content of an SVG or PNG file."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        _draw(figure.add_subplot(), chart)
        made = BytesIO()
        dated = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(made, format=kind, dpi=DPI, metadata=dated)
    return made.getvalue()


def _draw(axes: Axes, chart: Chart) -> None:
    if chart.diagonal:
        axes.plot([0, 1], [0, 1], color="0.6", linestyle=":")
    bars = [series for series in chart.series if series.mark == "bars"]
    for index, series in enumerate(chart.series):
        colour = COLOURS[index % len(COLOURS)]
        if series.mark == "points":
            look = {"s": 12, "alpha": 0.7, "clip_on": False}
            axes.scatter(series.x, series.y, color=colour, label=series.name, **look)
        elif series.mark != "bars":
            _line(axes, series, colour)
    if bars:
        _bars(axes, bars)
    axes.set(xlabel=chart.x, ylabel=chart.y, xlim=chart.x_range, ylim=chart.y_range)
    axes.legend(fontsize=7, loc="best")


def _line(axes: Axes, series: Series, colour: str) -> None:
    if series.mark == "steps":
        axes.step(series.x, series.y, where="post", color=colour, label=series.name)
    else:
        dashed = series.mark == "dashed"
        look = {"linestyle": "--"} if dashed else {"marker": "o", "markersize": 4}
        axes.plot(series.x, series.y, color=colour, label=series.name, **look)


def _bars(axes: Axes, bars: Sequence[Series]) -> None:
    names = list(dict.fromkeys(name for series in bars for name in series.x))
    width = 0.8 / len(bars)
    for index, series in enumerate(bars):
        at = np.array([names.index(name) for name in series.x]) + (index + 0.5) * width - 0.4
        colour = COLOURS[index % len(COLOURS)]
        axes.bar(at, series.y, width, color=colour, label=series.name, yerr=_errors(series))
    axes.set_xticks(range(len(names)), names, fontsize=7, rotation=30, ha="right")


def _errors(series: Series) -> np.ndarray | None:
    """Lengths below and above each bar, 0 where there is no interval."""
    if not series.low:
        return None
    pairs = [
        (0.0, 0.0) if low is None or high is None else (y - low, high - y)
        for y, low, high in zip(series.y, series.low, series.high, strict=True)
    ]
    return np.maximum(np.array(pairs).T, 0.0)
