"""Choosing heads: by hand, and of a model whose heads are really read."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.benchmarks.heads import Look, observe, pick, run, true_positions
from core.models.heads import read_heads
from core.models.registry import load_model
from core.samples import read_samples
from core.trace import Trace
from tests.core.handmade import ROWS, timeline_of

HELD_OUT = Path(__file__).parents[2] / "assets" / "heldout" / "samples.json"


def look(rows: list[list[float]], right: int, weight: float = 1.0) -> Look:
    true = np.zeros(len(rows[0]), bool)
    true[right] = True
    return Look(np.array(rows, np.float16), true, weight)


def test_heads_that_complete_each_other_are_taken_together():
    # Head 0 is always torn, head 1 is right about the first token, head 2 about the others.
    looks = [
        look([[0.5, 0.5, 0], [0.9, 0.1, 0], [0.0, 0.2, 0.0]], 0),
        look([[0.5, 0.4, 0], [0.3, 0.1, 0.3], [0.0, 0.8, 0.0]], 1),
        look([[0.5, 0.4, 0], [0.2, 0.1, 0.1], [0.0, 0.0, 0.9]], 2),
    ]
    assert pick(looks, 3) == ((2, 1), 1.0)
    assert pick(looks, 1) == ((2,), pytest.approx(2 / 3))


def test_a_token_counts_by_its_weight():
    looks = [look([[1, 0], [0, 1]], 0, 1.0), look([[1, 0], [0, 1]], 1, 0.1)]
    assert pick(looks, 2) == ((0,), pytest.approx(1 / 1.1))


def test_nothing_seen_picks_nothing():
    assert pick([], 3) == ((), 0.0)


def test_true_positions_are_those_whose_middle_lies_inside():
    timeline = timeline_of(ROWS)
    text = {"part": 0, "lane": "text", "start": 0, "end": 10}
    sound = {"part": 2, "lane": "audio", "start": 0.0, "end": 0.9}
    picture = {"part": 1, "lane": "image", "start": None, "end": None}
    assert np.flatnonzero(true_positions(timeline, [text])).tolist() == [2]
    assert np.flatnonzero(true_positions(timeline, [sound, picture])).tolist() == [4, 5, 6, 7]


def test_the_rows_observed_are_those_that_a_trace_records():
    """Their mean over all heads is AttMean's row."""
    from core.decoding import trace

    model, sample = load_model("embedded"), read_samples(HELD_OUT)[0]
    looks = list(observe(model, sample))
    made: Trace = trace(model, sample.prompt(), response=sample.extra["answer"])
    parts = made.timeline.part >= 0
    means = made.scores["attmean"][:, parts].astype(np.float32)
    assert looks
    for one in looks:
        distance = np.abs(means - one.rows.astype(np.float32).mean(0)).max(axis=1)
        assert distance.min() < 1e-3


def test_the_command_writes_the_table_beside_weights(tmp_path: Path, capsys):
    run(json=True, samples=HELD_OUT, limit=2, most=3, out=tmp_path)
    report = json.loads(capsys.readouterr().out)
    config = load_model("embedded").text_model.config
    chosen = read_heads(tmp_path, config.num_hidden_layers, config.num_attention_heads)
    assert [list(pair) for pair in chosen] == report["heads"] and 1 <= len(chosen) <= 3
    assert report["right"] >= 0 and report["picked_on"]["tokens"] > 0
    run(json=False, samples=HELD_OUT, limit=1, most=1)
    assert "layer.head" in capsys.readouterr().out
