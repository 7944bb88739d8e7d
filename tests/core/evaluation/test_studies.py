"""The analyses of section 5: numbers worked by hand, scipy's and numpy's as second opinions."""

import numpy as np
import pytest

from core.evaluation.baselines.chance import random_citations
from core.evaluation.studies import (
    calibration,
    calibration_error,
    correlation,
    ecdf,
    image_mass,
    rouge_l,
    unit_positions,
)
from core.sources import Sources, SourceUnit

TEXT = SourceUnit("p0.0", "text", 0, "Text 1", 0, 9, "A cat sat")
PICTURE = SourceUnit("p1.0", "image", 1, "Image 1")
SOUND = SourceUnit("p2.0", "audio", 2, "Audio 1 · 0.0–1.0 s", 0.0, 1.0)


def sources(unit_of: list[int], n: int) -> Sources:
    units = tuple(SourceUnit(f"p0.{i}", "text", 0, "") for i in range(n))
    return Sources(units, np.array(unit_of, np.int32), np.zeros(n, np.int8))


def test_units_stand_in_the_order_of_the_prompt():
    """Three units after a structural position: 1/6, 3/6, 5/6, whatever their lengths."""
    assert unit_positions(sources([-1, 0, 0, 0, 0, 0, 1, 2], 3)) == pytest.approx(
        [1 / 6, 0.5, 5 / 6]
    )


def test_streams_that_interleave_stand_side_by_side():
    """Units 0, 1 are frames and 2, 3 sound: read 0 2 1 3."""
    found = unit_positions(sources([0, 2, 1, 3], 4))
    assert found == pytest.approx([1 / 8, 5 / 8, 3 / 8, 7 / 8])


def test_units_drawn_evenly_have_mean_one_half():
    for n in (1, 2, 7):
        assert unit_positions(sources(list(range(n)), n)).mean() == pytest.approx(0.5)
    assert len(unit_positions(sources([-1], 0))) == 0


def test_the_ecdf_counts_what_is_not_greater():
    values, grid = [0.1, 0.1, 0.4, 0.9], np.array([0.0, 0.1, 0.5, 1.0])
    expected = [np.mean(np.array(values) <= x) for x in grid]
    assert ecdf(values, grid).tolist() == expected == [0.0, 0.5, 0.75, 1.0]


def test_image_mass():
    mixed = [(TEXT, 0.3), (PICTURE, 0.6), (SOUND, 0.1)]
    assert image_mass(mixed, [TEXT, PICTURE, SOUND]) == pytest.approx((2 / 3, 1 / 2))
    assert image_mass(mixed, [SOUND]) is None
    assert image_mass([(SOUND, 1.0)], [TEXT]) is None


def test_calibration_by_hand():
    """0.05 and 0.0 share the first bin, 1.0 belongs to the last; off by 0.475 twice and by 0."""
    pairs = [(0.05, 1.0), (0.0, 0.0), (1.0, 1.0)]
    found = calibration(pairs)
    assert [one.sentences for one in found] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert (found[0].predicted, found[0].labelled) == (0.025, 0.5)
    assert found[1].predicted is None
    assert calibration_error(pairs) == pytest.approx((2 * 0.475 + 0) / 3)
    assert calibration_error([]) is None


def lcs(a: list[str], b: list[str]) -> int:
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i, j in np.ndindex(len(a), len(b)):
        same = table[i, j] + 1 if a[i] == b[j] else 0
        table[i + 1, j + 1] = max(same, table[i, j + 1], table[i + 1, j])
    return int(table[-1, -1])


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        ("the cat sat on the mat", "a cat lay on the mat"),
        ("the cat", "the cat"),
        ("one two", "three four"),
        ("A dog, a cat.", "a cat a dog"),
    ],
)
def test_rouge_l_is_that_of_the_longest_common_subsequence(response, reference):
    a, b = (
        "".join(c for c in text.lower() if c.isalnum() or c == " ").split()
        for text in (response, reference)
    )
    assert rouge_l(response, reference) == pytest.approx(2 * lcs(a, b) / (len(a) + len(b)))


def test_correlation_by_the_book_and_where_there_is_none():
    x, y = [1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 4.0, 6.0]
    found = correlation(x, y)
    assert found.pearson == pytest.approx(np.corrcoef(x, y)[0, 1])
    # Ranks 1 2 3 4 and 2 1 3 4: 1 − 6·2 / (4·15).
    assert found.spearman == pytest.approx(0.8)
    assert correlation(x, x).pearson == pytest.approx(1.0)
    assert correlation([1, 2], [1, 2]).pearson is None
    assert correlation([1, 1, 1], [1, 2, 3]) == (3, None, None, None, None)


def test_random_citations_are_as_many_distinct_and_repeatable():
    counts = np.array([0, 2, 5])
    drawn = random_citations(counts, 5, seed=3, draws=400)
    assert len(drawn) == 400
    for draw in drawn:
        assert [len(set(chosen.tolist())) for chosen in draw] == [0, 2, 5]
    again = random_citations(counts, 5, seed=3, draws=400)
    assert all(
        (a == b).all()
        for one, two in zip(drawn, again, strict=True)
        for a, b in zip(one, two, strict=True)
    )
    often = np.bincount(np.concatenate([draw[1] for draw in drawn]), minlength=5) / 400
    # Each unit is cited with probability 2/5; five standard deviations of 400 draws.
    assert np.abs(often - 0.4).max() < 5 * np.sqrt(0.4 * 0.6 / 400)
