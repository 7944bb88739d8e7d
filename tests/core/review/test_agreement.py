"""Table 4, κ and α, worked by hand and against the libraries' own answers."""

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from core.evaluation.labels import Interval
from core.review import Item, Place, Verdict
from core.review.agreement import ALL, Opinions, disputed, table_4
from core.review.records import Judged
from core.review.reliability import (
    _alpha_of,
    _coincidences,
    _mean_kappa,
    _table,
    answered,
    reliability,
)
from core.sources import SourceUnit

UNITS = (
    SourceUnit("p0.0", "text", 0, "Text 1", 0, 5, "One."),
    SourceUnit("p0.1", "text", 0, "Text 1", 5, 9, "Two."),
    SourceUnit("p1.0", "image", 1, "Image 1"),
    SourceUnit("p2.0", "video_frames", 2, "Film 1", 0.0, 1.0),
    SourceUnit("p2.s0", "video_sound", 2, "Film 1", 0.0, 1.0),
)


def item(name: str, task: str = "visual summarization", sentences: int = 2) -> Item:
    return Item(name, name, "m", task, ("A.",) * sentences, UNITS, (None, None, 4.0))


def film(*edges: tuple[float, float], lane: str | None = None) -> tuple[Interval, ...]:
    return tuple(Interval(2, start, end, lane) for start, end in edges)


def opinions(items, judged, people) -> Opinions:
    return Opinions(
        {one.id: one for one in items},
        {Place(*place): Judged(verdict, "m") for place, verdict in judged.items()},
        {Place(*place): said for place, said in people.items()},
    )


def test_table_4_by_hand():
    """Two answers of one task and a film of another; figures below are worked on paper."""
    found = table_4(
        opinions(
            [item("a"), item("b"), item("c", "video qa", 1)],
            {
                ("a", 0): Verdict(("p0.0", "p0.1")),
                ("a", 1): Verdict(("p1.0",)),
                ("b", 0): Verdict(("p0.0", "p1.0")),
                ("c", 0): Verdict(intervals=film((0, 2), lane="video_sound")),
            },
            {
                # Text: {1, 2} against {1}: F1 2/3; of ben 1. The sentence counts once: 5/6.
                ("a", 0): {"anna": Verdict(("p0.0",)), "ben": Verdict(("p0.0", "p0.1"))},
                # Image: 1. Text: the judge named none, anna one: 0.
                ("a", 1): {"anna": Verdict(("p0.0", "p1.0"))},
                # Text 1; image: judge named one, anna none: 0.
                ("b", 0): {"anna": Verdict(("p0.0",))},
                # No label of the judge: does not count.
                ("b", 1): {"anna": Verdict(("p0.0",))},
                # Seconds 0, 1 against 1, 2, 3 on the clock, as one of both names no stream: 2/5.
                ("c", 0): {"ben": Verdict(intervals=film((1.0, 3.5)))},
            },
        )
    )
    told = {
        (c.task, c.annotator, c.modality): (c.f1.value, c.f1.samples, c.f1.sentences) for c in found
    }
    visual = "visual summarization"
    text = (5 / 6 + 0 + 1) / 3
    assert told == {
        (ALL, ALL, "text"): (pytest.approx(text), 2, 3),
        (ALL, ALL, "image"): (pytest.approx(1 / 2), 2, 2),
        (ALL, ALL, "time"): (pytest.approx(2 / 5), 1, 1),
        (visual, ALL, "text"): (pytest.approx(text), 2, 3),
        (visual, ALL, "image"): (pytest.approx(1 / 2), 2, 2),
        ("video qa", ALL, "time"): (pytest.approx(2 / 5), 1, 1),
        (ALL, "anna", "text"): (pytest.approx((2 / 3 + 0 + 1) / 3), 2, 3),
        (ALL, "anna", "image"): (pytest.approx(1 / 2), 2, 2),
        (ALL, "ben", "text"): (pytest.approx(1), 1, 1),
        (ALL, "ben", "time"): (pytest.approx(2 / 5), 1, 1),
    }
    by_key = {(c.task, c.annotator, c.modality): c.f1.interval for c in found}
    assert by_key["video qa", ALL, "time"] is None, "one answer says nothing of how answers vary"
    # Resamples of two answers: a, a (5/12), a, b (11/18) or b, b (1).
    assert by_key[visual, ALL, "text"] == pytest.approx((5 / 12, 1))


def test_what_is_no_verdict_on_sources_does_not_count():
    found = table_4(
        opinions(
            [item("a")],
            {("a", 0): Verdict(("p0.0",)), ("a", 1): Verdict(unsupported=True)},
            {
                ("a", 0): {"anna": Verdict(bad=True), "ben": Verdict(unsure=True)},
                # Both say that nothing supports it: no modality is named by either.
                ("a", 1): {"anna": Verdict(unsupported=True)},
            },
        )
    )
    assert found == ()


def test_questions_are_units_and_seconds():
    one = Verdict(("p0.1", "p1.0"), film((0.5, 1.5), (3.2, 4.0), lane="video_sound"))
    assert answered(item("a"), one).astype(int).tolist() == [0, 1, 1, 1, 1, 0, 1]


def test_kappa_and_alpha_by_hand():
    """Seven questions a sentence, two sentences of two answers, two annotators.

    anna: units 1 | nothing; ben: units 1 and 2 | unit 1. Of 14 questions both say yes to one, only
    ben to two, both no to eleven. κ: seen 12/14, chance (1·3 + 13·11)/14² = 146/196; κ = 22/50.
    α: 28 answers, 4 yes and 24 no; o₀₁ = 2; α = 1 − 27·2/(4·24) = 0.4375.
    """
    rows = reliability(
        opinions(
            [item("a"), item("b")],
            {},
            {
                ("a", 0): {"anna": Verdict(("p0.0",)), "ben": Verdict(("p0.0", "p0.1"))},
                ("b", 0): {"anna": Verdict(unsupported=True), "ben": Verdict(("p0.0",))},
                ("b", 1): {"anna": Verdict(("p1.0",))},
            },
        )
    )
    assert [(row.task, row.annotator) for row in rows] == [
        (ALL, ALL),
        ("visual summarization", ALL),
        (ALL, "anna"),
        (ALL, "ben"),
    ]
    for row in rows:
        assert row.kappa.value == pytest.approx(22 / 50)
        assert row.alpha.value == pytest.approx(0.4375)
        assert (row.kappa.samples, row.kappa.sentences) == (2, 2)
        assert row.kappa.interval.low <= 22 / 50 <= row.kappa.interval.high


def test_without_overlap_or_variety_there_is_no_coefficient():
    alone = opinions([item("a")], {}, {("a", 0): {"anna": Verdict(("p0.0",))}})
    assert all(row.kappa is None and row.alpha is None for row in reliability(alone))
    nothing = {"anna": Verdict(unsupported=True), "ben": Verdict(unsupported=True)}
    same = opinions([item("a")], {}, {("a", 0): nothing})
    assert all(row.kappa is None and row.alpha is None for row in reliability(same))
    assert reliability(opinions([item("a")], {}, {}))[0].kappa is None


def test_the_bootstraps_formulas_are_the_libraries():
    rng = np.random.default_rng(3)
    names = ("anna", "ben", "cleo")
    from core.review.reliability import _Asked

    asked = [_Asked("a", {n: rng.random(30) < 0.3 for n in names[: 2 + (i % 2)]}) for i in range(6)]
    first, second = (np.concatenate([one.said[n] for one in asked]) for n in names[:2])
    sums = np.stack([_table(one.said["anna"], one.said["ben"]) for one in asked]).T
    assert _mean_kappa(*sums) == pytest.approx(cohen_kappa_score(first, second))

    missing = np.full(30, np.nan)
    table = np.concatenate(
        [np.stack([one.said.get(n, missing).astype(float) for n in names]) for one in asked], axis=1
    )
    expected = krippendorff.alpha(table, level_of_measurement="nominal")
    assert _alpha_of(*np.stack([_coincidences(one) for one in asked]).T) == pytest.approx(expected)


def test_disputes_are_sorted_and_say_who():
    found = disputed(
        opinions(
            [item("a", sentences=5)],
            {("a", at): Verdict(("p0.0",)) for at in range(5)},
            {
                ("a", 0): {"anna": Verdict(("p0.0",))},
                ("a", 1): {"anna": Verdict(("p0.0",), unsure=True)},
                ("a", 2): {"anna": Verdict(("p1.0",))},
                ("a", 3): {"anna": Verdict(("p0.0",)), "ben": Verdict(bad=True)},
                ("a", 4): {"anna": Verdict(("p0.1",))},
            },
        ),
        settled={Place("a", 4)},
    )
    assert [(one.place.sentence, one.agreement, one.settled) for one in found] == [
        (2, 0.0, False),
        (3, pytest.approx(1 / 3), False),
        (1, 1.0, False),
        (4, 0.0, True),
    ]
    assert (found[1].bad, found[2].unsure) == (("ben",), ("anna",))
