"""Estimates: counted by hand from shapes, and measured against what a trace really holds."""

import json
from pathlib import Path

import pytest
from transformers import Qwen2Config, Qwen3MoeConfig

from core import estimate
from core.batch.task import Recipe, attempt, plan
from core.cli import main
from core.cost import Memory, Shapes, Speeds, estimate_of, memory_of, seconds_of, shapes_of
from core.decoding import trace
from core.media import Limits
from core.models.cache import size
from core.prompt import Prompt
from core.samples import read_samples
from core.signals.needs import ROWS_ONLY, Needs
from core.trace import Generation
from tests.core.tiny import tiny_model

OMNI_7B = Qwen2Config(
    hidden_size=3584, intermediate_size=18_944, num_hidden_layers=28, num_attention_heads=28,
    num_key_value_heads=4, vocab_size=152_064,
)  # fmt: skip
SHAPES = Shapes.of(OMNI_7B, weights=15_000_000_000, element=2)


def test_bytes_are_those_counted_by_hand():
    """Five minutes of sound (7,500 positions), 512 tokens, two signals."""
    memory = memory_of(SHAPES, 7_500, 512, ROWS_ONLY, signals=2)
    assert SHAPES.bytes_a_position == 2 * 28 * 4 * 128 * 2 == 57_344
    assert memory.cache == 8_012 * 57_344
    assert memory.rows == 2 * 512 * (2 * 7_500 + 4) and memory.signals == 0
    gradients = memory_of(SHAPES, 7_500, 512, Needs("all", frozenset(["logit"])), signals=1)
    # Weights and gradients of 28 × 28 heads in float32; one layer's keys and values.
    assert gradients.signals == 8_012 * (4 * 28 * 28 * 2 + 57_344 // 28)
    assert 6.5e9 < SHAPES.read_weights < 7.1e9  # The 7B of its name, embeddings read once.


def test_of_experts_only_those_that_a_token_goes_through_are_read():
    config = Qwen3MoeConfig(
        hidden_size=64, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, vocab_size=100, num_experts=8, num_experts_per_tok=2,
        moe_intermediate_size=32,
    )  # fmt: skip
    shapes = Shapes.of(config, weights=0, element=4)
    assert shapes.read_weights == 2 * 64 * 16 * 6 + 3 * 64 * 64 + 64 * 100


def test_seconds_follow_from_work_and_speeds():
    speeds = Speeds(multiplications=1e14, bytes=2e12, calls=1e9)
    prompt, answer = seconds_of(SHAPES, 1_000, 256, ROWS_ONLY, speeds)
    assert prompt == pytest.approx((SHAPES.read_weights * 1e3 + 28 * 3584 * 1e6) / 1e14, rel=0.01)
    read = SHAPES.read_weights * 2 + 1_128 * 57_344
    assert answer == pytest.approx(256 * read / 2e12)
    _, dearer = seconds_of(SHAPES, 1_000, 256, Needs("all", frozenset(["logit"])), speeds)
    assert dearer == pytest.approx(2.2 * answer)


def test_the_cache_is_as_large_as_it_was_said_to_be():
    model, prompt = tiny_model(), Prompt.of("Say.", ["A dog barks. " * 30])
    prepared = model.prepare(prompt, limits=Limits())
    run = model.start(prepared)
    run.read_prompt()
    told = memory_of(shapes_of(model), len(prepared.timeline), 0, ROWS_ONLY, signals=1)
    assert told.cache == size(run._cache)
    made = trace(model, prompt, max_new_tokens=6)
    rows = sum(s.nbytes for s in made.scores.values()) + sum(s.nbytes for s in made.own.values())
    assert memory_of(shapes_of(model), len(made.timeline), 6, ROWS_ONLY, signals=2).rows == rows
    assert shapes_of(model).weights == sum(w.nbytes for w in model.thinker.parameters())


def test_what_does_not_fit_is_said():
    model = tiny_model()
    small = estimate(model, Prompt.of("Say."))
    assert small.fits and small.free > 0 and small.answer_seconds > 0
    assert small.new_tokens == 256 and "it will not fit" not in small.told()
    from dataclasses import replace

    full = replace(small, free=1, memory=Memory(0, 2_000_000_000, 0, 0, 0))
    assert not full.fits and full.told().startswith("about 2.0 GB of 1 MB free")
    assert full.told().endswith("it will not fit")
    assert estimate_of(model, model.context - 3, 256, ("attmean",)).new_tokens == 3


def test_the_command_line_only_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    entries = [
        {"id": 1, "prompt": "Summarise the text.", "question": [{"text": "Tom sold hats."}]},
        {"id": 2, "prompt": "Describe.", "question": [{"image": "missing.png"}]},
    ]
    (tmp_path / "s.json").write_text(json.dumps(entries))
    assert (
        main(["trace", str(tmp_path / "s.json"), "--out", str(tmp_path / "o"), "--estimate"]) == 1
    )
    one, other = capsys.readouterr().out.splitlines()
    assert one.startswith("sample 1 (id 1): about ") and "256 tokens" in one
    assert "missing.png" in other and not (tmp_path / "o").exists()


def test_a_sample_that_will_not_fit_is_told_before_it_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("core.cost.free_bytes", lambda device: 1_000)
    entries = [{"id": "a\x1b", "prompt": "Say.", "question": [{"text": "A dog barks."}]}]
    (tmp_path / "s.json").write_text(json.dumps(entries))
    recipe = Recipe(("attmean",), Generation(max_new_tokens=2))
    (task,) = plan(read_samples(tmp_path / "s.json"), tmp_path, recipe, model="tiny")
    attempt(task, tiny_model())
    assert task.done
    told = capsys.readouterr().err
    assert told.startswith("sample 1 (id a): about ") and "it will not fit" in told
