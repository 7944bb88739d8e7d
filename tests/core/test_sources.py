"""Parts are cut into units, positions find theirs, and scores add up over them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart
from core.sources import Granularity, Sources, cut, unit_mass, unit_peak
from core.trace import MediaInfo
from tests.core.handmade import MEDIA, PROMPT, ROWS, timeline_of

SOUND = Prompt("", (AudioPart(Path("a.wav"), "a.wav"),))


def audio(count: int, step: float = 0.04) -> list[tuple]:
    return [(0, "audio", (step * k, step * (k + 1))) for k in range(count)]


def cut_sound(rows: list[tuple], duration: float | None = None, **how) -> Sources:
    info = (MediaInfo(duration=duration),)
    return cut(SOUND, timeline_of(rows), info, Granularity(**how))


def extents(sources: Sources) -> list[tuple[float, float]]:
    return [(unit.start, unit.end) for unit in sources.units]


def test_all_four_kinds_at_once():
    sources = cut(PROMPT, timeline_of(ROWS), MEDIA)
    assert [(u.id, u.lane, u.label) for u in sources.units] == [
        ("p0.0", "text", "Text 1 · sentence 1"),
        ("p0.1", "text", "Text 1 · sentence 2"),
        ("p1.0", "image", "Image 1"),
        ("p2.0", "audio", "Audio 1 · 0.0–1.0 s"),
        ("p2.1", "audio", "Audio 1 · 1.0–1.5 s"),
        ("p3.0", "video_frames", "Film 1 · picture · 0.0–1.0 s"),
        ("p3.1", "video_frames", "Film 1 · picture · 1.0–2.0 s"),
        ("p3.s0", "video_sound", "Film 1 · sound · 0.0–1.0 s"),
        ("p3.s1", "video_sound", "Film 1 · sound · 1.0–2.0 s"),
    ]
    assert [u.text for u in sources.units[:3]] == ["A cat sat.", "B. dog", ""]
    # Structure and instruction belong to no unit; a film's frames and sound interleave.
    assert sources.unit_of.tolist() == [-1, -1, 0, 1, 2, 2, 3, 3, 4, 5, 7, 6, 8, -1]
    assert sources.lane_of.tolist() == [0, 0, 1, 2, 2, 3, 3, 4, 4]
    assert (sources.unit_of.dtype, sources.lane_of.dtype) == (np.int32, np.int8)


def test_parts_are_counted_by_kind():
    prompt = Prompt("", (TextPart("A."), ImagePart(Path("a"), "a"), TextPart("B. C is. D is.")))
    rows = [(1, "image", None), (0, "text", (0, 2)), (2, "text", (0, 2)), (2, "text", (9, 11))]
    labels = [u.label for u in cut(prompt, timeline_of(rows)).units]
    assert labels == ["Text 1", "Image 1", "Text 2 · sentence 1", "Text 2 · sentence 2"]


def test_whole_text_parts():
    sources = cut(PROMPT, timeline_of(ROWS), MEDIA, Granularity(text="part"))
    assert (sources.units[0].label, sources.units[0].text) == ("Text 1", "A cat sat. B. dog")
    assert sources.unit_of[2:4].tolist() == [0, 0]


def test_the_options_of_a_question_are_units_of_their_own():
    prompt = Prompt("", (TextPart("Which animal?\nA. dog\nB. cat"),))
    # Tokens: "Which animal?", "\nA", ". dog", "\n", "B. cat"; the second begins with the newline.
    rows = [(0, "text", at) for at in ((0, 13), (13, 15), (15, 20), (20, 21), (21, 27))]
    sources = cut(prompt, timeline_of(rows))
    assert [u.text for u in sources.units] == ["Which animal?", "A. dog", "B. cat"]
    assert sources.unit_of.tolist() == [0, 1, 1, -1, 2]


def test_empty_and_blank_texts_have_no_units():
    prompt = Prompt("", (TextPart(""), TextPart(" \n ")))
    sources = cut(prompt, timeline_of([(1, "text", (0, 3)), (1, "text", None)]))
    assert sources.units == () and sources.unit_of.tolist() == [-1, -1]
    assert unit_mass(np.ones((2, 2)), sources).shape == (2, 0)


def test_what_no_position_reads_is_no_unit():
    text = TextPart("One is. Two is. Three is.")
    prompt = Prompt("", (text, ImagePart(Path("a"), "a"), AudioPart(Path("b"), "b")))
    assert cut(prompt, timeline_of([])).units == ()
    read = cut(prompt, timeline_of([(0, "text", (16, 20)), (0, "text", (0, 3))]))
    assert [(u.id, u.label, u.text) for u in read.units] == [
        ("p0.0", "Text 1 · sentence 1", "One is."),
        ("p0.2", "Text 1 · sentence 3", "Three is."),
    ]
    assert read.unit_of.tolist() == [1, 0]


def test_seconds_fall_into_bins_by_their_midpoint():
    sources = cut_sound(audio(100), 3.99)
    assert extents(sources) == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 3.99)]
    assert np.bincount(sources.unit_of).tolist() == [25, 25, 25, 25]
    assert sources.units[3].label == "Audio 1 · 3.00–3.99 s"


@pytest.mark.parametrize("bin_seconds", [0.25, 0.5, 1.0, 5.0])
def test_bins_hold_the_positions_whose_midpoints_they_hold(bin_seconds: float):
    sources = cut_sound(audio(300), bin_seconds=bin_seconds)
    for position, unit in enumerate(sources.unit_of.tolist()):
        # In hundredths of a second: 4 to a position, so no rounding here.
        assert unit == (4 * position + 2) // round(100 * bin_seconds)


def test_bins_finer_than_the_models_grid_widen_to_it():
    """Positions of 2 s in bins of 1 s: half the bins hold no midpoint and are not invented."""
    prompt = Prompt("", (VideoPart(Path("f.mp4"), "f.mp4"),))
    rows = [(0, "video_frames", (2.0 * k, 2.0 * k + 2)) for k in range(3) for _ in range(4)]
    sources = cut(prompt, timeline_of(rows), (MediaInfo(duration=5.5),))
    assert extents(sources) == [(0.0, 2.0), (2.0, 4.0), (4.0, 5.5)]
    assert sources.unit_of.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert [u.id for u in sources.units] == ["p0.0", "p0.1", "p0.2"]


def test_what_given_intervals_leave_out_becomes_units_too():
    spoken = {0: ((0.4, 1.0), (1.0, 1.6), (2.4, 2.8))}
    sources = cut_sound(audio(100), 4.0, intervals=spoken)
    assert extents(sources) == [
        (0.0, 0.4),
        (0.4, 1.0),
        (1.0, 1.6),
        (1.6, 2.4),
        (2.4, 2.8),
        (2.8, 4.0),
    ]
    assert (sources.unit_of >= 0).all()


def test_intervals_are_for_their_part_alone():
    prompt = Prompt("", (*SOUND.parts, *SOUND.parts))
    rows = [*audio(50), *((1, lane, at) for _, lane, at in audio(50))]
    sources = cut(prompt, timeline_of(rows), (), Granularity(intervals={1: ((0.0, 2.0),)}))
    assert [u.label for u in sources.units] == [
        "Audio 1 · 0.0–1.0 s",
        "Audio 1 · 1.0–2.0 s",
        "Audio 2 · 0.0–2.0 s",
    ]


def test_a_recording_without_times_is_one_unit():
    sources = cut_sound([(0, "audio", None)] * 3, 9.0)
    assert [(u.label, u.start) for u in sources.units] == [("Audio 1", None)]
    assert sources.unit_of.tolist() == [0, 0, 0]


def test_extents_end_where_the_recording_does():
    assert extents(cut_sound([(0, "audio", (0.0, 2.0)), (0, "audio", (2.0, 4.0))], 3.0)) == [
        (0.0, 2.0),
        (2.0, 3.0),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "word"},
        {"bin_seconds": 0.2},
        {"bin_seconds": 5.5},
        {"bin_seconds": float("nan")},
        {"intervals": {0: ((1.0, 1.0),)}},
        {"intervals": {0: ((2.0, 3.0), (1.0, 2.0))}},
        {"intervals": {0: ((0.0, 2.0), (1.0, 3.0))}},
        {"intervals": {0: ((-1.0, 2.0),)}},
        {"intervals": {0: ((0.0, float("inf")),)}},
        {"intervals": {0: ((0.0, float("nan")),)}},
    ],
)
def test_impossible_granularity_is_refused(wrong):
    with pytest.raises(InputError):
        Granularity(**wrong)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 12), st.integers(0, 5))
def test_mass_and_peak_are_the_sum_and_the_strongest_of_each_units_positions(
    seed: int, n_tokens: int, n_prompt: int, n_units: int
):
    draws = np.random.default_rng(seed)
    scores = draws.random((n_tokens, n_prompt)).astype(np.float16)
    unit_of = draws.integers(-1, n_units, n_prompt).astype(np.int32)
    sources = Sources((None,) * n_units, unit_of, np.zeros(n_units, np.int8))
    mass, peak = unit_mass(scores, sources), unit_peak(scores, sources)
    assert mass.dtype == peak.dtype == np.float32
    for t in range(n_tokens):
        for u in range(n_units):
            held = [float(scores[t, j]) for j in range(n_prompt) if unit_of[j] == u]
            assert mass[t, u] == pytest.approx(sum(held), rel=1e-5)
            assert peak[t, u] == max(held, default=0.0)


def test_mass_does_not_saturate_in_half_precision():
    """4,000 positions of 1.0: float16 would stop counting at 2,048."""
    sources = cut_sound(audio(4_000), bin_seconds=5.0, intervals={0: ()})
    assert unit_mass(np.ones((1, 4_000), np.float16), sources).tolist() == [[4_000.0]]


def test_no_tokens_yet():
    sources = cut_sound(audio(10))
    assert unit_mass(np.zeros((0, 10), np.float16), sources).shape == (0, 1)
