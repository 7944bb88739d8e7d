"""Checking a sentence from the page, with a real (tiny, random) model."""

import math

import pytest

from core.errors import InputError
from core.evaluation.check import Ablation, Check, Row
from core.sources import SourceUnit
from omnitrace_ui.actions.check import Checker
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.check import Asked, checked_model, in_words
from tests.core.tiny import tiny_model


@pytest.fixture
def traced(explore, request_of) -> Visitor:
    visitor = Visitor()
    list(explore.generator.run(visitor, request_of()))
    return visitor


@pytest.fixture
def checker(explore) -> Checker:
    return Checker(explore.site.engine)


def asked(**changes) -> dict:
    return {"span": 0, "chosen": ["p0.0", "p1.0"], "way": "attention"} | changes


def run(checker: Checker, visitor: Visitor, **changes) -> list[dict]:
    first = checker.wait(visitor, asked(**changes))
    assert first["check"]["phase"] == "busy"
    return [first, *checker.run(visitor)]


@pytest.mark.parametrize("way", ["attention", "prompt", "remove", "blur"])
def test_every_way_ends_with_rows_for_each_source_and_for_all(checker, traced, way):
    views = run(checker, traced, way=way)
    last = views[-1]["check"]
    assert last["phase"] == "done" and last["way"] == way
    named = [[unit[0] for unit in row["units"]] for row in last["rows"]]
    assert named == [["p0.0"], ["p1.0"], ["p0.0", "p1.0"]]
    for row in last["rows"]:
        assert row["words"].endswith("likely" if "times" in row["words"] else "before")
        hidden = {unit[0] for unit in row["units"]}
        for others, _ in row["others"]:
            assert not hidden & {unit[0] for unit in others}
    counts = [view["check"]["done"] for view in views if view["check"]["total"]]
    assert counts == sorted(set(counts)) and counts
    assert not traced.alongside.checking


def test_it_can_be_stopped_and_asked_again(checker, traced):
    checker.wait(traced, asked(way="remove"))
    views = checker.run(traced)
    while not next(views)["check"]["total"]:
        pass
    checker.stop(traced)
    rest = list(views)
    assert "check" not in rest[-1] and not traced.alongside.checking
    assert run(checker, traced)[-1]["check"]["phase"] == "done"


def test_a_closed_tab_ends_it(checker, traced):
    checker.wait(traced, asked(way="remove"))
    views = checker.run(traced)
    next(views)
    views.close()
    assert not traced.alongside.checking and traced.alongside.check is None


def test_one_check_at_a_time_and_another_trace_has_none(checker, explore, traced, request_of):
    checker.wait(traced, asked(way="remove"))
    views = checker.run(traced)
    next(views)
    checker.wait(traced, asked(span=1))
    assert traced.alongside.check["span"] == 0 and list(checker.run(traced)) == []
    frames = explore.generator.run(traced, request_of(tokens=8))
    assert "number 1 in line" in next(frames).view["status"]["text"], "one turn for both"
    assert list(views)[-1]["check"]["phase"] == "done"
    assert "check" not in list(frames)[-1].view


def test_missing_media_are_said_calmly_in_the_panel(checker, traced):
    traced.trace.prompt.media[0][1].path.unlink()
    said = run(checker, traced)[-1]["check"]
    assert said["phase"] == "error" and "without 'a.png'" in said["text"]
    assert "Open a file that holds its media" in said["text"]


def test_another_model_is_named_with_the_remedy(traced):
    said = run(Checker(Engine({"other": tiny_model})), traced)[-1]["check"]
    assert said["phase"] == "error"
    assert traced.trace.model.name in said["text"] and "--model" in said["text"]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        asked(span="0"),
        asked(span=None),
        asked(chosen="p0.0"),
        asked(chosen=[1]),
        asked(chosen=["x" * 50]),
        asked(chosen=["a"] * 500),
        asked(way="<script>"),
        asked(way=["attention"]),
    ],
)
def test_what_a_forged_page_sends_is_refused(checker, traced, payload):
    with pytest.raises(InputError, match="unknown way"):
        checker.wait(traced, payload)


@pytest.mark.parametrize("changes", [{"span": 99}, {"span": -1}, {"chosen": ["p99.0"]}])
def test_what_is_not_there_is_told(checker, traced, changes):
    assert run(checker, traced, **changes)[-1]["check"]["phase"] == "error"


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (0.05, "about as likely as before"),
        (-0.05, "about as likely as before"),
        (math.log(2), "2.0 times less likely"),
        (-math.log(3), "3.0 times more likely"),
        (math.log(42), "42 times less likely"),
        (math.log(12_000), "12 thousand times less likely"),
        (math.log(3.4e6), "3 million times less likely"),
        (math.log(7e9), "7 billion times less likely"),
        (20 * math.log(10), "over a thousand trillion times less likely"),
    ],
)
def test_nats_in_words(drop, words):
    assert in_words(drop) == words


def test_a_row_says_what_others_of_its_size_cost_on_average():
    units = [SourceUnit(f"p{i}.0", "image", i, f"Image {i + 1}") for i in range(3)]
    row = Row(Ablation((0,), 2.0), (Ablation((1,), 0.5), Ablation((2,), -0.25)))
    check = Check("attention", 4 * math.log(0.5), 4, (row,))
    model = checked_model(Asked(0, ("p0.0",), "attention"), check, units)
    (shown,) = model["rows"]
    assert shown["usual"] == {"drop": 0.12, "words": in_words(0.125)}
    assert shown["others"][1] == [[["p2.0", "image", "Image 3"]], -0.25]
    assert "4 tokens a probability of 50 %" in model["sentence"]
    alone = Check("attention", 0.0, 1, (Row(row.hidden, ()),))
    assert checked_model(Asked(0, (), "attention"), alone, units)["rows"][0]["usual"] is None
