"""A view pinned as B is compared with whatever is shown later."""

from dataclasses import replace

import pytest

from core.curation import Curation
from core.errors import InputError
from core.explain import explain
from core.prompt import Prompt
from core.sources import Granularity
from omnitrace_ui.actions.pin import pin, unpin
from omnitrace_ui.actions.settings import Settings
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.pinned import Side, counterpart, pinned_model
from tests.omnitrace_ui.views.fabricated import case


@pytest.fixture
def traced(explore, request_of) -> Visitor:
    visitor = Visitor()
    list(explore.generator.run(visitor, request_of()))
    return visitor


def test_a_pinned_view_stays_while_settings_move(explore, traced):
    explore.select(traced, 0)
    pinned = pin(traced)["pinned"]
    assert pinned["a"] == pinned["b"] and pinned["text"] is None
    assert pinned["rows_a"] == pinned["rows_b"]
    assert {row[4] for row in pinned["rows_a"]} <= {"both"}
    view, _ = explore.preset(traced, "paper")
    assert view["pinned"]["a"].endswith("paper") and view["pinned"]["b"].endswith("default")
    assert view["pinned"]["rows_b"] == pinned["rows_b"]
    assert "pinned" not in unpin(traced)


def test_another_trace_of_the_prompt_is_compared_and_one_of_another_prompt_is_not(
    explore, traced, request_of
):
    pin(traced)
    list(explore.generator.run(traced, request_of(tokens=12)))
    view = explore.select(traced, 0)
    assert view["pinned"]["problem"] == "" and "Whole answers" in view["pinned"]["whole"]
    list(explore.generator.run(traced, request_of(instruction="Something else.")))
    assert "another prompt" in explore.select(traced, 0)["pinned"]["problem"]


def test_nothing_can_be_pinned_before_there_is_an_answer():
    with pytest.raises(InputError, match="no finished answer"):
        pin(Visitor())


def side(shown, **settings) -> Side:
    return Side("x", shown.trace, explain(shown.trace, **settings))


def test_differences_are_marked_by_place():
    shown = case()
    whole = side(shown, curation=Curation(min_share=0, min_run=0, coverage=1))
    best = side(shown, curation=Curation(coverage=0.01))
    model = pinned_model(whole, best, 0)
    one = best.explanation.spans[0].sources[0].index
    many = [cited.index for cited in whole.explanation.spans[0].sources]
    assert [row[0] for row in model["rows_b"]] == [one]
    assert [row[0] for row in model["rows_a"]] == many
    assert [row[4] for row in model["rows_a"]] == ["both" if u == one else "only" for u in many]
    assert model["rows_b"][0][4] == "both"


def test_other_cuts_of_the_same_place_overlap():
    shown = case()
    fine, coarse = side(shown), side(shown, granularity=Granularity("part", 5.0))
    heard = next(
        span.index
        for span in fine.explanation.spans
        if any(cited.unit.lane == "audio" for cited in span.sources)
    )
    model = pinned_model(fine, coarse, heard)
    audio = [row for row in model["rows_b"] if row[1] == "audio"]
    assert audio and all(row[0] == -1 and row[4] == "near" for row in audio)


def test_a_sentence_finds_the_one_that_says_the_same():
    spans = side(case()).explanation.spans
    reworded = replace(spans[2], text=spans[2].text.replace("enters", "comes in"))
    assert counterpart(reworded, spans) is spans[2]
    assert counterpart(replace(spans[0], text="Zzz!"), spans) is None
    assert counterpart(spans[0], ()) is None


def test_names_say_what_differs():
    visitor = Visitor(settings=Settings(None, Curation(coverage=0.5), Granularity("part")))
    shown = case()
    visitor.trace, visitor.trace_key = shown.trace, "1"
    name = pin(visitor)["pinned"]["b"]
    assert "coverage 0.5" in name and "text_units part" in name


def test_an_instruction_is_not_a_text_part():
    shown = case()
    other = replace(shown.trace, prompt=Prompt("", shown.trace.prompt.parts))
    model = pinned_model(side(shown), Side("y", other, explain(other)), 0)
    assert model["problem"] and model["rows_a"] == []
