"""A report's rows → the paper's figures, as SVG. Drawn without a display, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "omnitrace",
    "text.parse_math": False,  # names come from strangers' files; a "$" is a "$"
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def figures(tables: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str]]:
    """``(title, SVG)`` of every figure that the tables hold data for."""
    for kind in ("summary", "choice"):
        rows = [r for r in tables["figure3a"] if r["kind"] == kind and r["citations"]]
        if rows:
            title = f"Figure 3a · where cited units stand, {kind} prompts"
            yield title, _drawn(lambda axes, rows=rows: _ecdf(axes, rows))
    rows = [r for r in tables["figure3b"] if r["sentences"]]
    if rows:
        yield (
            "Figure 3b · image mass, labelled by predicted",
            _drawn(lambda a: _calibration(a, rows)),
        )
    if tables["figure2b"]:
        yield (
            "Figure 2b · film: both streams, and each alone",
            _drawn(lambda axes: _bars(axes, _of_first_task(tables["figure2b"]))),
        )


def _drawn(draw: Callable[[Axes], None]) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        draw(figure.add_subplot())
        made = StringIO()
        figure.savefig(made, format="svg", metadata={"Date": None})
    return made.getvalue()


def _ecdf(axes: Axes, rows: Sequence[Row]) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="evenly")
    for row in rows:
        x, y = zip(*row["ecdf"], strict=True)
        dashed = "--" if row["of"] == "labels" else "-"
        label = f"{row['model']} · {row['of']} (mean {row['mean']:.2f})"
        axes.step(x, y, where="post", linestyle=dashed, label=label)
    axes.set(xlabel="position in the input", ylabel="share of citations", xlim=(0, 1), ylim=(0, 1))
    axes.legend(fontsize=7, loc="lower right")


def _calibration(axes: Axes, rows: Sequence[Row]) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":")
    for row in rows:
        held = [one for one in row["bins"] if one["sentences"]]
        x, y = ([one[key] for one in held] for key in ("predicted", "labelled"))
        label = f"{row['model']} · {row['signal']} ({row['error']:.1f} % off)"
        axes.plot(x, y, marker="o", markersize=4, label=label)
    axes.set(xlabel="predicted image mass", ylabel="labelled image mass")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(fontsize=7, loc="upper left")


def _bars(axes: Axes, rows: Sequence[Row]) -> None:
    names = [f"{row['signal']}\n{row['curation']}" for row in rows]
    axes.bar(range(len(rows)), [row["f1"] for row in rows], color="0.45")
    axes.set_xticks(range(len(rows)), names, fontsize=7, rotation=30, ha="right")
    axes.set(ylabel="Time-F1, %", ylim=(0, 100))


def _of_first_task(rows: Sequence[Row]) -> list[Row]:
    first = rows[0]["model"], rows[0]["task"]
    return [row for row in rows if (row["model"], row["task"]) == first]
