"""Gradients of one decode step against autograd over the whole prefix with eager attention."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from core.decoding import stream, trace
from core.media import Limits
from core.models.qwen2_5_omni import Qwen25Omni
from core.prompt import Prompt
from core.signals.gradient import att_grads_all, att_grads_last
from core.signals.needs import Needs
from core.signals.recorder import Recorder, StepRecord
from core.signals.registry import SIGNALS
from core.trace import Generation
from tests.core.tiny import tiny_model, tiny_thinker

TOKENS = 5
GRADIENTS = tuple(name for name, signal in SIGNALS.items() if signal.needs.gradients)
BOTH = frozenset(["logit", "logprob"])


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    folder, random = tmp_path_factory.mktemp("prompt"), np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (60, 90, 3), np.uint8)).save(folder / "a.png")
    soundfile.write(folder / "a.wav", random.standard_normal(9_000) * 0.1, 16_000)
    return Prompt.of("What?", ["A dog barks.", folder / "a.png", folder / "a.wav"])


def model_of(*, frozen: bool, **text: object) -> Qwen25Omni:
    shared = tiny_model()
    thinker = tiny_thinker(shared.processor.tokenizer, **text).requires_grad_(not frozen)
    return Qwen25Omni(thinker, shared.processor, name="tiny")


def recorded(model: Qwen25Omni, prompt: Prompt, needs: Needs) -> list[tuple[int, StepRecord]]:
    """Greedy tokens, each with its record."""
    prepared = model.prepare(prompt, limits=Limits())
    run = model.start(prepared, differentiable=True)
    recorder, steps = Recorder(model.text_model, needs), []
    for t in range(TOKENS):
        with recorder.listen():
            logits = run.read_token(steps[-1][0]) if t else run.read_prompt()
        token = int(logits.argmax())
        length = len(prepared.timeline) + t
        steps.append((token, recorder.step(length, logits=logits, token=token)))
    return steps


def over_the_prefix(
    model: Qwen25Omni, prompt: Prompt, said: list[int], target: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of the last row and their gradients, ``(layers, heads, n)`` each, by autograd."""
    thinker = tiny_thinker(model.processor.tokenizer)
    thinker.load_state_dict(model.thinker.state_dict())
    thinker.set_attn_implementation({"text_config": "eager"})
    inputs = dict(model.prepare(prompt, limits=Limits()).inputs)
    n, following = inputs["input_ids"].shape[1], inputs.pop("offset")
    *before, token = said
    inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([before]).long()], 1)
    later = (torch.arange(len(before)) + n + following).expand(3, 1, -1)
    inputs["position_ids"] = torch.cat([inputs["position_ids"], later], -1)
    with torch.enable_grad():
        output = thinker.model(**inputs, use_cache=False, output_attentions=True)
        logits = thinker.lm_head(output.last_hidden_state[0, -1])
        value = logits[token] if target == "logit" else logits.log_softmax(-1)[token]
        gradients = torch.autograd.grad(value, output.attentions)
    last = [torch.stack([a[0, :, -1] for a in of]) for of in (output.attentions, gradients)]
    return last[0].detach(), last[1]


def close(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return bool((ours - theirs).norm() <= 1e-4 * theirs.norm()) and theirs.norm() > 0


@pytest.mark.parametrize("target", ["logit", "logprob"])
def test_gradients_are_those_over_the_whole_prefix(prompt: Prompt, target: str):
    """Of every layer and head, the first generated token's among them."""
    model = model_of(frozen=True)
    steps = recorded(model, prompt, Needs("all", frozenset([target])))
    for t, (_, record) in enumerate(steps):
        said = [token for token, _ in steps[: t + 1]]
        weights, gradients = over_the_prefix(model, prompt, said, target)
        assert close(record.heads, weights) and close(record.gradients[target], gradients)


def test_weights_that_are_not_frozen_change_nothing(prompt: Prompt):
    needs = Needs("all", BOTH)
    frozen = recorded(model_of(frozen=True), prompt, needs)
    model = model_of(frozen=False)
    for (token, one), (same, other) in zip(frozen, recorded(model, prompt, needs), strict=True):
        assert token == same
        assert all(close(one.gradients[target], other.gradients[target]) for target in BOTH)
    assert all(parameter.grad is None for parameter in model.thinker.parameters())


def test_the_last_layer_alone_gives_the_same_and_reaches_no_further(prompt: Prompt):
    model, logit = model_of(frozen=True), frozenset(["logit"])
    whole = recorded(model, prompt, Needs("all", logit))
    for (_, one), (_, other) in zip(
        whole, recorded(model, prompt, Needs("last", logit)), strict=True
    ):
        assert len(other.heads) == len(other.gradients["logit"]) == 1
        assert close(other.gradients["logit"][0], one.gradients["logit"][-1])
    run = model.start(model.prepare(prompt, limits=Limits()), differentiable=True)
    with Recorder(model.text_model, Needs("last", logit)).listen():
        logits = run.read_prompt()
    assert attention_calls_behind(logits) == 1


def test_a_step_reaches_back_to_itself_only(prompt: Prompt):
    model = model_of(frozen=True)
    run = model.start(model.prepare(prompt, limits=Limits()), differentiable=True)
    recorder = Recorder(model.text_model, Needs("all", frozenset(["logit"])))
    for read in (run.read_prompt, lambda: run.read_token(5), lambda: run.read_token(6)):
        with recorder.listen():
            assert attention_calls_behind(read()) == 3


def attention_calls_behind(logits: torch.Tensor) -> int:
    seen, waiting = set(), [logits.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [parent for parent, _ in node.next_functions]
    return sum("TappedAttention" in node.name() for node in seen)


def test_a_sliding_windows_gradients_are_the_masked_ones():
    """Behind the window the weights are 0; inside they are those of the whole prefix."""
    window = {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1}
    model, text = model_of(frozen=True, **window), Prompt.of("What?", ["A dog barks."])
    steps = recorded(model, text, Needs("all", frozenset(["logit"])))
    eager = Qwen25Omni(model.thinker, model.processor, name="tiny")
    for t, (_, record) in enumerate(steps):
        said = [token for token, _ in steps[: t + 1]]
        weights, gradients = over_the_prefix_of(eager, text, said)
        assert (record.heads - weights).abs().max() < 1e-5
        seen = weights > 0
        assert not seen[1:].all() and close(record.gradients["logit"][seen], gradients[seen])


def over_the_prefix_of(
    model: Qwen25Omni, prompt: Prompt, said: list[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """``over_the_prefix`` on this very model, whose config is not the usual one."""
    model.thinker.set_attn_implementation({"text_config": "eager"})
    ids = model.prepare(prompt, limits=Limits()).inputs["input_ids"]
    ids = torch.cat([ids, torch.tensor([said[:-1]]).long()], 1)
    with torch.enable_grad():
        embedded = model.text_model.embed_tokens(ids).requires_grad_()
        output = model.text_model(inputs_embeds=embedded, use_cache=False, output_attentions=True)
        logit = model.thinker.lm_head(output.last_hidden_state[0, -1])[said[-1]]
        gradients = torch.autograd.grad(logit, output.attentions)
    model.thinker.set_attn_implementation("sdpa")
    last = [torch.stack([a[0, :, -1] for a in of]) for of in (output.attentions, gradients)]
    return last[0].detach(), last[1]


def test_signals_by_their_formulas(prompt: Prompt):
    """The paper's and Grad-SAM's formulas over full-prefix autograd, against traced scores."""
    model = model_of(frozen=True)
    made = trace(model, prompt, signals=GRADIENTS, max_new_tokens=3)
    n = len(made.timeline)
    said = [token.id for token in made.tokens]
    for t in range(3):
        weights, gradients = over_the_prefix(model, prompt, said[: t + 1], "logit")
        _, of_logprob = over_the_prefix(model, prompt, said[: t + 1], "logprob")
        product = weights * gradients
        expected = {
            "attgrads_last": product[-1].mean(0).clamp(min=0),
            "attgrads_all": product.clamp(min=0).mean((0, 1)),
            "gradlogprob": (weights * of_logprob).sum((0, 1)).clamp(min=0),
        }
        for name, scores in expected.items():
            kept = torch.from_numpy(made.scores[name][t].astype(np.float32))
            assert torch.allclose(kept, scores[:n], rtol=2e-3, atol=1e-6)
            assert np.isclose(made.own[name][t], float(scores[n:].sum()), rtol=1e-3, atol=1e-7)


def test_by_hand():
    """Two layers of two heads over two positions."""
    heads = torch.tensor([[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.5, 0.5]]])
    gradients = torch.tensor([[[2.0, -2.0], [1.0, 9.0]], [[4.0, -4.0], [-1.0, 2.0]]])
    record = StepRecord(heads.mean(1), heads, {"logit": gradients})
    # Last layer: products (1, -3) and (-0.5, 1); their mean is (0.25, -1).
    assert torch.equal(att_grads_last(record), torch.tensor([0.25, 0.0]))
    # All layers, clamped first: (1, 0), (1, 0), (1, 0), (0, 1).
    assert torch.equal(att_grads_all(record), torch.tensor([0.75, 0.25]))


def test_the_answer_stays_the_ordinary_one_and_attention_rows_too(prompt: Prompt):
    model = tiny_model()
    plain = trace(model, prompt, max_new_tokens=12)
    traced = trace(model, prompt, signals=("attmean", *GRADIENTS), max_new_tokens=12)
    assert traced.tokens == plain.tokens
    difference = traced.scores["attmean"].astype(float) - plain.scores["attmean"]
    assert np.abs(difference).max() < 1e-4


def test_half_precision_gives_finite_scores_near_those_of_full():
    text = Prompt.of("Say what is there.", ["A red dog barks."])
    model = model_of(frozen=True)
    full = trace(model, text, signals=GRADIENTS, max_new_tokens=1)
    model.thinker.to(torch.bfloat16)
    half = trace(model, text, signals=GRADIENTS, max_new_tokens=1)
    for name in GRADIENTS:
        one, other = full.scores[name][0].astype(float), half.scores[name][0].astype(float)
        assert np.isfinite(other).all() and other.max() > 0
        if full.tokens[0].id == half.tokens[0].id:
            assert np.corrcoef(one, other)[0, 1] > 0.95


def test_two_threads_on_one_model_never_mix_gradients():
    model, count = tiny_model(), 8
    prompts = [Prompt.of("One.", ["A red dog."]), Prompt.of("Say two things.", ["B " * 30])]
    settings = Generation(max_new_tokens=count)
    alone = [trace(model, one, signals=GRADIENTS, generation=settings) for one in prompts]
    barrier = Barrier(2)

    def together(prompt: Prompt):
        steps = stream(model, prompt, signals=GRADIENTS, generation=settings)
        for step in steps:
            if step.stage != "done" and step.done < 2:
                barrier.wait(timeout=60)
        return step.snapshot()

    with ThreadPoolExecutor(2) as pool:
        for one, other in zip(alone, pool.map(together, prompts), strict=True):
            assert one.tokens == other.tokens
            assert all(np.array_equal(one.scores[n], other.scores[n]) for n in GRADIENTS)


def test_an_audio_towers_and_a_vision_towers_weights_get_no_graph(prompt: Prompt):
    """Media are encoded outside the graph, also where weights are being trained."""
    model = model_of(frozen=False)
    run = model.start(model.prepare(prompt, limits=Limits()), differentiable=True)
    with Recorder(model.text_model, Needs("all", BOTH)).listen():
        logits = run.read_prompt()
    towers = [
        *model.thinker.model.visual.parameters(),
        *model.thinker.model.audio_tower.parameters(),
    ]
    found = torch.autograd.grad(logits.sum(), towers, allow_unused=True)
    assert all(gradient is None for gradient in found)
