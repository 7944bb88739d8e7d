"""Signals straight from the attention rows of one step, without a gradient.

AttMean and RawAtt are the paper's (section 3.2). ``attnorm`` and ``heads`` go beyond it; their rows
sum to 1 too.
"""

from __future__ import annotations

import torch

from core.signals.recorder import StepRecord


def att_mean(step: StepRecord) -> torch.Tensor:
    """AttMean: attention averaged over all layers and heads; float32 ``(n_positions,)``."""
    return step.rows.mean(0)


def raw_att(step: StepRecord) -> torch.Tensor:
    """RawAtt: attention of the last layer, averaged over heads; float32 ``(n_positions,)``."""
    return step.rows[-1]


def att_norm(step: StepRecord) -> torch.Tensor:
    """Attention weighted by the length of what it moves: Kobayashi et al. 2020, "Attention is Not
    Only a Weight", ``‖α f(x)‖`` of each head.

    Mean over heads, each layer's row brought to sum 1, then mean over layers: vectors grow with
    depth, and a deep layer shall not speak for all. (The norm of the *sum* over heads, which that
    paper also has, would need every pair of heads at every position.) Float32 ``(n_positions,)``.
    """
    moved = (step.heads * step.norms).mean(1)
    return (moved / moved.sum(-1, keepdim=True).clamp(min=_TINY)).mean(0)


def chosen_heads(step: StepRecord) -> torch.Tensor:
    """Attention of the heads chosen for this model (``core.models.heads``), averaged.

    Few heads copy from where they look ("retrieval heads", Wu et al. 2024); the rest dilute the
    mean. Float32 ``(n_positions,)``.
    """
    layers, heads = zip(*step.chosen, strict=True)
    return step.heads[list(layers), list(heads)].mean(0)


_TINY = torch.finfo(torch.float32).tiny
