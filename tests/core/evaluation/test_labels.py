"""Label files: read back exactly, refused with line and key, and written from the world's truth."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.evaluation.labels import (
    LABELLERS,
    TIMED_LANES,
    Interval,
    Label,
    answer_id,
    read_labels,
    write_labels,
)
from core.evaluation.truth import truth_labels
from tests.core.handmade import PROMPT, ROWS, trace_of

LABEL = Label(
    "0123456789abcdef", 0, "A cat.", ("p0.0",), (Interval(2, 0.4, 1.9, "audio"),), "judge", "m", "1"
)


def trace(*texts: str, **changes):
    return trace_of(np.ones((len(texts), len(ROWS))), *texts, **changes)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
labels = st.builds(
    Label,
    answer_id=st.integers(0, 16**16 - 1).map("{:016x}".format),
    span=st.integers(0, 99),
    text=words,
    units=st.lists(words, max_size=3).map(tuple),
    intervals=st.lists(
        st.builds(
            lambda part, start, length, lane: Interval(part, start, start + length, lane),
            st.integers(0, 9),
            st.floats(0, 1e4),
            st.floats(0.01, 1e4),
            st.sampled_from([None, *TIMED_LANES]),
        ),
        max_size=3,
    ).map(tuple),
    by=st.sampled_from(LABELLERS),
    name=words,
    prompt_version=words,
)


@settings(max_examples=20)
@given(st.lists(labels, max_size=4, unique_by=lambda one: (one.answer_id, one.span)))
def test_what_is_written_is_read_back(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("labels") / "labels.jsonl"
    assert read_labels(write_labels(path, written)) == tuple(written)


def line(**changes) -> str:
    write = {"format": 2, **vars(LABEL), "intervals": [vars(i) for i in LABEL.intervals], **changes}
    return json.dumps({key: value for key, value in write.items() if value != "absent"})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("{", "line 2 is not valid JSON"),
        ("[]", "line 2: the label is not an object"),
        (line(units="absent"), "line 2: the label is not an object with exactly"),
        (line(more=1), "line 2: the label is not an object with exactly"),
        (line(format=3), "line 2 has format 3, written by a newer"),
        (line(answer_id="xyz"), "line 2: the label.answer_id is not 16 hexadecimal digits"),
        (line(span=-1), "line 2: the label.span"),
        (line(span=True), "line 2: the label.span"),
        (line(by="cat"), "line 2: the label.by is not one of generator, judge, person, baseline"),
        (line(units=[1]), "line 2: the label.units[0]"),
        (
            line(intervals=[{"part": 0, "lane": "text", "start": 0, "end": 1}]),
            "line 2: the label.intervals[0].lane",
        ),
        (
            line(intervals=[{"part": 0, "lane": None, "start": 2, "end": 2}]),
            "line 2: an interval from 2 s to 2 s",
        ),
        (
            line(intervals=[{"part": 0, "lane": None, "start": float("nan"), "end": 2}]),
            "line 2: the label.intervals[0].start",
        ),
        (line(), "line 2 says again what line 1 says"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, wrong: str, told: str):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"{line()}\n{wrong}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_labels(path)
    assert f"'labels.jsonl', {told}" in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"\ufeff{line()}\n\n{line(name='other')}", encoding="utf-8")
    assert [label.name for label in read_labels(path)] == ["m", "other"]


def test_files_that_cannot_be_read_or_written_are_told(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="cannot be written"):
        write_labels(tmp_path / "no" / "folder.jsonl", [])
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_labels(tmp_path / "latin.jsonl")


def test_an_answer_has_one_name_whatever_recorded_it():
    made = trace("A cat.")
    again = replace(
        made, scores={"rawatt": made.scores["attmean"]}, own={"rawatt": made.own["attmean"]}
    )
    assert answer_id(again) == answer_id(made)
    assert answer_id(trace("A dog.")) != answer_id(made)
    other = replace(PROMPT, instruction="Say.")
    assert answer_id(trace("A cat.", prompt=other)) != answer_id(made)


def source(part: int, lane: str, start=None, end=None) -> dict:
    return {"part": part, "lane": lane, "start": start, "end": end}


def test_truth_becomes_labels_for_the_sentences_that_are_right():
    sentences = [
        {"text": "A cat sat.", "sources": [source(0, "text", 0, 10)]},
        {"text": "It rained.", "sources": [source(2, "audio", 0.2, 0.9)]},
        {"text": "A box.", "sources": [source(1, "image"), source(3, "video_frames", 1.0, 2.0)]},
    ]
    made = trace("A cat sat. ", "It snowed. ", "A box.")
    first, last = truth_labels(sentences, made, name="world")
    assert first == Label(answer_id(made), 0, "A cat sat.", ("p0.0",), (), "generator", "world")
    assert (last.span, last.units) == (2, ("p1.0",))
    assert last.intervals == (Interval(3, 1.0, 2.0, "video_frames"),)


def test_a_text_unit_is_a_source_if_more_than_half_of_it_is():
    made = trace("A cat sat.")
    half, more = (
        [{"text": "A cat sat.", "sources": [source(0, "text", 0, end)]}] for end in (5, 6)
    )
    (label,) = truth_labels(half, made, name="world")
    assert label.units == ()
    (label,) = truth_labels(more, made, name="world")
    assert label.units == ("p0.0",)
