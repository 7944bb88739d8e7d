"""Rules 3 to 5 for the reader's eye, against the framework's own curation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation import LANE_POLICIES, Curation
from core.explain import Explanation, SpanExplanation
from omnitrace_ui.views import why_model
from tests.omnitrace_ui.views.fabricated import ANSWER, Case, Place, case, said

PLACES: list[Place] = [
    ("text", 0, 0),
    ("text", 0, 1),
    ("text", 1, 2),
    ("image", 2, None),
    ("image", 3, None),
    ("audio", 4, 1.0),
    ("audio", 4, 2.0),
    ("video_frames", 5, 3.0),
    ("video_sound", 5, 4.0),
]


def why_of(shown: Case, index: int = 0) -> dict:
    span = shown.explanation.spans[index]
    return why_model(shown.trace, shown.explanation, span, shown.curation)


def test_shares_runs_and_scores_by_hand():
    # Four nouns of equal confidence: A A B A. p = ¾, ¼; r = ½, ¼; q = 0.8 p + 0.2 r.
    answer = [
        *said("lions lions", ("image", 2, None)),
        *said(" cats", ("image", 3, None)),
        *said(" lions", ("image", 2, None)),
    ]
    shown = case(answer=answer, curation=Curation(pos_weights={"OTHER": 1.0}, coverage=0.5))
    lion, cheetah = why_of(shown)["tally"]
    assert lion[1:] == [0.75, 0.5, pytest.approx(0.7), "selected"]
    assert cheetah[1:] == [0.25, 0.25, pytest.approx(0.25), "covered"]


def test_a_unit_below_both_thresholds_is_called_weak():
    answer = [
        *said("lions " * 30 + "lions", ("image", 2, None)),
        *said(" cats", ("image", 3, None)),
    ]
    shown = case(answer=answer, curation=Curation(pos_weights={"OTHER": 1.0}, coverage=1.0))
    assert [row[4] for row in why_of(shown)["tally"]] == ["selected", "weak"]


def test_a_vote_is_the_weight_times_the_sharpened_confidence():
    shown = case()
    rows = [row for n in range(len(shown.explanation.spans)) for row in why_of(shown, n)["tokens"]]
    assert "".join(row[0] for row in rows) == "".join(t.text for t in shown.trace.tokens)
    for _, pos, weight, unit, confidence, vote in rows:
        assert weight == shown.curation.pos_weights.get(pos, 0.3)
        assert vote == pytest.approx(weight * confidence**2 if unit >= 0 else 0.0, rel=0.02)


word = st.tuples(st.sampled_from([*PLACES, None]), st.sampled_from([0.1, 0.3, 0.9]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(word, min_size=1, max_size=14),
    st.sampled_from(LANE_POLICIES),
    st.sampled_from([0.0, 0.5, 0.85, 1.0]),
    st.sampled_from([0.0, 0.07, 0.4]),
)
def test_it_agrees_with_curation_under_every_policy(drawn, policy, coverage, least):
    answer = [w for place, mass in drawn for w in said(" lion", place, mass)]
    curation = Curation(coverage=coverage, min_share=least, min_run=least, lanes=policy)
    shown = case(answer=answer, curation=curation)
    for span in shown.explanation.spans:
        tally = why_model(shown.trace, shown.explanation, span, curation)["tally"]
        agrees(span, shown.explanation, tally, least)


def agrees(span: SpanExplanation, explanation: Explanation, tally: list, least: float) -> None:
    selected = {row[0]: row[1:4] for row in tally if row[4] == "selected"}
    assert set(selected) == {cited.index for cited in span.sources}
    for cited in span.sources:
        shown = np.array(selected[cited.index])
        np.testing.assert_allclose(shown, [cited.share, cited.run, cited.score], atol=1e-4)
    voted = {v.unit for v in span.votes if v.unit >= 0 and v.vote > 0}
    assert voted <= {row[0] for row in tally}
    for _, share, run, _, verdict in tally:
        if verdict == "weak":
            assert share < least and run < least


def test_the_fabricated_answer_has_a_reason_for_every_sentence_but_its_own_words():
    shown = case(answer=ANSWER)
    voted = [any(row[5] > 0 for row in why_of(shown, n)["tokens"]) for n in range(6)]
    assert voted == [True, True, True, True, False, True]
