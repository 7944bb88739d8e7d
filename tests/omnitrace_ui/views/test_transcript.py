"""What was said when, as the browser gets it: segments, gaps, and the units that they are."""

from dataclasses import replace

import numpy as np

from core.explain import explain
from core.segmenters import by_segments
from core.trace import Segment
from omnitrace_ui.views import units_model
from omnitrace_ui.views.transcript import words_model
from tests.omnitrace_ui.views.fabricated import case

SHOWN = case()
SPOKEN = (
    Segment(1.0, 4.0, "First.", "speaker_0"),
    Segment(4.0, 6.5, "Second \ud800.", "speaker_1"),
    Segment(20.0, 21.0, "After the end."),
)


def said(trace, found):
    explanation = explain(trace, granularity=by_segments(found))
    return units_model(trace, explanation.sources, found), explanation.sources.units


def test_segments_and_gaps_are_rows_in_time_and_know_their_units():
    model, units = said(SHOWN.trace, {4: SPOKEN})
    rows = model["said"]["4"]
    assert [row[1:] for row in rows] == [
        [0.0, 1.0, None, None],
        [1.0, 4.0, "speaker_0", "First."],
        [4.0, 6.5, "speaker_1", "Second �."],
        [6.5, 16.0, None, None],
        [20.0, 21.0, None, "After the end."],
    ]
    assert [units[row[0]].text for row in rows[1:3]] == ["First.", "Second \ud800."]
    assert [units[row[0]].id for row in rows[:4]] == ["p4.0", "p4.1", "p4.2", "p4.3"]
    assert rows[4][0] == -1, "the model heard nothing at that time"


def test_every_unit_of_the_sound_is_in_exactly_one_row():
    for shift in np.arange(0.0, 1.0, 0.13):
        found = {5: tuple(Segment(k + shift, k + shift + 0.6, "x") for k in range(0, 30, 2))}
        model, units = said(SHOWN.trace, found)
        rows = [row[0] for row in model["said"]["5"] if row[0] >= 0]
        sound = [i for i, unit in enumerate(units) if unit.lane == "video_sound"]
        assert sorted(rows) == sound


def test_a_model_that_says_nothing_of_time_still_shows_the_words():
    timeline = SHOWN.trace.timeline
    timeless = replace(timeline, seconds=np.full_like(timeline.seconds, np.nan))
    model, _ = said(replace(SHOWN.trace, timeline=timeless), {4: SPOKEN[:2], 5: ()})
    assert [row[0] for row in model["said"]["4"]] == [-1, -1]
    assert model["said"]["5"] == []


def test_of_bins_nothing_is_said():
    assert units_model(SHOWN.trace, SHOWN.sources)["said"] == {}


def test_where_nobody_can_listen_words_come_first_and_stretches_of_speech_else():
    media = list(SHOWN.trace.media)
    media[5] = replace(media[5], speech=((2.0, 5.0), (6.0, 7.5)))
    heard = {"pauses": {4: (Segment(0.5, 7.0),)}, "whisper": {4: SPOKEN}}
    trace = replace(SHOWN.trace, media=tuple(media), transcripts=heard)
    found = words_model(trace)
    assert [row[0] for row in found["4"]] == [0, 1, 2]
    assert found["4"][1] == [1, 4.0, 6.5, "speaker_1", "Second �."]
    assert found["5"] == [[0, 2.0, 5.0, None, ""], [1, 6.0, 7.5, None, ""]]
    assert words_model(SHOWN.trace) == {}
