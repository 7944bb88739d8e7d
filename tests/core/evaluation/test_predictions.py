"""Predictions beside signals, and agreement of two labellers: numbers by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cli import main
from core.errors import InputError
from core.evaluation.evaluate import evaluate
from core.evaluation.judge.agreement import agreements
from core.evaluation.labels import Interval, Label, answer_id, write_labels
from core.evaluation.report import report, write_report
from core.trace import Trace
from tests.core.handmade import ROWS, trace_of


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """Two sentences; the first leans on the first text sentence, the second on the picture."""
    scores = np.zeros((6, len(ROWS)))
    scores[:3, 2], scores[3:, 4] = 0.5, 0.5
    made = trace_of(scores, "Cats", " sat", ". ", "Dogs", " ran", ".")
    made.save(tmp_path / "one.omnitrace")
    return made


def said(trace: Trace, span: int, *units: str, by="baseline", name="mine", **changes) -> Label:
    text = ("Cats sat.", "Dogs ran.")[span]
    return replace(Label(answer_id(trace), span, text, units, (), by, name), **changes)


def truth(trace: Trace) -> list[Label]:
    both = (("p0.0",), ("p1.0", "p0.1"))
    return [said(trace, n, *units, by="generator", name="world") for n, units in enumerate(both)]


def rows(made: dict, **named) -> list[dict]:
    return [r for r in made["tables"]["table2"] if named.items() <= r.items()]


def test_table_2_with_and_without_predictions(trace: Trace, tmp_path: Path):
    """First: one of two cited is right, F1 2/3. Second: one of two labelled is cited, F1 2/3."""
    predictions = [said(trace, 0, "p0.0", "p0.1"), said(trace, 1, "p1.0")]
    without = report(evaluate(tmp_path, truth(trace)))
    made = report(evaluate(tmp_path, truth(trace), predictions=predictions))
    assert not rows(without, curation="post-hoc") and without["predictions"] == []
    assert rows(made, curation="default") == rows(without, curation="default")
    (overall,) = rows(made, signal="mine", curation="post-hoc", modality="all")
    assert (overall["precision"], overall["recall"], overall["f1"]) == (75.0, 75.0, 66.67)
    assert (overall["sentences"], overall["answers"]) == (2, 1)
    (image,) = rows(made, signal="mine", modality="image")
    assert (image["f1"], image["sentences"]) == (100.0, 1)
    (compared,) = (
        r for r in made["tables"]["comparisons"] if (r["first"], r["second"]) == ("attmean", "mine")
    )
    # Tracing: 1 and 2/3 by its default curation.
    assert compared["difference"] == round(100 * (5 / 6 - 2 / 3), 2)
    assert made["predictions"] == [
        {"by": "baseline", "name": "mine", "prompt_version": "", "sentences": 2}
    ]
    write_report(made, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<h2>Predictions</h2>" in page and "post-hoc" in page


def test_a_malformed_prediction_is_a_miss_and_a_missing_one_is_told(trace: Trace, tmp_path: Path):
    """The label of the first names nothing: nobody gets a point for not having been understood."""
    labels = [said(trace, 0, by="judge", name="j"), truth(trace)[1]]
    predictions = [
        said(trace, 0, malformed="Not JSON."),
        said(trace, 1, "p1.0", "p0.1"),
        said(trace, 1, name="other"),
        said(trace, 0, name="stray", answer_id="0" * 16),
    ]
    evaluated = evaluate(tmp_path, labels, predictions=predictions)
    made = report(evaluated)
    (mine,) = rows(made, signal="mine", modality="all")
    assert (mine["f1"], mine["sentences"]) == (50.0, 2)
    (other,) = rows(made, signal="other", modality="all")
    assert (other["f1"], other["sentences"]) == (0.0, 1)
    found = {(problem.kind, problem.where, problem.detail) for problem in evaluated.problems}
    assert found == {
        ("predictions malformed", "one.omnitrace, mine", "1 sentences, scored as misses"),
        ("sentences without a prediction", "one.omnitrace, other", "1 of 2"),
        ("predictions without a trace", "0" * 16, "stray"),
    }


def test_all_malformed_scores_zero_everywhere(trace: Trace, tmp_path: Path):
    predictions = [said(trace, n, malformed="No.") for n in (0, 1)]
    made = report(evaluate(tmp_path, truth(trace), predictions=predictions))
    scores = {r["modality"]: (r["f1"], r["sentences"]) for r in rows(made, signal="mine")}
    assert scores == {"all": (0.0, 2), "text": (0.0, 2), "image": (0.0, 1)}


def test_an_answer_traced_twice_is_predicted_once(trace: Trace, tmp_path: Path):
    """Two files hold one answer under two signals: each signal counts, the prediction once."""
    other = {"rawatt": trace.scores["attmean"]}
    own = {"rawatt": trace.own["attmean"]}
    replace(trace, scores=other, own=own).save(tmp_path / "two.omnitrace")
    predictions = [said(trace, 0, "p0.0"), said(trace, 1, "p1.0")]
    made = report(evaluate(tmp_path, truth(trace), predictions=predictions))
    (mine,) = rows(made, signal="mine", modality="all")
    assert (mine["sentences"], mine["answers"]) == (2, 1)
    assert len(rows(made, curation="default", modality="all")) == 2


def test_neither_the_malformed_nor_a_baseline_is_heard_as_a_label(trace: Trace, tmp_path: Path):
    labels = [
        *truth(trace),
        said(trace, 0, by="judge", name="j", malformed="Not JSON."),
        said(trace, 1, "p0.0"),
    ]
    evaluated = evaluate(tmp_path, labels)
    assert evaluated.labellers == {("generator", "world", ""): 2}
    assert {(p.kind, p.where) for p in evaluated.problems} == {
        ("labels malformed", "judge j"),
        ("baseline given as labels", "baseline mine"),
    }


def test_streams_count_only_where_both_name_them(trace: Trace, tmp_path: Path):
    """A judge knows no streams: against a truth that does, both are read on the clock."""
    heard, seen, open_ = (
        (Interval(3, 0.0, 1.0, lane),) for lane in ("video_sound", "video_frames", None)
    )
    labels = [said(trace, 0, by="generator", name="world", intervals=heard)]
    for intervals, f1 in ((open_, 100.0), (heard, 100.0), (seen, 0.0)):
        predictions = [said(trace, 0, intervals=intervals)]
        made = report(evaluate(tmp_path, labels, predictions=predictions))
        assert rows(made, signal="mine", modality="time")[0]["f1"] == f1


def test_two_labellers_agree_by_the_same_metric(trace: Trace, tmp_path: Path, capsys):
    """F1 2/3 and 0; a third sentence does not exist; one malformed is left out."""
    judge = [
        said(trace, 0, "p0.0", "p0.1", by="judge", name="j", prompt_version="1"),
        said(trace, 1, by="judge", name="j", prompt_version="1"),
    ]
    found, problems = agreements(tmp_path, [*truth(trace), *judge])
    overall = next(row for row in found if row["modality"] == "all")
    assert (overall["first"], overall["second"]) == ("generator world", "judge j (1)")
    assert (overall["f1"], overall["sentences"], overall["left_out"]) == (33.33, 2, 0)
    assert not problems
    swapped, _ = agreements(tmp_path, [*judge, *truth(trace)])
    assert [row["f1"] for row in swapped] == [row["f1"] for row in found]
    partly, _ = agreements(tmp_path, [*truth(trace), judge[0], replace(judge[1], malformed="No.")])
    assert (partly[0]["f1"], partly[0]["sentences"], partly[0]["left_out"]) == (66.67, 1, 1)
    (tmp_path / "broken.omnitrace").write_bytes(b"PK\x03\x04")
    beside, (broken,) = agreements(tmp_path, [*judge, *truth(trace)])
    assert beside == swapped and broken[:2] == ("trace cannot be opened", "broken.omnitrace")
    with pytest.raises(InputError, match="two at least"):
        agreements(tmp_path, truth(trace))
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write_labels(first, truth(trace)), write_labels(second, judge)
    arguments = ["agreement", str(tmp_path), str(first), str(second)]
    assert main(arguments) == 0
    assert "generator world | judge j (1)  all    F1  33.3" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_the_command_takes_predictions(trace: Trace, tmp_path: Path, capsys):
    labels, mine = tmp_path / "labels.jsonl", tmp_path / "mine.jsonl"
    write_labels(labels, truth(trace)), write_labels(mine, [said(trace, 0, "p0.0")])
    asked = [str(tmp_path), "--labels", str(labels), "--out", str(tmp_path / "out")]
    assert main(["evaluate", *asked, "--predictions", str(mine)]) == 0
    assert "mine · post-hoc" in capsys.readouterr().out
