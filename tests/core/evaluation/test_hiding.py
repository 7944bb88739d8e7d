"""What is left of a prompt when sources are hidden, by hand."""

from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.hiding import without
from core.prompt import Prompt, TextPart, Veil
from core.sources import cut
from tests.core.handmade import PROMPT, ROWS, timeline_of

SOURCES = cut(PROMPT, timeline_of(ROWS))
AT = {unit.id: index for index, unit in enumerate(SOURCES.units)}


def left(*ids: str, how: str = "remove") -> Prompt:
    return without(PROMPT, SOURCES, {AT[name] for name in ids}, how=how)


def test_a_sentence_is_cut_out_with_the_space_behind_it():
    assert left("p0.0").parts[0] == TextPart("B. dog")
    assert left("p0.1").parts[0] == TextPart("A cat sat. ")
    assert left("p0.0").parts[1:] == PROMPT.parts[1:]


def test_what_is_hidden_whole_is_left_out():
    assert [part.kind for part in left("p0.0", "p0.1").parts] == ["image", "audio", "video"]
    assert [part.kind for part in left("p1.0").parts] == ["text", "audio", "video"]
    sound = [name for name in AT if name.startswith("p2.")]
    assert [part.kind for part in left(*sound).parts] == ["text", "image", "video"]


def test_of_what_stays_the_hidden_seconds_are_blank():
    (veil,) = left("p2.0").parts[2].veils
    assert veil == Veil("audio", "blank", 0.0, 1.0)
    frames, sound = left("p3.0", "p3.s1").parts[3].veils
    assert frames == Veil("video_frames", "blank", 0.0, 1.0)
    assert sound == Veil("video_sound", "blank", 1.0, 2.0)


def test_blurring_leaves_media_in_their_place():
    blurred = left("p0.0", "p1.0", "p2.0", how="blur")
    assert [part.kind for part in blurred.parts] == ["text", "image", "audio", "video"]
    assert blurred.parts[1].veils == (Veil("image", "blur"),)
    assert blurred.parts[2].veils == (Veil("audio", "blur", 0.0, 1.0),)


def test_nothing_left_is_told():
    alone = Prompt("", (PROMPT.parts[0],))
    rows = [row for row in ROWS if row[0] == 0]
    sources = cut(alone, timeline_of(rows))
    with pytest.raises(InputError, match="Hide fewer"):
        without(alone, sources, {0, 1}, how="remove")


def test_a_given_prompt_is_not_touched():
    left("p1.0")
    assert not any(part.veils for _, part in PROMPT.media)
    assert all(isinstance(part.path, Path) for _, part in PROMPT.media)
