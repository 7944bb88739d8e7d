"""Review records as JSON: what the browser gets, and that it can be written down."""

from __future__ import annotations

import json

from core.evaluation.labels import Interval
from core.evaluation.statistics import Interval95
from core.review import Place, Progress, SentenceState, SentenceView, Verdict
from core.review.agreement import Agreement, Cell, Reliability, Score
from omnitrace_ui.views.review import agreement_value, progress_value, sentence_value, verdict_value

VERDICT = Verdict(("p0.1",), (Interval(2, 0.5, 1.25, "video_sound"),), unsure=True, note="\ud800?")


def test_a_verdict_is_plain_and_clean():
    assert verdict_value(VERDICT) == {
        "units": ["p0.1"],
        "intervals": [[2, 0.5, 1.25, "video_sound"]],
        "unsure": True,
        "unsupported": False,
        "bad": False,
        "accepted": False,
        "note": "\ufffd?",
    }


def test_what_is_hidden_is_not_sent():
    place = Place("0" * 16, 0)
    value = sentence_value(SentenceView(place, "It rained.", SentenceState(), None, "", True))
    assert value["judge"] is None and value["judge_name"] == "" and value["hidden"]
    assert "opinions" not in value
    json.dumps(value)


def test_progress_tells_the_pace_and_no_place():
    value = progress_value(Progress("anna", 5, 20, 1, 4, 12.34, Place("x", 1)))
    assert value["seconds_each"] == 12.3 and value["seconds_left"] == 185.1
    assert "resume" not in value
    assert progress_value(Progress("anna", 0, 20, 0, 4, None, None))["seconds_left"] is None


def test_agreement_says_where_nothing_is_defined():
    score = Score(0.8304, Interval95(0.7, float("nan")), 61, 120)
    found = Agreement((Cell("qa", "all", "text", score),), (Reliability("qa", "all", None, score),))
    value = agreement_value(found)
    assert value["cells"][0]["f1"]["value"] == 0.8304
    assert value["reliability"][0]["kappa"] is None
    json.dumps(value, allow_nan=False)
