"""Many methods compared at once: the numbers of the definition, to the last digit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evaluation.metrics import Element
from core.evaluation.overlap import Asked, Overlap, by_modality, sums_of

ELEMENTS = [
    *(Element("text", 0, "text", f"p0.{n}") for n in range(3)),
    *(Element("image", 1, "image", f"p1.{n}") for n in range(2)),
    *(Element("time", 2, lane, n) for lane in ("audio", None) for n in range(3)),
]
UNITS = 4
sets = st.frozensets(st.sampled_from(ELEMENTS), max_size=5)
clocks = st.lists(sets, min_size=UNITS, max_size=UNITS)
"""What citing each unit claims, on one clock."""


@settings(max_examples=100)
@given(st.lists(clocks, min_size=2, max_size=2), st.lists(sets, max_size=7), st.integers(0, 99))
def test_tables_agree_exactly_with_sets(claims: list, labelled: list, seed: int):
    asked = [Asked(elements, claims[n % 2]) for n, elements in enumerate(labelled)]
    cited = np.random.default_rng(seed).random((3, len(asked), UNITS)) < 0.4
    found = [by_modality(row) for row in Overlap.of(asked).sums(cited)]
    for table, sums in zip(cited, found, strict=True):
        claimed = (
            frozenset().union(*(one.claims[unit] for unit in np.flatnonzero(row)))
            for row, one in zip(table, asked, strict=True)
        )
        pairs = ((mine, one.elements) for mine, one in zip(claimed, asked, strict=True))
        assert sums == dict(sums_of(pairs))


def test_an_answer_without_labels_has_no_sums():
    assert by_modality(Overlap.of([]).sums(np.zeros((2, 0, 5), bool))[0]) == {}
