"""Signals that need gradients: attention times the gradient with respect to it.

Gradients are those of the one step that predicts the token (``core.signals.tap``), and equal those
of a forward and backward pass over the whole prefix.
"""

from __future__ import annotations

import torch

from core.signals.recorder import StepRecord


def att_grads_last(step: StepRecord) -> torch.Tensor:
    """AttGrads as published: last layer; ``max(0, mean over heads of A ∘ ∂logit/∂A)``.

    The target is the logit of the token that was generated; float32 ``(n_positions,)``.
    """
    return (step.heads[-1] * step.gradients["logit"][-1]).mean(0).clamp(min=0)


def att_grads_all(step: StepRecord) -> torch.Tensor:
    """Grad-SAM (Barkan et al. 2021): mean over layers and heads of ``max(0, A ∘ ∂logit/∂A)``."""
    return (step.heads * step.gradients["logit"]).clamp(min=0).mean((0, 1))


def grad_logprob(step: StepRecord) -> torch.Tensor:
    """Gradient × attention over all layers and heads, of a fixed target (Chefer et al. 2021).

    The target is the token's log-probability: a logit can rise without the token becoming any
    likelier, a log-probability cannot. Signed sum first, so that heads may contradict each other;
    what counts against the token is 0. In nats.
    """
    return (step.heads * step.gradients["logprob"]).sum((0, 1)).clamp(min=0)


def knockout(step: StepRecord) -> torch.Tensor:
    """First-order estimate of the log-probability lost if the position could not be attended to.

    Without position j the other weights grow by ``1 / (1 − A_j)``, so each output changes by
    ``A_j / (1 − A_j) (o − v_j)``, and the target by
    ``−A_j / (1 − A_j) (∂_j − ⟨A, ∂⟩)``; summed over layers and heads. It is attribution patching
    (Syed et al. 2023) with the knock-out of ``core.evaluation.faithfulness`` as the patch. In nats;
    what counts against the token is 0.
    """
    gradients = step.gradients["logprob"]
    beyond = gradients - (step.heads * gradients).sum(-1, keepdim=True)
    others = (1 - step.heads).clamp(min=_SURE)
    return (step.heads / others * beyond).sum((0, 1)).clamp(min=0)


_SURE = 1e-6
"""Least share left to the other positions; at 0 there is nothing that the rest could grow to."""
