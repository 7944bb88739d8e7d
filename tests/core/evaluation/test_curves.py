"""What to hide and what it says: numbers worked by hand."""

import numpy as np
import pytest

from core.evaluation.causal_tables import causal, causal_comparisons
from core.evaluation.curves import (
    DRAWS,
    KS,
    RANDOM,
    SHARES,
    CausalResult,
    Faithful,
    ablations,
    area,
    faithful,
    orders,
    random_orders,
)


def test_what_is_hidden_of_four_units():
    """⌈f·4⌉ for 0, .1, .2, .35, .5, .75, 1: 0 1 1 2 2 3 4."""
    made = ablations([2, 0, 3, 1])
    assert KS == (1, 3) and made.top == ((2,), (0, 2, 3))
    assert made.deleted == ((), (2,), (2,), (0, 2), (0, 2), (0, 2, 3), (0, 1, 2, 3))
    assert made.kept_out == ((0, 1, 2, 3), (0, 1, 3), (0, 1, 3), (1, 3), (1, 3), (1,), ())
    assert len(made.sets()) == 2 + 2 * len(SHARES)


def test_the_first_of_few_units_is_all_there_is():
    assert ablations([0]).top == ((0,), (0,))


def test_units_are_ordered_by_score_the_earlier_first_in_ties():
    assert orders(np.array([[0.1, 0.5, 0.1], [0.0, 0.0, 0.2]])) == ((1, 0, 2), (2, 0, 1))


def test_random_orders_are_orders_and_repeat():
    found = random_orders(7, 3)
    assert len(found) == DRAWS and all(sorted(one) == list(range(7)) for one in found)
    assert found == random_orders(7, 3) != random_orders(7, 4)


def test_deletion_and_insertion_of_two_units_by_hand():
    """Unit 1 holds 3 nats, unit 0 one, together five: what they share is lost only with both."""
    lost = {(): [0.0], (0,): [1.0], (1,): [3.0], (0, 1): [5.0]}
    good = faithful([[ablations([1, 0])]], lost)
    # Of two units, shares up to .5 take one, the rest both.
    assert good.top == (3.0, 5.0)
    assert good.lost == (0.0, 3.0, 3.0, 3.0, 3.0, 5.0, 5.0)
    assert good.regained == (0.0, 4.0, 4.0, 4.0, 4.0, 5.0, 5.0)
    bad = faithful([[ablations([0, 1])]], lost)
    assert bad.lost[1] == 1.0 and bad.regained[1] == 2.0
    mixed = faithful([[ablations([0, 1]), ablations([1, 0])]], lost)
    assert mixed.top[0] == 2.0 and mixed.lost[1] == 2.0
    two = faithful([[ablations([1, 0])]] * 2, {key: value * 2 for key, value in lost.items()})
    assert two.lost == tuple(2 * value for value in good.lost)


def test_areas():
    assert area([0.0, *[1.0] * 6]) == pytest.approx(0.95)
    assert area(SHARES) == pytest.approx(0.5)
    assert area([2.0 * share for share in SHARES]) == pytest.approx(0.5)
    assert area([0.0] * 7) is None and area([*[0.0] * 6, -1.0]) is None


def result(answer: str, top: float, chance: float, sentences: int = 2, task: str = "t"):
    def of(first: float) -> Faithful:
        curve = tuple(4.0 * sentences * share for share in SHARES)
        return Faithful((first, 2 * first), curve, curve)

    return CausalResult(
        f"{answer}.x", answer, "m", task, sentences, {RANDOM: of(chance), "attmean": of(top)}
    )


def test_the_table_means_over_sentences_and_says_chance_last():
    rows = causal([result("a", 6.0, 1.0, 2), result("b", 3.0, 0.5, 1)])
    assert [row["signal"] for row in rows] == ["attmean", RANDOM]
    assert (rows[0]["top1"], rows[0]["top3"], rows[0]["sentences"]) == (3.0, 6.0, 3)
    assert (rows[0]["low"], rows[0]["high"]) == (3.0, 3.0)
    assert rows[0]["deletion"] == rows[0]["insertion"] == 0.5
    assert rows[0]["curve"][-1] == {"share": 1.0, "lost": 4.0, "regained": 4.0}
    assert causal([]) == []


def test_signals_are_compared_with_each_other_and_with_chance():
    """Five answers, always 2 nats a sentence apart: 2 of 32 swaps are as far from 0."""
    (row,) = causal_comparisons([result(str(n), 6.0 + n, 2.0 + n) for n in range(5)])
    assert (row["first"], row["second"], row["difference"], row["answers"]) == (
        "attmean",
        RANDOM,
        2.0,
        5,
    )
    assert row["p"] == pytest.approx(2 / 32)
