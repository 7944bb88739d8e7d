"""Signals beyond the paper: by hand, and against what they claim to be."""

import json

import pytest
import torch

from core.errors import ModelError
from core.media import Limits
from core.models.heads import FILE, read_heads, write_heads
from core.models.qwen2_5_omni import Qwen25Omni
from core.prompt import Prompt
from core.signals.attention import att_norm, chosen_heads
from core.signals.gradient import grad_logprob, knockout
from core.signals.needs import Needs
from core.signals.recorder import Recorder, StepRecord
from core.signals.values import ValueNorms
from tests.core.tiny import tiny_model, tiny_thinker

HEADS = torch.tensor([[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.5, 0.5]]])


def record(**made) -> StepRecord:
    return StepRecord(HEADS.mean(1), HEADS, **made)


def test_attnorm_by_hand():
    norms = torch.tensor([[[1.0, 3.0], [2.0, 7.0]], [[4.0, 0.0], [0.0, 2.0]]])
    # Layer 0: (0.5 + 2, 1.5) / 2 = (1.25, 0.75), of sum 2. Layer 1: (1, 1) / 2, of sum 1.
    expected = (torch.tensor([0.625, 0.375]) + 0.5) / 2
    assert torch.allclose(att_norm(record(norms=norms)), expected)


def test_chosen_heads_by_hand():
    made = record(chosen=((0, 1), (1, 0)))
    assert torch.allclose(chosen_heads(made), torch.tensor([0.625, 0.375]))


def test_gradlogprob_by_hand():
    gradients = torch.tensor([[[2.0, -2.0], [1.0, 9.0]], [[4.0, -4.0], [-1.0, 2.0]]])
    # Products (1, -1), (1, 0), (1, -3), (-0.5, 1): they sum to (2.5, -3).
    made = record(gradients={"logprob": gradients})
    assert torch.equal(grad_logprob(made), torch.tensor([2.5, 0.0]))


def test_knockout_is_the_first_order_effect_of_removing_a_position():
    """Of a function linear in the outputs, the estimate is exact: remove, renormalise, compare."""
    torch.manual_seed(0)
    heads = torch.rand(2, 3, 5).softmax(-1)
    values, weights = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 4)

    def score(attention: torch.Tensor) -> torch.Tensor:
        return ((attention[..., None] * values).sum(-2) * weights).sum()

    gradients = torch.einsum("lhnd,lhd->lhn", values, weights)
    estimate = knockout(StepRecord(heads.mean(1), heads, {"logprob": gradients}))
    for j in range(5):
        without = heads.clone()
        without[..., j] = 0
        drop = score(heads) - score(without / without.sum(-1, keepdim=True))
        assert torch.allclose(estimate[j], drop.clamp(min=0), atol=1e-5)


def test_a_head_that_sees_one_position_only_estimates_no_effect():
    one = torch.tensor([[[1.0, 0.0]]])
    made = StepRecord(one[0], one, {"logprob": torch.tensor([[[3.0, -2.0]]])})
    assert torch.equal(knockout(made), torch.zeros(2))


def test_norms_are_the_lengths_of_what_each_head_writes():
    """Against the output projection applied to each head's value vectors, grouped heads too."""
    thinker = tiny_thinker(tiny_model().processor.tokenizer)
    module = thinker.model.language_model.layers[1].self_attn
    values = torch.randn(1, 2, 7, 16)
    norms = ValueNorms(module, 4)
    with torch.no_grad():
        norms.read(values[:, :, :5], 5)
        norms.read(values[:, :, :6], 1)
        norms.read(values[:, :, 3:], 1)  # A sliding window's cache holds the latest only.
        assert norms.lengths.shape == (4, 7)
        for head in range(4):
            alone = torch.zeros(7, 64)
            alone[:, head * 16 : head * 16 + 16] = values[0, head // 2]
            written = module.o_proj(alone).norm(dim=-1)
            assert torch.allclose(norms.lengths[head], written, rtol=1e-4)


def test_norms_grow_with_the_run():
    model = tiny_model()
    prepared = model.prepare(Prompt.of("What?", ["A dog barks."]), limits=Limits())
    run, recorder = model.start(prepared), Recorder(model.text_model, Needs("all", norms=True))
    n, steps = len(prepared.timeline), []
    for t in range(3):
        with recorder.listen():
            run.read_token(5) if t else run.read_prompt()
        steps.append(recorder.step(n + t))
        assert steps[t].norms.shape == (3, 4, n + t) == steps[t].heads.shape
        assert torch.allclose(att_norm(steps[t]).sum(), torch.tensor(1.0), atol=1e-5)
    assert torch.equal(steps[2].norms[..., :n], steps[0].norms)


def test_a_model_without_a_known_projection_is_told():
    with pytest.raises(ModelError, match="o_proj"):
        ValueNorms(torch.nn.Module(), 4)


def test_chosen_heads_travel_beside_the_weights(tmp_path):
    assert read_heads(tmp_path, 3, 4) == ()
    write_heads(tmp_path, ((2, 1), (0, 3)), {"accuracy": 0.5})
    assert read_heads(tmp_path, 3, 4) == ((2, 1), (0, 3))
    assert json.loads((tmp_path / FILE).read_text())["accuracy"] == 0.5
    with pytest.raises(ModelError, match="2 layers"):
        read_heads(tmp_path, 2, 4)
    (tmp_path / FILE).write_text('{"heads": [[1]]}')
    with pytest.raises(ModelError, match="damaged"):
        read_heads(tmp_path, 3, 4)


def test_chosen_heads_are_those_rows():
    shared = tiny_model()
    model = Qwen25Omni(shared.thinker, shared.processor, name="tiny", chosen_heads=((1, 2),))
    prepared = model.prepare(Prompt.of("What?", ["A dog barks."]), limits=Limits())
    run, needs = model.start(prepared), Needs("all", chosen=True)
    recorder = Recorder(model.text_model, needs, model.chosen_heads)
    with recorder.listen():
        run.read_prompt()
    made = recorder.step(len(prepared.timeline))
    assert torch.equal(chosen_heads(made), made.heads[1, 2])
