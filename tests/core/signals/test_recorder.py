"""The recorded row against attention written out, and the borrowing of the implementation."""

import contextvars

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import StaticCache

from core.models.qwen2_5_omni import Qwen25Omni
from core.signals.interface import IMPLEMENTATION, last_products
from core.signals.needs import ROWS_ONLY, Needs
from core.signals.recorder import Recorder, StepRecord
from tests.core.tiny import tiny_model, tiny_thinker


def written_out(query, key, mask, scaling, count=1) -> torch.Tensor:
    """Eager attention over repeated heads, its last rows: ``(heads, count, keys)``."""
    repeated = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    products = query @ repeated.transpose(2, 3) * scaling
    if mask is None:
        queries, keys = products.shape[2:]
        causal = torch.ones(queries, keys).tril(0 if queries > 1 else keys)
        mask = torch.where(causal.bool(), 0.0, -torch.inf)
    elif mask.dtype == torch.bool:
        mask = torch.where(mask, 0.0, -torch.inf)
    return (products + mask).softmax(-1)[0, :, -count:]


@settings(deadline=None)
@given(
    st.integers(0, 2**31), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5),
    st.sampled_from(["none", "bool", "additive", "per head"]), st.integers(1, 5),
)  # fmt: skip
def test_rows_are_those_of_attention_written_out(seed, groups, per_group, queries, kind, count):
    torch.manual_seed(seed)
    keys = queries if queries > 1 else 6
    query = torch.randn(1, groups * per_group, queries, 4)
    key = torch.randn(1, groups, keys, 4)
    seen = torch.rand(1, groups * per_group if kind == "per head" else 1, queries, keys) > 0.3
    seen[..., 0] = True
    mask = {"none": None, "additive": torch.where(seen, 0.0, -torch.inf)}.get(kind, seen)
    count = min(count, queries)
    rows = last_products(query, key, mask, 0.7, count).softmax(-1)
    assert rows.shape == (groups * per_group, count, keys)
    assert torch.allclose(rows, written_out(query, key, mask, 0.7, count), atol=1e-6)


def test_an_empty_static_cache_is_not_looked_at():
    query, key = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 9, 4)
    rows = last_products(query, key, None, 1.0, 2).softmax(-1)
    assert torch.allclose(rows, written_out(query, key[:, :, :3], None, 1.0, 2), atol=1e-6)


def implementations(model: Qwen25Omni) -> list[str]:
    config = model.thinker.config
    return [
        one._attn_implementation
        for one in (config, config.text_config, config.vision_config, config.audio_config)
    ]


def test_only_the_text_model_is_borrowed_and_it_is_given_back():
    model = tiny_model()
    before = implementations(model)
    recorder = Recorder(model.text_model)
    with recorder.listen():
        assert model.text_model.config._attn_implementation == IMPLEMENTATION
        assert implementations(model)[2:] == before[2:]
    assert implementations(model) == before
    with pytest.raises(ZeroDivisionError), recorder.listen():
        _ = 1 / 0
    assert implementations(model) == before


def test_it_is_given_back_by_the_last_of_several():
    model = tiny_model()
    before = implementations(model)
    first, second = Recorder(model.text_model).listen(), Recorder(model.text_model).listen()
    one, other = contextvars.copy_context(), contextvars.copy_context()
    one.run(first.__enter__)
    other.run(second.__enter__)
    one.run(first.__exit__, None, None, None)
    assert model.text_model.config._attn_implementation == IMPLEMENTATION
    other.run(second.__exit__, None, None, None)
    assert implementations(model) == before


def test_a_mask_is_not_dropped():
    """Left padding; without a mask function of ours the output would silently change."""
    model = tiny_model().text_model
    ids = torch.arange(10, 18)[None]
    padding = torch.tensor([[0, 0, 1, 1, 1, 1, 1, 1]])
    with torch.inference_mode():
        plain = model(input_ids=ids, attention_mask=padding).last_hidden_state
        recorder = Recorder(model)
        with recorder.listen():
            heard = model(input_ids=ids, attention_mask=padding).last_hidden_state
    assert torch.equal(plain[:, 2:], heard[:, 2:])
    rows = recorder.step(8).rows
    assert (rows[:, :2] == 0).all() and torch.allclose(rows.sum(1), torch.ones(3))


@pytest.mark.parametrize("static", [False, True], ids=["dynamic cache", "static cache"])
def test_rows_are_those_of_eager_attention(static: bool):
    """Prefill and decode steps; a static cache's empty room is cut off."""
    model = tiny_thinker(tiny_model().processor.tokenizer).model.language_model
    ids = torch.arange(20, 40)[None]

    def steps(implementation: str) -> list[torch.Tensor]:
        model.set_attn_implementation(implementation)
        cache = StaticCache(config=model.config, max_cache_len=32) if static else None
        rows, recorder = [], Recorder(model)
        for start, end in ((0, 15), (15, 16), (16, 17)):
            arguments = {"input_ids": ids[:, start:end], "past_key_values": cache}
            if implementation == "eager":
                output = model(**arguments, use_cache=True, output_attentions=True)
                rows.append(torch.stack([a[0, :, -1, :end].mean(0) for a in output.attentions]))
            else:
                with recorder.listen():
                    output = model(**arguments, use_cache=True)
                rows.append(recorder.step(end).rows)
            cache = output.past_key_values
        return rows

    with torch.inference_mode():
        for eager, ours in zip(steps("eager"), steps("sdpa"), strict=True):
            assert eager.shape == ours.shape
            assert (eager - ours).abs().max() < 1e-5


def test_a_sliding_window_has_left_the_beginning_behind():
    """Layers 1 and 2 see the latest 6 positions only; their rows stand where those are."""
    window = {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1}
    model = tiny_thinker(tiny_model().processor.tokenizer, **window).model.language_model
    assert model.config.layer_types == ["full_attention"] + ["sliding_attention"] * 2
    ids = torch.arange(20, 40)[None]
    recorder, cache = Recorder(model), None
    with torch.inference_mode():
        # Without a cache, every position sees its window by the mask alone.
        model.set_attn_implementation("eager")
        whole = model(input_ids=ids[:, :17], use_cache=False, output_attentions=True).attentions
        model.set_attn_implementation("sdpa")
        for start, end in ((0, 15), (15, 16), (16, 17)):
            with recorder.listen():
                cache = model(
                    input_ids=ids[:, start:end], past_key_values=cache, use_cache=True
                ).past_key_values
            rows = recorder.step(end).rows
            expected = torch.stack([layer[0, :, end - 1, :end].mean(0) for layer in whole])
            assert (rows - expected).abs().max() < 1e-5
            assert (rows[1:, : end - 6] == 0).all() and (rows[0] > 0).all()


def test_a_run_pays_for_what_its_signals_need_only():
    model = tiny_model().text_model
    ids = torch.arange(20, 30)[None]

    def record(needs: Needs) -> StepRecord:
        recorder = Recorder(model, needs)
        with torch.inference_mode(), recorder.listen():
            model(input_ids=ids, use_cache=True)
        return recorder.step(10)

    rows = record(ROWS_ONLY)
    assert rows.heads is rows.norms is None and not rows.gradients
    assert record(Needs("last")).heads.shape == (1, 4, 10)
    assert record(Needs("all")).heads.shape == (3, 4, 10)
    assert torch.allclose(record(Needs("all")).heads.mean(1), rows.rows)
    both = Needs.all_of([Needs("last", frozenset(["logit"])), Needs("all", norms=True)])
    assert both == Needs("all", frozenset(["logit"]), norms=True)
