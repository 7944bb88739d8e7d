"""A sentence checked with a real (tiny, random) model: the drops are those of really hiding."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.check import MOST_CHOSEN, check_sentence
from core.evaluation.counterparts import counterparts
from core.evaluation.faithfulness import leave_one_out
from core.prompt import Prompt
from core.sources import cut
from core.spans import spans
from core.trace import Token, Trace
from tests.core.handmade import timeline_of
from tests.core.tiny import tiny_model


def checked(made: Trace, sentence: int, chosen: list[int], **how):
    sources = cut(made.prompt, made.timeline, made.media)
    span = spans(made.answer, made.tokens)[sentence]
    steps = list(
        check_sentence(tiny_model(), made, sources, (span.first, span.last), chosen, **how)
    )
    assert [step.check is None for step in steps] == [True] * (len(steps) - 1) + [False]
    assert [step.done for step in steps] == sorted({step.done for step in steps})
    assert steps[-1].done == steps[-1].total
    return steps[-1].check


def likelihood(made: Trace, sentence: int) -> float:
    """Of the sentence, from the given answer traced anew: no code of the check."""
    model, span = tiny_model(), spans(made.answer, made.tokens)[sentence]
    prepared = model.prepare(made.prompt, limits=_limits())
    run, ids = model.start(prepared), [token.id for token in made.tokens]
    logits = [run.read_prompt(), *run.read_tokens(ids[:-1])]
    each = [row.log_softmax(-1)[token].item() for row, token in zip(logits, ids, strict=True)]
    return sum(each[span.first : span.last])


def _limits():
    from core.media import Limits

    return Limits()


@pytest.mark.parametrize("way", ["attention", "prompt"])
def test_closing_the_attention_costs_what_the_reference_says(traced: Trace, way: str):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    found = spans(traced.answer, traced.tokens)
    reference = leave_one_out(tiny_model(), traced, sources, found, reread=way == "prompt")
    for sentence in (0, 1):
        check = checked(traced, sentence, [2, 0], way=way)
        assert check.logprob == pytest.approx(likelihood(traced, sentence), abs=1e-3)
        assert [row.hidden.units for row in check.rows] == [(2,), (0,), (0, 2)]
        for row in check.rows[:2]:
            for units, drop in (row.hidden, *row.others):
                assert drop == pytest.approx(reference[sentence, units[0]], abs=1e-4)


@pytest.mark.parametrize("way", ["remove", "blur"])
def test_changing_the_prompt_costs_what_the_changed_prompt_says(traced: Trace, way: str):
    first = traced.prompt.parts[0]
    check = checked(traced, 0, [0], way=way)
    text = replace(first, text=first.text.removeprefix("A dog barks.\n"))
    without = replace(traced, prompt=replace(traced.prompt, parts=(text, *traced.prompt.parts[1:])))
    assert text.text == "B. blue"
    expected = likelihood(traced, 0) - likelihood(without, 0)
    assert check.rows[0].hidden.drop == pytest.approx(expected, abs=1e-3)

    check = checked(traced, 1, [2], way=way)
    picture = cut(traced.prompt, traced.timeline, traced.media).units[2]
    assert picture.lane == "image"
    if way == "remove":
        parts = (first, *traced.prompt.parts[2:])
        without = replace(traced, prompt=replace(traced.prompt, parts=parts))
        expected = likelihood(traced, 1) - likelihood(without, 1)
        assert check.rows[0].hidden.drop == pytest.approx(expected, abs=1e-3)
    assert abs(check.rows[0].hidden.drop) > 1e-4, "a blurred picture is another picture"


def test_what_follows_a_sentence_does_not_count(traced: Trace):
    found = spans(traced.answer, traced.tokens)
    cut_short = replace(traced, tokens=traced.tokens[: found[0].last])
    assert checked(cut_short, 0, [0]) == checked(traced, 0, [0])


def test_it_can_be_given_up_between_two_readings(traced: Trace):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    steps = check_sentence(tiny_model(), traced, sources, (0, 3), [0, 1], way="remove")
    first = next(steps)
    steps.close()
    assert first.done == 1 and first.total > 3


@pytest.mark.parametrize(
    ("chosen", "span", "way", "says"),
    [
        ([], (0, 3), "attention", "Choose at least one"),
        ([99], (0, 3), "attention", "none of this prompt"),
        (list(range(MOST_CHOSEN + 1)), (0, 3), "attention", "at most 8"),
        ([0], (3, 3), "attention", "no such sentence"),
        ([0], (0, 10_000), "attention", "no such sentence"),
        ([0], (0, 3), "<b>", "Known: attention"),
    ],
)
def test_what_cannot_be_checked_is_told(traced: Trace, chosen, span, way, says):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    with pytest.raises(InputError, match=says):
        list(check_sentence(tiny_model(), traced, sources, span, chosen, way=way))


def test_tokens_that_the_model_has_not_are_refused(traced: Trace):
    strange = replace(traced, tokens=(*traced.tokens, Token(2**30, "", 0, 0)))
    with pytest.raises(InputError, match="Use the model that answered"):
        checked(strange, 0, [0])


def test_counterparts_are_of_the_same_lane_and_size_where_there_are_such():
    rows = [
        *[(0, "text", (0, 5))] * 3,
        *[(1, "text", (0, 5))] * 4,
        *[(2, "text", (0, 5))] * 9,
        *[(3, "image", None)] * 3,
        *[(4, "image", None)] * 60,
        *[(5, "image", None)] * 20,
    ]
    parts = ["One.", "Two.", "Six.", Path("a.png"), Path("b.png"), Path("c.png")]
    sources = cut(Prompt.of("", parts), timeline_of(rows))
    assert len(sources.units) == 6

    def drawn(*hidden: int, spared: tuple[int, ...] = (), draws: int = 5):
        return counterparts(sources, hidden, spared=spared, draws=draws)

    assert drawn(0) == ((1,),), "text of 3 positions: text of 4, not the picture of 3"
    assert set(drawn(0, spared=(1,))) == {(3,)}, "then what is of the same size"
    assert drawn(4) == ((5,),), "none is as large: the largest"
    assert drawn(0, 4) == ((1, 5),)
    assert drawn(*range(6)) == () and drawn(0, spared=range(1, 6)) == ()
    assert drawn(2) == drawn(2), "the same draws every time"
