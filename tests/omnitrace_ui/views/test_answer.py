"""The answer's spans, as the browser gets them."""

import json
import math
from dataclasses import replace

import pytest

from core.curation import Curation
from core.explain import Meter
from omnitrace_ui.views import Status, answer_model, parts_model, units_model, view_value
from omnitrace_ui.views.answer import WHY_TOKENS, meter_model
from tests.omnitrace_ui.views.fabricated import ANSWER, Case, case, said

SHOWN = case()


def answer_of(shown: Case, **options) -> dict:
    return answer_model(shown.trace, shown.explanation, shown.curation, **options)


def labels(shown: Case, span: dict) -> list[str]:
    return [shown.sources.units[cite[0]].label for cite in span["cites"]]


def test_gaps_and_sentences_and_tail_join_to_the_answer():
    model = answer_of(SHOWN)
    joined = "".join(span["before"] + span["text"] for span in model["spans"]) + model["tail"]
    assert joined == SHOWN.trace.answer


def test_spans_cite_what_their_words_draw_on():
    spans = answer_of(SHOWN)["spans"]
    assert [labels(SHOWN, span)[:1] for span in spans] == [
        ["Image 1"],
        ["Text 1 · sentence 3"],
        ["Audio 1 · 4.0–5.0 s"],
        ["Film 1 · picture · 12.0–13.0 s"],
        [],
        ["Text 2 · sentence 2"],
    ]


def test_the_main_lane_is_the_one_that_holds_most_votes_not_the_best_unit():
    # One picture has 40 %, two sentences 30 % each: the text is what it leans on.
    answer = [
        *said("lions lions lions lions", ("image", 2, None), 0.4),
        *said(" camps camps camps", ("text", 0, 0), 0.4),
        *said(" shade shade shade.", ("text", 0, 2), 0.4),
    ]
    shown = case(answer=answer, curation=Curation(assignment="mass", coverage=1.0))
    (span,) = answer_of(shown)["spans"]
    assert labels(shown, span)[0] == "Image 1"
    assert span["lane"] == "text"
    held = sum(c[1] for c in span["cites"] if shown.sources.units[c[0]].lane == "text")
    assert span["strength"] == pytest.approx(held, abs=1e-3)


def test_a_sentence_without_a_source_says_so_and_one_of_own_words_too():
    span = answer_of(SHOWN)["spans"][4]
    assert (span["cites"], span["lane"], span["strength"], span["own"]) == ([], None, 0.0, True)


def test_streamed_values_carry_no_votes_and_mark_the_unfinished_sentence():
    spans = answer_of(SHOWN, live=True)["spans"]
    assert not any("why" in span for span in spans)
    assert [span["live"] for span in spans] == [False] * 5 + [True]


def test_of_a_long_answer_only_the_selected_sentence_brings_its_votes():
    shown = case(answer=ANSWER * (WHY_TOKENS // len(ANSWER) + 1))
    assert len(shown.trace.tokens) > WHY_TOKENS
    spans = answer_of(shown, selected=3)["spans"]
    assert [span["id"] for span in spans if "why" in span] == [3]
    assert all("why" in span for span in answer_of(SHOWN)["spans"])


def test_a_value_of_the_longest_answer_with_all_votes_stays_small():
    words = ANSWER * 6
    shown = case(answer=words[: WHY_TOKENS - 1])
    size = len(json.dumps(view_value(Status("done"), answer=answer_of(shown))))
    assert size < 25_000
    streamed = json.dumps(view_value(Status("busy"), answer=answer_of(shown, live=True)))
    assert len(streamed) < 20_000


def test_the_meter_lists_lanes_in_their_order_then_the_rest():
    meter = Meter({"audio": 0.25, "text": 0.25}, 0.125, 0.25, 0.125)
    assert meter_model(meter) == [
        ["text", 0.25],
        ["audio", 0.25],
        ["instruction", 0.125],
        ["own", 0.25],
        ["structure", 0.125],
    ]


def test_every_value_is_json_that_browsers_read():
    nasty = "\ud800 \0 \u202e ${x} {{y}} <b>"
    shown = case(answer=said(nasty, ("text", 0, 0)), texts=(nasty + " one.", "Two."))
    span = shown.explanation.spans[0]
    broken = replace(span, meter=Meter({"text": math.nan}, math.inf, 0.0, -math.inf))
    explanation = replace(shown.explanation, spans=(broken,))
    value = view_value(
        Status("error", nasty),
        trace="1",
        key="1",
        parts=parts_model(shown.trace, shown.files),
        units=units_model(shown.trace, shown.sources),
        answer=answer_model(shown.trace, explanation, shown.curation),
    )
    text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert json.loads(text) == value
