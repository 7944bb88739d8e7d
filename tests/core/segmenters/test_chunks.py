"""Semantic chunks: the rule worked by hand, and real embeddings on real topics."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, MissingExtraError, ModelError
from core.segmenters import load_segmenter
from core.segmenters.chunks import Chunked, semantic_chunks, similarities, threshold
from core.segmenters.embedding import load_embedder
from core.trace import Segment
from tests.core.segmenters.conftest import MINILM


def row(count: int, seconds: float, text: str = "s") -> list[Segment]:
    return [Segment(k * seconds, (k + 1) * seconds, f"{text}{k}.") for k in range(count)]


def embeddings(*degrees: float) -> np.ndarray:
    """Vectors in the plane; lengths differ, for only directions count."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1) * (1 + np.arange(len(degrees)))[:, None]


def texts(chunks) -> list[str]:
    return [chunk.text for chunk in chunks]


def test_similarity_is_the_cosine_of_neighbours():
    assert similarities(embeddings(0, 60, 150)) == pytest.approx([0.5, 0.0])


@pytest.mark.parametrize(
    ("alike", "bar"),
    [
        ([0.9, 0.9, 0.1, 0.9], 0.7 - 0.8 * np.sqrt(0.12)),  # mean 0.7, variance 0.12: 0.4229
        ([0.9, 0.9], 0.7),
        ([0.1, 0.1], 0.3),
        ([], 0.5),
    ],
)
def test_threshold_is_mean_less_four_fifths_of_sigma_clamped(alike, bar):
    assert threshold(np.array(alike)) == pytest.approx(bar)


def test_a_chunk_ends_where_the_similarity_drops():
    """Cosines 1, 0, 1: mean 2/3, σ 0.471, bar 0.3; the drop is after the second sentence."""
    chunks = semantic_chunks(row(4, 4.0), embeddings(0, 0, 90, 90))
    assert chunks == (Segment(0.0, 8.0, "s0. s1."), Segment(8.0, 16.0, "s2. s3."))


def test_a_drop_before_five_seconds_is_passed_over():
    """Drops after sentences 1 and 3, of 4 s each: only the second finds a chunk of 5 s."""
    chunks = semantic_chunks(row(5, 4.0), embeddings(0, 90, 90, 180, 180))
    assert texts(chunks) == ["s0. s1. s2.", "s3. s4."]


def test_a_chunk_never_passes_sixty_seconds():
    chunks = semantic_chunks(row(8, 25.0), embeddings(*[0] * 8))
    assert [chunk.end - chunk.start for chunk in chunks] == [50.0] * 4


def test_a_sentence_longer_than_a_minute_stands_alone():
    segments = [Segment(0, 10, "a."), Segment(10, 80, "b."), Segment(80, 90, "c.")]
    assert texts(semantic_chunks(segments, embeddings(0, 0, 0))) == ["a.", "b.", "c."]


def test_a_short_rest_joins_the_chunk_before_it_if_there_is_room():
    segments = [*row(3, 10.0), Segment(30.0, 33.0, "end.")]
    assert texts(semantic_chunks(segments, embeddings(0, 0, 0, 90))) == ["s0. s1. s2. end."]
    segments = [*row(6, 10.0), Segment(60.0, 63.0, "end.")]
    assert texts(semantic_chunks(segments, embeddings(*[0] * 6, 90)))[-1] == "end."


def test_speakers_of_a_chunk_are_named_if_they_are_one():
    same = [s._replace(speaker="a") for s in row(2, 3.0)]
    assert semantic_chunks(same, embeddings(0, 0))[0].speaker == "a"
    mixed = [same[0], same[1]._replace(speaker="b")]
    assert semantic_chunks(mixed, embeddings(0, 0))[0].speaker is None


def test_chinese_is_joined_without_spaces():
    segments = [Segment(0, 3, "我们走。"), Segment(3, 6, "他留下。")]
    assert texts(semantic_chunks(segments, embeddings(0, 0))) == ["我们走。他留下。"]


def test_none_and_one():
    assert semantic_chunks([], np.zeros((0, 2))) == ()
    assert texts(semantic_chunks(row(1, 2.0), embeddings(0))) == ["s0."]


@given(st.lists(st.floats(0.2, 30), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_chunks_keep_every_sentence_and_their_bounds(lengths: list[float], seed: int):
    ends = np.cumsum(lengths)
    segments = [
        Segment(float(end - length), float(end), f"<{k}>")
        for k, (end, length) in enumerate(zip(ends, lengths, strict=True))
    ]
    draws = np.random.default_rng(seed)
    chunks = semantic_chunks(segments, draws.normal(size=(len(segments), 3)))
    assert " ".join(texts(chunks)) == " ".join(texts(segments))
    assert chunks[0].start == segments[0].start and chunks[-1].end == segments[-1].end
    assert all(chunk.end - chunk.start <= 60 + 1e-9 for chunk in chunks)


class Heard:
    """A recogniser that has heard what it is told: only its sentences matter here."""

    name = "heard"

    def __init__(self, *sentences: str):
        self.said = tuple(Segment(5.0 * k, 5.0 * k + 5, s) for k, s in enumerate(sentences))

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        return self.said


@pytest.fixture(scope="module")
def minilm():
    return load_embedder(MINILM)


def test_real_embeddings_part_two_topics(minilm):
    heard = Heard(
        "The cake needs two cups of flour and a cup of sugar.",
        "Mix the flour and the sugar with butter for the cake.",
        "Bake the cake with the butter in a hot oven.",
        "The parliament voted on the new tax law.",
        "Most members of parliament opposed the tax law.",
    )
    chunked = Chunked(heard, minilm)
    assert chunked.name == "heard+model"
    first, second = chunked.segments(np.zeros(0, np.float32))
    assert first.text.endswith("hot oven.") and second.text.startswith("The parliament")
    assert (first.start, first.end, second.end) == (0.0, 15.0, 25.0)


def test_a_segmenter_without_words_cannot_be_chunked(minilm, dagger: np.ndarray):
    with pytest.raises(InputError, match=r"'pauses' does not know.*whisper"):
        Chunked(load_segmenter("pauses"), minilm).segments(dagger)


def test_what_is_missing_is_told(monkeypatch, tmp_path: Path):
    with pytest.raises(ModelError, match=r"BAAI/bge-m3 are not on this machine.*--chunks"):
        load_segmenter("pauses", chunks="")
    with pytest.raises(ModelError, match="incomplete or damaged"):
        load_segmenter("pauses", chunks=str(tmp_path))
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install sentence-transformers$"):
        load_segmenter("pauses", chunks=MINILM)
