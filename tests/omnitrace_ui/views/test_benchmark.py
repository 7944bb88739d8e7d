"""Reports on the screen: escaped, intervals beside their numbers, one colour a series."""

import json

import pytest

from core.evaluation.charts import COLOURS, Chart, Series
from omnitrace_ui.views.benchmark import summary, table
from omnitrace_ui.views.charts import plotted

EVIL = "<img src=x onerror=alert(1)>"


def test_an_interval_stands_behind_its_number():
    rows = [{"signal": "attmean", "f1": 78.123, "low": 75.0, "high": 81.2, "answers": 1200}]
    made = table(rows, "Table")
    assert '78.12 <span class="ot-between">75.00–81.20</span>' in made
    assert '<th scope="col" class="ot-number">F1, %</th>' in made
    assert ">1,200</td>" in made and ">low<" not in made


def test_what_is_not_known_is_a_dash_and_lists_are_left_out():
    made = table([{"task": "a", "p": None, "points": [[1, 2]]}], "Table")
    assert "<td>–</td>" in made and "points" not in made
    assert "nothing in this report" in table([], "Table")


def test_what_all_rows_share_stands_in_the_caption():
    rows = [{"model": "m", "signal": name, "settings": None, "f1": 1.0} for name in "ab"]
    made = table(rows, "Board", shared=True)
    assert "<caption>Board · model: m</caption>" in made and ">model<" not in made
    assert ">a</td>" in made and ">settings<" in made
    assert ">model<" in table(rows, "Board") and ">model<" in table(rows[:1], "Board", shared=True)


def test_names_are_never_markup():
    made = table([{EVIL: EVIL, "f1": 1.0}], EVIL)
    told = summary(EVIL, {
        "traces": {"scored": 1, "sentences_labelled": 1, "sentences_unlabelled": 0},
        "labels": [{"by": EVIL, "name": EVIL, "labels": EVIL}],
        "problems": {"counts": {EVIL: 1}},
    }, 1)  # fmt: skip
    series = Series(EVIL, "bars", (EVIL,), (1.0,))
    drawn = plotted(Chart("c", EVIL, EVIL, EVIL, (series,)), dark=False).to_json()
    for text in (made, told, summary(EVIL, None, 3), drawn):
        assert "<img" not in text and "&lt;img" in text


@pytest.mark.parametrize("dark", [False, True])
def test_every_mark_is_drawn(dark: bool):
    marks = ("line", "dashed", "steps", "points", "bars")
    series = tuple(
        Series(mark, mark, ("a", "b") if mark == "bars" else (0.1, 0.2), (1.0, 2.0))
        for mark in marks
    )
    chart = Chart("c", "Title", "x", "y", series, (0, 1), (0, 2), diagonal=True)
    made = json.loads(plotted(chart, dark=dark).to_json())
    assert [trace["name"] for trace in made["data"]] == ["evenly", *marks]
    assert made["data"][-1]["marker"]["color"] == COLOURS[4]
    assert made["layout"]["yaxis"]["range"] == [0, 2]


def test_bars_have_whiskers_where_there_is_an_interval():
    series = Series("s", "bars", ("a", "b"), (50.0, 20.0), (45.0, None), (60.0, None))
    (bars,) = plotted(Chart("c", "t", "", "F1", (series,)), dark=True).data
    assert (bars.error_y.array, bars.error_y.arrayminus) == ((10.0, 0), (5.0, 0))


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("ground", ["#ffffff", "#0f172a"])
def test_series_stand_out_from_both_grounds(colour: str, ground: str):
    dark, light = sorted((luminance(colour), luminance(ground)))
    assert (light + 0.05) / (dark + 0.05) >= 3
