"""Words → sentences, texts joined, segments tidied: by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.segmenters.base import tidy
from core.segmenters.sentences import joined, sentences
from core.sources import in_order
from core.trace import Segment


def words(*texts: str, speaker: str | None = None, at: float = 0.0) -> list[Segment]:
    """Words of half a second each."""
    return [Segment(at + k / 2, at + k / 2 + 0.5, t, speaker) for k, t in enumerate(texts)]


def test_words_become_sentences_with_the_times_of_their_words():
    heard = words(" The", " dog", " barks.", " Nobody", " hears", " it.")
    assert sentences(heard) == (
        Segment(0.0, 1.5, "The dog barks."),
        Segment(1.5, 3.0, "Nobody hears it."),
    )


def test_an_abbreviation_ends_no_sentence():
    assert [s.text for s in sentences(words("Mr. ", "Smith ", "met ", "us ", "there."))] == [
        "Mr. Smith met us there."
    ]


def test_chinese_is_cut_at_its_own_full_stops():
    assert [s.text for s in sentences(words("我们", "走。", "他", "留下。"))] == [
        "我们走。",
        "他留下。",
    ]


def test_another_speaker_begins_another_sentence():
    heard = [*words("well ", "I ", speaker="a"), *words("no ", "you", speaker="b", at=1.0)]
    assert sentences(heard) == (
        Segment(0.0, 1.0, "well I", "a"),
        Segment(1.0, 2.0, "no you", "b"),
    )


def test_a_long_silence_ends_a_sentence_without_a_mark():
    heard = [*words("one ", "two "), *words("three", at=2.0)]
    assert [(s.start, s.end, s.text) for s in sentences(heard)] == [
        (0.0, 1.0, "one two"),
        (2.0, 2.5, "three"),
    ]
    assert len(sentences([*words("one ", "two "), *words("three", at=1.9)])) == 1


def test_no_words():
    assert sentences([]) == ()
    assert sentences(words(" ", "  ")) == ()


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (("I came.", "I saw."), "I came. I saw."),
        (("我来了。", "我看见了。"), "我来了。我看见了。"),
        (("行きます。", "はい"), "行きます。はい"),
        (("한국어는", "띄어 씁니다."), "한국어는 띄어 씁니다."),
        (("我用", "Python", "写。"), "我用Python写。"),
        ((" padded ", "", " text"), "padded text"),
        ((), ""),
    ],
)
def test_texts_are_joined_as_their_script_is_written(texts, whole):
    assert joined(texts) == whole


def test_tidy_gives_way_to_the_later_and_loses_no_word():
    rough = [
        Segment(2.0, 3.0, "c"),
        Segment(0.0, 2.5, "a"),
        Segment(1.0, 1.0, "b"),
        Segment(2.9, 9.0, "d", "x"),
    ]
    assert tidy(rough, 4.0) == (
        Segment(0.0, 2.5, "a b"),
        Segment(2.5, 3.0, "c"),
        Segment(3.0, 4.0, "d", "x"),
    )


times = st.floats(-1, 12, allow_nan=False)


@given(st.lists(st.tuples(times, times)), st.floats(0.04, 10))
def test_tidy_segments_are_always_in_order_and_inside(extents, duration: float):
    kept = tidy((Segment(a, b, "w") for a, b in extents), duration)
    assert in_order(kept)
    assert all(segment.end <= duration for segment in kept)
