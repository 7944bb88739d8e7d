"""Option consistency: parsing by fixed rules, masses worked by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.evaluation.options import (
    Consistency,
    consistency,
    expected_choice,
    option_mass,
    option_words,
    options_of,
    parse_choice,
)
from core.explain import Explanation, Meter, SpanExplanation, Vote
from core.sources import Sources, SourceUnit

WORDS = {"A": "red fox", "B": "Gun", "C": "9 o'clock"}


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is B.", "B"),
        ("At first A. seems right. The correct answer is (C) because…", "C"),
        ("Answer: A", "A"),
        ("**Final answer:** **B**", "B"),
        ("The answer is A. No, wait: the answer is B.", "B"),
        ("The correct option is option C", "C"),
        ("It is a gun.\nB", "B"),
        ("(B) Gun", "B"),
        ("He draws a gun and fires.", "B"),
        ("The clock shows 9 o'clock.", "C"),
        # "a" is an article, not option A; the words decide.
        ("The answer is a gun.", "B"),
        # Two options named in the last line that names any: not to be guessed.
        ("It may be the red fox or the gun.", None),
        ("The answer is D.", None),
        ("I cannot tell.", None),
        ("", None),
        ("A man walks by.", None),
        ("Guns are loud.", None),
    ],
)
def test_the_option_a_response_selects(response, letter):
    found = parse_choice(response, WORDS)
    assert (found.letter if found else None) == letter
    if found and found.letter in response:
        assert 0 <= found.at < len(response)


def test_where_the_choice_is_stated():
    assert parse_choice("It is red. The answer is B.", WORDS).at == 25


@pytest.mark.parametrize(
    ("expected", "letter"),
    [("B", "B"), ("gun", "B"), ("Gun.", "B"), ("So it is. The answer is C.", "C"), ("cat", None)],
)
def test_the_right_letter_of_a_data_set(expected, letter):
    assert expected_choice(expected, WORDS) == letter


def sources(*texts: tuple[int, str]) -> Sources:
    units = tuple(
        SourceUnit(f"p{part}.{i}", "text", part, "", 0, len(text), text)
        for i, (part, text) in enumerate(texts)
    )
    return Sources(units, np.zeros(0, np.int32), np.zeros(len(units), np.int8))


def test_options_are_the_units_that_begin_with_letters_in_order():
    found = sources((0, "Which?"), (0, "A. red fox"), (0, "B. Gun"), (0, "(C) 9 o'clock"))
    assert options_of(found) == {"A": 1, "B": 2, "C": 3}
    assert option_words(found, options_of(found)) == WORDS


@pytest.mark.parametrize(
    "texts",
    [
        [(0, "A. alone")],
        [(0, "B. Gun"), (0, "C. Cat")],
        [(0, "A. red"), (1, "B. elsewhere")],
        [(0, "A cat sat."), (0, "Bob ran.")],
        [(0, "A. red"), (0, "C. blue")],
    ],
)
def test_what_is_no_list_of_options(texts):
    assert options_of(sources(*texts)) == {}


def test_the_last_list_of_options_counts():
    texts = [(0, "A. one"), (0, "B. two"), (1, "A. three"), (1, "B. four"), (1, "C. five")]
    assert options_of(sources(*texts)) == {"A": 2, "B": 3, "C": 4}


def explained(*votes: tuple[int, float]) -> Explanation:
    """One span, "The answer is B.", whose tokens vote so."""
    said = tuple(Vote(i, "NOUN", unit, 1.0, vote) for i, (unit, vote) in enumerate(votes))
    span = SpanExplanation(0, "The answer is B.", 0, 16, 0, 4, (), said, Meter({}, 0, 0, 1), False)
    return Explanation("attmean", sources((0, "A. x"), (0, "B. y")), (span,))


OPTIONS = {"A": 0, "B": 1}


def test_the_mass_of_an_option_is_the_sum_of_its_votes():
    """0.2 + 0.4 for B against 0.5 for A; 9 goes to a unit that is no option."""
    made = explained((1, 0.2), (0, 0.5), (7, 9.0), (1, 0.4))
    assert option_mass(made.spans[0], OPTIONS) == pytest.approx({"A": 0.5, "B": 0.6})
    choice = parse_choice("The answer is B.", WORDS)
    assert consistency(made, choice, OPTIONS) == Consistency("B", "B")
    assert consistency(made, choice, OPTIONS).consistent


@pytest.mark.parametrize("votes", [[(7, 1.0)], [(0, 0.5), (1, 0.5)], [(0, 0.5), (1, 0.4)]])
def test_no_votes_a_tie_and_another_option_are_misses(votes):
    choice = parse_choice("The answer is B.", WORDS)
    assert not consistency(explained(*votes), choice, OPTIONS).consistent


def test_a_choice_outside_every_span_is_not_scored():
    assert consistency(explained((0, 1.0)), SimpleNamespace(letter="B", at=99), OPTIONS) is None
