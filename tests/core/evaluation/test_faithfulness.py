"""The causal reference against runs from which the positions were really kept away."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from core.errors import InputError
from core.evaluation.agreement import rank_correlation, span_scores, top_units
from core.evaluation.faithfulness import leave_one_out, positions_of, span_drops
from core.media import Limits
from core.prompt import Prompt
from core.sources import cut
from core.spans import Span, spans
from core.trace import Trace
from tests.core.tiny import tiny_model, tiny_thinker


def by_eager_masks(made: Trace, hidden: np.ndarray, *, reread: bool) -> np.ndarray:
    """Log-probabilities from one eager pass over prompt and answer under a written-out mask."""
    model = tiny_model()
    thinker = tiny_thinker(model.processor.tokenizer)
    thinker.set_attn_implementation({"text_config": "eager"})
    inputs = dict(model.prepare(made.prompt, limits=Limits()).inputs)
    n, following = inputs["input_ids"].shape[1], inputs.pop("offset")
    answer = torch.tensor([[token.id for token in made.tokens]])
    inputs["input_ids"] = torch.cat([inputs["input_ids"], answer[:, :-1]], 1)
    later = (torch.arange(answer.shape[1] - 1) + n + following).expand(3, 1, -1)
    inputs["position_ids"] = torch.cat([inputs["position_ids"], later], -1)
    total = inputs["input_ids"].shape[1]
    seen = torch.ones(total, total, dtype=torch.bool).tril()
    first = 0 if reread else n - 1
    seen[first:, :n] &= ~torch.from_numpy(hidden)
    # A hidden position that sees nothing at all would be undefined; nobody looks at it.
    seen |= torch.eye(total, dtype=torch.bool) & ~seen.any(1)
    mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]
    with torch.inference_mode():
        output = thinker.model(**inputs, attention_mask={"full_attention": mask}, use_cache=False)
        logits = thinker.lm_head(output.last_hidden_state[0, n - 1 :])
    return logits.log_softmax(-1).gather(-1, answer.T)[:, 0].numpy()


@pytest.mark.parametrize("reread", [False, True], ids=["cheap", "dear"])
def test_drops_are_those_of_masked_attention(traced: Trace, reread: bool):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    found = spans(traced.answer, traced.tokens)
    drops = leave_one_out(tiny_model(), traced, sources, found, reread=reread)
    assert drops.shape == (2, len(sources.units)) and len(sources.units) >= 5
    hidden = positions_of([[unit] for unit in range(len(sources.units))], sources)
    whole = by_eager_masks(traced, np.zeros(len(traced.timeline), bool), reread=reread)
    for unit, row in enumerate(hidden):
        lost = whole - by_eager_masks(traced, row, reread=reread)
        for index, span in enumerate(found):
            expected = lost[span.first : span.last].sum()
            assert np.isclose(drops[index, unit], expected, rtol=1e-3, atol=1e-4)
    assert np.abs(drops).max() > 1e-2


def test_ablations_side_by_side_are_those_one_by_one(traced: Trace, monkeypatch):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    found = spans(traced.answer, traced.tokens)
    together = leave_one_out(tiny_model(), traced, sources, found)
    monkeypatch.setattr("core.models.qwen2_5_omni.run.SCORING_BYTES", 1)
    alone = leave_one_out(tiny_model(), traced, sources, found)
    assert np.allclose(together, alone, atol=1e-5)


def test_hiding_nothing_loses_nothing_and_a_span_sums_its_tokens(traced: Trace):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    found = spans(traced.answer, traced.tokens)
    nothing = np.zeros((1, len(traced.timeline)), bool)
    assert np.allclose(span_drops(tiny_model(), traced, found, nothing), 0, atol=1e-5)
    one = positions_of([[0, 1]], sources)
    apart = span_drops(tiny_model(), traced, found, one)
    answer, count = traced.answer, len(traced.tokens)
    whole = span_drops(tiny_model(), traced, [Span(answer, 0, len(answer), 0, count)], one)
    assert found[0].first == 0 and found[-1].last == count
    assert np.allclose(apart.sum(0), whole[0], atol=1e-4)


def test_positions_of_units_are_theirs_and_no_others(traced: Trace):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    rows = positions_of([[0], [1, 2], []], sources)
    assert np.array_equal(rows[0], sources.unit_of == 0)
    assert np.array_equal(rows[1], (sources.unit_of == 1) | (sources.unit_of == 2))
    assert not rows[2].any()


def test_another_prompt_than_the_traces_is_refused(traced: Trace):
    other = replace(traced, prompt=Prompt.of("What else?", ["A dog."]))
    with pytest.raises(InputError, match="Use the model that answered"):
        span_drops(tiny_model(), other, [], np.zeros((1, len(traced.timeline)), bool))


def test_media_that_are_gone_are_told(traced: Trace, tmp_path: Path):
    gone = Prompt.of("What?", [tmp_path / "gone.png"])
    with pytest.raises(InputError):
        span_drops(tiny_model(), replace(traced, prompt=gone), [], np.zeros((0, 1), bool))


@pytest.mark.parametrize("seed", range(5))
def test_rank_correlation_is_spearmans_with_ties(seed: int):
    draw = np.random.default_rng(seed)
    one, other = draw.integers(0, 4, 9).astype(float), draw.random(9)
    assert np.isclose(rank_correlation(one, other), spearmanr(one, other).statistic)


def test_rank_correlation_of_what_ranks_nothing_is_none():
    assert rank_correlation(np.ones(3), np.arange(3.0)) is None
    assert rank_correlation(np.ones(1), np.ones(1)) is None
    assert rank_correlation(np.arange(3.0), -np.arange(3.0)) == pytest.approx(-1)


def test_span_scores_and_top_units_by_hand():
    evidence = np.array([[0.5, 0.25, 0], [0, 0.5, 0.25], [1, 0, 0]])
    scores = span_scores(evidence, [Span("", 0, 0, 0, 2), Span("", 0, 0, 2, 3)])
    assert scores.tolist() == [[0.5, 0.75, 0.25], [1, 0, 0]]
    assert top_units(scores[0], 2) == (1, 0)
    assert top_units(scores[1], 5) == (0, 1, 2)
