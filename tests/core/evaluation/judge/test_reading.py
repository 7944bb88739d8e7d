"""A judge's reply: what is sound is kept, what is not is told, and nothing is guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.judge.question import Question
from core.evaluation.judge.reading import Verdict, read_reply
from core.evaluation.labels import Interval
from core.prompt import Prompt

QUESTION = Question(
    "0" * 16,
    ("Cats sat.", "Dogs ran."),
    ("p0.0", "p1.0"),
    {"p2": (2, 1.5), "p3": (3, None)},
    Prompt(""),
    {},
)


def entry(number=1, units=(), *intervals) -> dict:
    stretches = [dict(zip(("source", "start", "end"), one, strict=True)) for one in intervals]
    return {"sentence": number, "units": list(units), "intervals": stretches}


def reply(*entries) -> str:
    return json.dumps({"sentences": entries})


def test_a_sound_reply():
    read = read_reply(reply(entry(2, ["p1.0", "p1.0"], ("p2", 0, 1.5)), entry(1)), QUESTION)
    assert read.verdicts == {
        0: Verdict(),
        1: Verdict(("p1.0",), (Interval(2, 0.0, 1.5),)),
    }
    assert read.faults == () and read.complaint == ""


def test_fences_and_courtesies_are_passed_over():
    text = f"Here it is:\n```json\n{reply(entry(1), entry(2))}\n```\nAnything else?"
    assert set(read_reply(text, QUESTION).verdicts) == {0, 1}


def test_an_end_rounded_up_is_cut_at_the_end():
    read = read_reply(reply(entry(1, [], ("p2", 1, 2)), entry(2)), QUESTION)
    assert read.verdicts[0].intervals == (Interval(2, 1.0, 1.5),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no JSON object"),
        ("I cannot.", "holds no JSON object: 'I cannot.'"),
        ('{"sentences": [', "holds no JSON object"),
        ("{oops}", "not valid JSON"),
        ('{"answer": []}', 'no list "sentences"'),
        ('{"sentences": {}}', 'no list "sentences"'),
    ],
)
def test_what_is_no_answer_at_all(text: str, told: str):
    read = read_reply(text, QUESTION)
    assert not read.verdicts and told in read.complaint and "whole JSON" in read.complaint


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (entry(1, ["p9.9"]), "Sentence 1 names a source that there is not: 'p9.9'"),
        (entry(1, [["p0.0"]]), "there is not"),
        (entry(1, ["p2"]), "there is not"),
        ({"sentence": 1, "intervals": []}, 'no list "units"'),
        ({"sentence": 1, "units": "p0.0", "intervals": []}, 'no list "units"'),
        ({"sentence": 1, "units": []}, 'no list "intervals"'),
        (entry(3), "\"sentence\" must be a number from 1 to 2, not '3'"),
        (entry("1"), '"sentence" must be'),
        (entry(True), '"sentence" must be'),
        ("Cats sat.", '"sentence" must be'),
        (entry(1, [], ("p0.0", 0, 1)), "no recording or film: 'p0.0'"),
        (entry(1, [], ("p2", "0:00", 1)), "no number of seconds: '0:00'"),
        (entry(1, [], ("p2", None, 1)), "no number of seconds"),
        (entry(1, [], ("p2", 1, 1)), "names 1–1 s of p2, which lasts 1.50 s"),
        (entry(1, [], ("p2", 1, 0.5)), "names 1–0.5 s"),
        (entry(1, [], ("p2", -1, 1)), "names -1–1 s"),
        (entry(1, [], ("p2", 0, 2.1)), "names 0–2.1 s"),
        (entry(1, [], ("p2", 1.6, 2)), "names 1.6–2 s"),
        (entry(1, [], ("p2", float("nan"), 1)), "names nan–1 s"),
        (entry(1, [], ("p3", 0, float("inf"))), "names 0–inf s of p3."),
        ({"sentence": 1, "units": [], "intervals": [[0, 1]]}, "no object"),
    ],
)
def test_one_sentence_that_is_wrong_leaves_the_other(wrong, told: str):
    read = read_reply(reply(wrong, entry(2, ["p0.0"])), QUESTION)
    assert read.verdicts == {1: Verdict(("p0.0",))}
    assert told in read.complaint


def test_what_is_missing_or_said_twice_is_told():
    read = read_reply(reply(entry(2)), QUESTION)
    assert set(read.verdicts) == {1} and read.faults == ("Sentence 1 is missing.",)
    twice = read_reply(reply(entry(1, ["p0.0"]), entry(1, ["p1.0"]), entry(2)), QUESTION)
    assert set(twice.verdicts) == {1} and twice.faults == ("Sentence 1 occurs twice.",)


leaves = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
anything = st.recursive(
    leaves | st.sampled_from(["p0.0", "p2", 1, 2]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["sentences", "sentence", "units", "intervals", "source", "start", "end"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.text(max_size=30) | anything.map(json.dumps))
def test_whatever_was_answered_is_read_without_failing(text: str):
    read = read_reply(text, QUESTION)
    assert read.faults or set(read.verdicts) == {0, 1}
    for verdict in read.verdicts.values():
        assert set(verdict.units) <= set(QUESTION.units)
        assert all(one.start < one.end for one in verdict.intervals)
