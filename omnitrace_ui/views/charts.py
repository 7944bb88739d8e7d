"""A report's charts for the screen, by plotly, in light or dark.

Names come from strangers' reports, and plotly reads a little markup in every text: all are escaped.
"""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from core.evaluation.charts import COLOURS, Chart, Series

_LINES = {"line": "solid", "dashed": "dash", "steps": "solid"}
_INK = {False: ("#1e293b", "#64748b", "#e2e8f0"), True: ("#e2e8f0", "#94a3b8", "#334155")}
"""Dark or not → colours of text, of axes and the diagonal, and of the grid."""

_HEIGHT = 440


def plotted(chart: Chart, *, dark: bool) -> go.Figure:
    """A chart as a figure; the page around it shows through, and says its title."""
    text, axis, grid = _INK[dark]
    traces = [_trace(series, COLOURS[at % len(COLOURS)]) for at, series in enumerate(chart.series)]
    if chart.diagonal:
        diagonal = {"x": [0, 1], "y": [0, 1], "mode": "lines", "name": "evenly"}
        look = {"line": {"color": axis, "dash": "dot"}, "hoverinfo": "skip"}
        traces.insert(0, go.Scatter(**diagonal, **look))
    axes = {"gridcolor": grid, "zerolinecolor": grid, "linecolor": axis, "automargin": True}
    return go.Figure(
        traces,
        go.Layout(
            font={"color": text, "size": 13},
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
            height=_HEIGHT,
            margin={"l": 60, "r": 16, "t": 16, "b": 48},
            barmode="group",
            showlegend=True,
            legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
            xaxis={**axes, "title": {"text": escape(chart.x)}, "range": chart.x_range},
            yaxis={**axes, "title": {"text": escape(chart.y)}, "range": chart.y_range},
        ),
    )


def _trace(series: Series, colour: str) -> go.Bar | go.Scatter:
    name = escape(series.name)
    if series.mark == "bars":
        names = [escape(str(x)) for x in series.x]
        return go.Bar(
            x=names, y=series.y, name=name, marker={"color": colour}, error_y=_errors(series)
        )
    if series.mark == "points":
        marker = {"color": colour, "opacity": 0.7, "size": 6}
        return go.Scatter(x=series.x, y=series.y, name=name, mode="markers", marker=marker)
    line = {"color": colour, "dash": _LINES[series.mark]}
    if series.mark == "steps":
        line["shape"] = "hv"
    mode = "lines+markers" if series.mark == "line" else "lines"
    return go.Scatter(x=series.x, y=series.y, name=name, mode=mode, line=line)


def _errors(series: Series) -> dict[str, Any] | None:
    if not series.low:
        return None
    points = list(zip(series.y, series.low, series.high, strict=True))
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if high is None else max(0.0, high - y) for y, _, high in points],
        "arrayminus": [0 if low is None else max(0.0, y - low) for y, low, _ in points],
        "thickness": 1.2,
    }
