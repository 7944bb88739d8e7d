"""Where inside the media a sentence's signal fell, worked by hand."""

import json
import math

import numpy as np

from core.explain import explain
from core.prompt import Prompt, media_part
from core.timeline import LANES, Timeline
from core.trace import MediaInfo, ModelInfo, Token, Trace
from omnitrace_ui.views import answer_model
from omnitrace_ui.views.intensity import MOST_CELLS, MOST_MOMENTS, MOST_PARTS, intensity_model
from tests.omnitrace_ui.views.fabricated import FILM, LION, MUSIC, case

NONE = (math.nan,) * 4


def traced(places: list[tuple[int, str, tuple, tuple]], scores: list[list[float]], paths) -> Trace:
    """Positions as ``(part, lane, seconds, box)``; one token a row of scores, one sentence."""
    timeline = Timeline.structural(len(places))
    for i, (part, lane, seconds, box) in enumerate(places):
        timeline.part[i], timeline.lane[i] = part, LANES.index(lane)
        timeline.seconds[i], timeline.box[i] = seconds or (math.nan,) * 2, box or NONE
    words = [f" w{i}" for i in range(len(scores))]
    ends = np.cumsum([len(word) for word in words]).tolist()
    tokens = tuple(
        Token(i, word, end - len(word), end)
        for i, (word, end) in enumerate(zip(words, ends, strict=True))
    )
    return Trace(
        prompt=Prompt.of("See.", [media_part(path) for path in paths]),
        timeline=timeline,
        answer="".join(words),
        tokens=tokens,
        scores={"attmean": np.array(scores, np.float16)},
        own={"attmean": np.zeros(len(scores), np.float32)},
        media=tuple(MediaInfo(duration=None) for _ in paths),
        model=ModelInfo("made", "none", 0, "float32", "cpu"),
    )


def intensity(trace: Trace) -> dict:
    (span,) = explain(trace).spans
    return intensity_model(trace, "attmean", span)


def grid(part: int, columns: int, rows: int, size: float = 10.0):
    return [
        (part, "image", (), (x * size, y * size, (x + 1) * size, (y + 1) * size))
        for y in range(rows)
        for x in range(columns)
    ]


def test_patches_are_the_mean_over_the_tokens_in_percent_of_the_strongest():
    trace = traced(grid(0, 3, 2), [[0, 0.2, 0, 0, 0, 0], [0, 0.2, 0, 0.1, 0, 0]], [LION])
    assert intensity(trace) == {"0": {"image": [3, 2, [0, 100, 0, 25, 0, 0]]}}


def test_overlapping_boxes_show_the_strongest():
    places = [*grid(0, 2, 2), (0, "image", (), (0.0, 0.0, 20.0, 20.0))]
    trace = traced(places, [[0.4, 0, 0, 0, 0.1]], [LION])
    assert intensity(trace) == {"0": {"image": [2, 2, [100, 25, 25, 25]]}}


def test_what_a_film_shows_at_one_time_is_summed():
    frames = [(0, "video_frames", (t, t + 1.0), ()) for t in (0.0, 1.0) for _ in range(2)]
    sound = [(0, "video_sound", (t / 2, t / 2 + 0.5), ()) for t in range(4)]
    trace = traced(frames + sound, [[0.1, 0.1, 0.3, 0.1, 0, 0.2, 0, 0]], [FILM])
    shown = intensity(trace)["0"]
    assert shown["video_frames"] == [2.0, [50, 100]]
    assert shown["video_sound"] == [2.0, [0, 100, 0, 0]]


def test_places_that_are_unknown_and_parts_without_signal_are_left_out():
    places = [*grid(0, 2, 1), (1, "audio", (), ()), (2, "image", (), ())]
    trace = traced(places, [[0, 0, 0.5, 0.5]], [LION, MUSIC, LION])
    assert intensity(trace) == {}


def test_a_large_prompt_stays_small():
    places = [p for part in range(20) for p in grid(part, 60, 60)]
    places += [(20, "audio", (t / 25, t / 25 + 0.04), ()) for t in range(7_500)]
    weights = np.random.default_rng(0).random(len(places)).astype(np.float16)
    trace = traced(places, [weights.tolist()], [LION] * 20 + [MUSIC])
    shown = intensity(trace)
    assert len(shown) == MOST_PARTS
    columns, rows, values = next(iter(shown.values()))["image"]
    assert columns == rows == MOST_CELLS and len(values) == columns * rows
    assert len(shown["20"]["audio"][1]) == MOST_MOMENTS
    assert len(json.dumps(shown)) < 20_000


def test_only_the_selected_sentence_brings_it():
    shown = case()
    compared = [("AttMean", shown.explanation), ("Other", shown.explanation)]
    model = answer_model(
        shown.trace, shown.explanation, shown.curation, selected=3, compared=compared
    )
    assert [span["id"] for span in model["spans"] if "where" in span] == [3]
    span = model["spans"][3]
    at_twelve = span["where"]["5"]["video_frames"]
    assert at_twelve[0] == 30.5 and at_twelve[1].index(100) == 24
    assert [title for title, _ in span["compare"]] == ["AttMean", "Other"]
    assert span["compare"][0][1] == [cite[:2] for cite in span["cites"]]


def test_one_signal_has_nothing_to_be_compared_with():
    shown = case()
    alone = [("AttMean", shown.explanation)]
    model = answer_model(shown.trace, shown.explanation, shown.curation, selected=0, compared=alone)
    assert "compare" not in model["spans"][0]
