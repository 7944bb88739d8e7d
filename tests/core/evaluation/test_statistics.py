"""Intervals and tests against second implementations written afresh."""

from itertools import product

import numpy as np
import pytest

from core.evaluation.statistics import paired_difference, ratio_interval


def test_the_interval_is_a_percentile_bootstrap_of_whole_answers():
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 9, 60)
    sums = rng.random(60) * counts
    drawn = rng.integers(0, 60, (20_000, 60))
    ratios = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    assert ratio_interval(sums, counts) == pytest.approx(
        np.percentile(ratios, [2.5, 97.5]), abs=0.01
    )


def test_an_interval_holds_the_mean_and_is_repeatable():
    sums, counts = np.array([1.0, 3.0, 0.5, 2.0]), np.array([2, 3, 1, 4])
    low, high = ratio_interval(sums, counts)
    assert low <= sums.sum() / counts.sum() <= high
    assert ratio_interval(sums, counts) == (low, high)


def test_equal_answers_do_not_vary_and_one_says_nothing():
    assert ratio_interval(np.full(5, 2.0), np.full(5, 4)) == (0.5, 0.5)
    assert ratio_interval(np.array([1.0]), np.array([2])) is None


def test_the_permutation_test_tries_every_swap_where_they_are_few():
    """Six answers: 64 ways to swap; the share at least as far from 0 as what was seen."""
    first = np.array([0.9, 0.8, 0.95, 0.7, 0.85, 0.6])
    second = np.array([0.5, 0.85, 0.6, 0.4, 0.7, 0.55])
    apart = first - second
    means = [np.mean(apart * signs) for signs in product((1, -1), repeat=6)]
    expected = np.mean([abs(mean) >= abs(apart.mean()) - 1e-12 for mean in means])
    found = paired_difference(first, second)
    assert found.p == pytest.approx(expected)
    assert found.mean == pytest.approx(apart.mean()) and found.answers == 6
    assert found.interval.low <= found.mean <= found.interval.high


def test_swapping_the_signals_turns_the_sign_alone():
    rng = np.random.default_rng(1)
    first, second = rng.random(40), rng.random(40)
    there, back = paired_difference(first, second), paired_difference(second, first)
    assert back.mean == -there.mean
    assert back.p == pytest.approx(there.p, abs=0.02)


def test_clear_differences_are_found_and_equal_signals_are_not():
    rng = np.random.default_rng(2)
    scores = rng.random(100)
    assert paired_difference(scores + 0.1, scores).p < 0.001
    assert paired_difference(scores, scores).p == 1.0
    assert paired_difference(scores[:1], scores[:1]) == (0.0, None, None, 1)
