"""Span F1 and Time-F1: numbers worked by hand, properties, and scikit-learn as the referee."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from core.evaluation.labels import Interval
from core.evaluation.metrics import (
    Element,
    agreement,
    bins,
    cited_elements,
    labelled_elements,
    of_modality,
    unclocked,
)
from core.sources import SourceUnit
from core.trace import MediaInfo

TEXT = SourceUnit("p0.0", "text", 0, "Text 1", 0, 9, "A cat sat")
PICTURE = SourceUnit("p1.0", "image", 1, "Image 1")
FRAMES = [SourceUnit(f"p2.{s}", "video_frames", 2, "", float(s), s + 1.0) for s in range(3)]
SOUND = [SourceUnit(f"p2.s{s}", "video_sound", 2, "", float(s), s + 1.0) for s in range(3)]
WHOLE = SourceUnit("p3.0", "audio", 3, "Audio 1")
UNITS = [TEXT, PICTURE, *FRAMES, *SOUND, WHOLE]
MEDIA = [MediaInfo(), MediaInfo(), MediaInfo(duration=2.5), MediaInfo()]


def element(n: int) -> Element:
    return Element("time", 0, "audio", n)


sets = st.frozensets(st.integers(0, 8).map(element))


@settings(max_examples=25)
@given(sets, sets)
def test_f1_is_symmetric_and_precision_is_recall_the_other_way_round(a, b):
    there, back = agreement(a, b), agreement(b, a)
    assert there.f1 == back.f1 and there.precision == back.recall
    assert 0 <= there.f1 <= 1


@settings(max_examples=25)
@given(sets)
def test_equal_sets_score_one_and_disjoint_ones_nothing(a):
    assert agreement(a, a) == (len(a), len(a), len(a))
    assert (agreement(a, a).precision, agreement(a, a).recall, agreement(a, a).f1) == (1, 1, 1)
    apart = frozenset(Element("text", 0, "text", str(e.at)) for e in a)
    assert agreement(a, apart).f1 == (0.0 if a else 1.0)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 8), max_size=8), st.permutations(range(9)), sets)
def test_names_and_order_do_not_matter(cited, renamed, labelled):
    one = agreement([element(n) for n in cited], labelled)
    other = agreement(
        [element(renamed[n]) for n in reversed(cited)],
        {element(renamed[e.at]) for e in labelled},
    )
    assert one == other


@settings(max_examples=25)
@given(st.lists(st.tuples(sets, sets), min_size=1, max_size=6))
def test_the_mean_over_spans_is_scikit_learns(pairs):
    """Samples average, except that it gives 0 where neither set holds anything and we 1."""
    pairs = [pair for pair in pairs if any(pair)]
    if not pairs:
        return
    classes = MultiLabelBinarizer(classes=[element(n) for n in range(9)])
    cited = classes.fit_transform([c for c, _ in pairs])
    labelled = classes.transform([t for _, t in pairs])
    expected = precision_recall_fscore_support(labelled, cited, average="samples", zero_division=0)[
        :3
    ]
    scores = [agreement(*pair) for pair in pairs]
    ours = [np.mean([getattr(s, name) for s in scores]) for name in ("precision", "recall", "f1")]
    assert ours == pytest.approx(expected)


def test_worked_by_hand():
    """Cited 1, 2, 3; labelled 2, 3, 4, 5: P 2/3, R 2/4, F1 4/7."""
    scored = agreement([element(n) for n in (1, 2, 3)], [element(n) for n in (2, 3, 4, 5)])
    assert (scored.precision, scored.recall, scored.f1) == pytest.approx((2 / 3, 1 / 2, 4 / 7))
    only = agreement([element(1)], [])
    assert (only.precision, only.recall, only.f1) == (0, 0, 0)
    missed = agreement([], [element(1)])
    assert (missed.precision, missed.recall, missed.f1) == (0, 0, 0)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (0.0, 1.0, [0]),
        (0.4, 1.8, [0, 1]),
        (0.9995, 2.0004, [1]),
        (0.99, 2.01, [0, 1, 2]),
        (1.9999, 2.0001, [2]),
        (3.2, 3.3, [3]),
    ],
)
def test_bins_that_a_stretch_touches(start, end, seconds):
    assert list(bins(start, end)) == seconds


@settings(max_examples=25)
@given(st.floats(0, 100), st.floats(0.01, 20))
def test_bins_against_a_ruler_of_milliseconds(start, length):
    """Written afresh: lay milliseconds along the stretch and see on which seconds they fall."""
    found = set(bins(start, start + length))
    inside = np.arange(start + 2e-3, start + length - 2e-3, 1e-3)
    assert {int(x) for x in inside} <= found
    assert all(second < start + length + 1 and second + 1 > start for second in found)


def test_units_become_elements():
    assert cited_elements([TEXT, PICTURE, WHOLE]) == {
        ("text", 0, "text", "p0.0"),
        ("image", 1, "image", "p1.0"),
        ("time", 3, "audio", "p3.0"),
    }
    assert cited_elements([FRAMES[1], SOUND[1]]) == {
        ("time", 2, "video_frames", 1),
        ("time", 2, "video_sound", 1),
    }


def test_a_label_without_a_stream_is_compared_on_the_films_clock():
    label = [Interval(2, 0.5, 1.5)]
    labelled = labelled_elements([], label, UNITS, MEDIA)
    cited = cited_elements([FRAMES[0], SOUND[1]], unclocked(label))
    assert agreement(cited, labelled) == (2, 2, 2)
    streamed = [Interval(2, 0.5, 1.5, "video_sound")]
    labelled = labelled_elements([], streamed, UNITS, MEDIA)
    cited = cited_elements([FRAMES[0], SOUND[1]], unclocked(streamed))
    assert agreement(cited, labelled) == (1, 2, 2)


def test_stretches_past_the_end():
    """The film ends at 2.5 s: 1.2–9 is cut there; 5–6 stays, out of reach, and costs recall."""
    assert {e.at for e in labelled_elements([], [Interval(2, 1.2, 9.0)], UNITS, MEDIA)} == {1, 2}
    assert {e.at for e in labelled_elements([], [Interval(2, 5.0, 6.0)], UNITS, MEDIA)} == {5}
    beyond = labelled_elements([], [Interval(2, 1.2, 9.0)], UNITS)
    assert {e.at for e in beyond} == set(range(1, 9))


def test_a_label_that_names_a_year_takes_no_gigabytes():
    """A stretch out of reach costs no more recall than the whole recording would; 3 seconds here.

    Of a part that is no recording, one.
    """
    assert len(labelled_elements([], [Interval(2, 5.0, 1e7)], UNITS, MEDIA)) == 3
    assert len(labelled_elements([], [Interval(9, 0.0, 1e7)], UNITS, MEDIA)) == 1
    assert len(labelled_elements([], [Interval(0, 4.0, 1e7)], UNITS, MEDIA)) == 1


def test_unknown_units_are_passed_over_and_modalities_told_apart():
    found = labelled_elements(["p0.0", "p1.0", "nowhere"], [Interval(2, 0, 1)], UNITS, MEDIA)
    assert len(found) == 3
    assert of_modality(found, "image") == {("image", 1, "image", "p1.0")}
    assert sum(len(of_modality(found, m)) for m in ("text", "image", "time")) == 3
