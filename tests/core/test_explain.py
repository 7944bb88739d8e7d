"""A trace becomes an explanation: sources, votes, and where the signal went."""

import gc
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation import Curation
from core.errors import InputError
from core.explain import _latest, explain, prepare, to_json
from core.prompt import Prompt
from core.sources import Granularity
from tests.core.handmade import ROWS, timeline_of, trace_of

WORDS = ("The", " cat", " is", " red", ".", "\nNo", ".")
EMPTY = {"prompt": Prompt("Hi"), "timeline": timeline_of([(-1, "", None)]), "media": ()}


def scores(**at: float) -> np.ndarray:
    """``t1p4=.5``: token 1, position 4."""
    made = np.zeros((len(WORDS), len(ROWS)), np.float16)
    for name, value in at.items():
        token, position = name[1:].split("p")
        made[int(token), int(position)] = value
    return made


def test_a_sentence_is_given_the_picture_it_came_from():
    trace = trace_of(scores(t1p4=0.5, t1p5=0.25, t3p9=0.25, t3p10=0.125), *WORDS)
    found = explain(trace, curation=Curation(assignment="mass"))
    red, no = found.spans
    (picture,) = red.sources
    # Votes: 1.0 · .75² for the picture, .8 · .25² for the film; the sound loses rule 2.
    assert picture.unit.label == "Image 1"
    assert picture.share == pytest.approx(0.5625 / 0.6125)
    assert [v.unit for v in red.votes] == [-1, 2, -1, 5, -1]
    assert [v.pos for v in red.votes] == ["DET", "NOUN", "AUX", "ADJ", "PUNCT"]
    assert red.votes[1].vote == pytest.approx(0.5625)
    assert (red.first, red.last, red.text) == (0, 5, "The cat is red.")
    assert no.sources == () and no.text == "No."
    assert found.spans_citing(2) == (0,) and found.spans_citing(5) == ()


def test_assignment_by_peak_looks_at_the_strongest_position():
    trace = trace_of(scores(t1p4=0.25, t1p5=0.25, t1p9=0.375), *WORDS)
    mass = Curation(assignment="mass")
    by_mass = explain(trace, curation=mass).spans[0].sources[0].unit.label
    by_peak = explain(trace, curation=Curation(assignment="peak")).spans[0].sources[0].unit.label
    assert (by_mass, by_peak) == ("Image 1", "Film 1 · picture · 0.0–1.0 s")


def test_lanes_apart_give_every_token_one_vote_a_lane():
    trace = trace_of(scores(t1p4=0.5, t1p9=0.25), *WORDS)
    votes = explain(trace, curation=Curation(lanes="per_lane")).spans[0].votes
    assert [v.unit for v in votes if v.token == 1] == [-1, 2, -1, 5, -1]
    assert len(votes) == 25 and votes[6].unit == 2 and votes[5:7] == tuple(votes)[5:7]


def test_the_meter_says_where_the_signal_went():
    made = scores(t5p0=0.25, t5p1=0.25, t5p2=0.25, t5p4=0.125, t6p3=1.0)
    trace = trace_of(made, *WORDS, own=0.125)
    meter = explain(trace).spans[1].meter
    # Token 5 sums to 1; token 6 to 1.125, of which 1 fell on text.
    assert meter.lanes["text"] == pytest.approx((0.25 + 1 / 1.125) / 2)
    assert meter.lanes["image"] == pytest.approx(0.125 / 2)
    assert meter.instruction == meter.structure == pytest.approx(0.25 / 2)
    assert meter.own == pytest.approx((0.125 + 0.125 / 1.125) / 2)
    assert set(meter.lanes) == {"text", "image", "audio", "video_frames", "video_sound"}


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0, 2))
def test_a_meter_sums_to_one(seed: int, own: float):
    draws = np.random.default_rng(seed)
    made = draws.random((len(WORDS), len(ROWS))) * (draws.random((len(WORDS), 1)) > 0.5)
    for span in explain(trace_of(made, *WORDS, own=own)).spans:
        meter = span.meter
        assert sum((*meter.lanes.values(), meter.instruction, meter.own, meter.structure)) == (
            pytest.approx(1)
        )


def test_a_sentence_drawn_from_the_answers_own_words_says_so():
    made = scores(t1p4=0.5, t5p4=0.5, t6p4=0.5)
    own = {"attmean": np.array([0, 0, 0, 0, 0, 0.75, 0.75], np.float32)}
    first, second = explain(trace_of(made, *WORDS, own=own)).spans
    assert not first.drawn_from_own and second.drawn_from_own


def test_partial_traces_of_a_stream():
    made = scores(t1p4=0.5, t5p2=0.5)
    for count in range(len(WORDS) + 1):
        found = explain(trace_of(made[:count], *WORDS[:count], stopped="running"))
        assert len(found.spans) == (0 if not count else 1 if count < 6 else 2)
        if count >= 2:
            assert found.spans[0].sources[0].unit.label == "Image 1"


def test_a_trace_without_parts_explains_by_nothing():
    trace = trace_of(np.ones((1, 1)), "Yes", **EMPTY)
    (span,) = explain(trace).spans
    assert span.sources == () and len(span.votes) == 0 and span.meter.structure == 1


def test_the_first_signal_is_the_default_and_an_unknown_one_is_refused():
    trace = trace_of(scores(), *WORDS)
    assert explain(trace).signal == "attmean"
    with pytest.raises(InputError, match=r"'rawatt'.*attmean"):
        explain(trace, signal="rawatt")
    with pytest.raises(InputError, match="none"):
        explain(replace(trace, scores={}, own={}))


def test_moving_a_slider_prepares_nothing_again():
    trace = trace_of(scores(t1p4=0.5), *WORDS)
    first = explain(trace)
    again = explain(trace, curation=Curation(gamma=1.0, assignment="peak"))
    assert again.sources is first.sources
    finer = explain(trace, granularity=Granularity(bin_seconds=0.5))
    assert len(finer.sources.units) > len(first.sources.units)
    assert explain(trace).spans[0].sources == first.spans[0].sources


def test_what_is_kept_dies_with_its_trace():
    gc.collect()
    before = len(_latest)
    trace = trace_of(scores(t1p4=0.5), *WORDS)
    explain(trace)
    assert len(_latest) == before + 1
    del trace
    gc.collect()
    assert len(_latest) == before


def test_a_prepared_trace_keeps_both_kinds_of_evidence():
    prepared = prepare(trace_of(scores(t1p4=0.5, t1p5=0.25), *WORDS), signal="attmean")
    assert (prepared.mass[1, 2], prepared.peak[1, 2]) == (0.75, 0.5)
    assert len(prepared.pos) == len(WORDS)


def test_the_json_form_is_stable():
    found = explain(trace_of(scores(t1p4=0.5), *WORDS))
    written = json.loads(json.dumps(to_json(found), allow_nan=False))
    assert set(written) == {"format", "signal", "units", "spans"}
    assert written["units"][2] == {
        "id": "p1.0",
        "lane": "image",
        "part": 1,
        "label": "Image 1",
        "start": None,
        "end": None,
        "text": "",
    }
    span = written["spans"][0]
    assert span["sources"] == [
        {"id": "p1.0", "unit": 2, "label": "Image 1", "share": 1.0, "run": 1.0, "score": 1.0}
    ]
    assert span["votes"][1] == {
        "token": 1,
        "pos": "NOUN",
        "unit": 2,
        "confidence": 0.5,
        "vote": 0.25,
    }
    assert list(span) == [
        *("index", "text", "start", "end", "first", "last"),
        *("sources", "votes", "meter", "drawn_from_own"),
    ]
    assert set(span["meter"]) == {"lanes", "instruction", "own", "structure"}
