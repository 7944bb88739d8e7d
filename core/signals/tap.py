"""The tapped attention call of one decode step: sdpa forward, and a backward that shows ∂/∂A.

With the cache held constant, the gradient with respect to the last query's attention weights needs
only the step that reads one token: earlier positions cannot depend on that row. The forward pass
is the model's ordinary sdpa, to the bit; only its backward is written out here, because sdpa keeps
its weights ``A`` to itself. For one query, with output ``o = A V`` and ``g = ∂/∂o``:

    ∂/∂A = g Vᵀ        ∂/∂S = A ∘ (∂/∂A − ⟨A, ∂/∂A⟩)        ∂/∂q = s ∂/∂S K
                                                            ∂/∂K = s ∂/∂Sᵀ q        ∂/∂V = Aᵀ g

Everything is of the size of the row or of the cache; nothing is of the size of query × key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class TappedAttention(torch.autograd.Function):
    """``apply(probe, query, key, value, weights, scaling, forward, take)`` for one query.

    Args of ``apply``:
        probe: a scalar that requires a gradient: makes the graph begin here at the latest.
        query: ``(1, heads, 1, width)``; key, value: ``(1, key_heads, n, width)``.
        weights: float32 ``(heads, n)``: the attention that ``forward`` computes inside.
        scaling: factor on the products.
        forward: query, key, value → output ``(1, 1, heads, width)``.
        take: called by the backward pass with ``∂/∂A``, float32 ``(heads, n)``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        probe: torch.Tensor,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        weights: torch.Tensor,
        scaling: float,
        forward: Callable[..., torch.Tensor],
        take: Callable[[torch.Tensor], None],
    ) -> torch.Tensor:
        """The ordinary call's output; what its backward pass needs is kept."""
        ctx.save_for_backward(query, key, value, weights)
        ctx.scaling, ctx.take = scaling, take
        return forward(query, key, value)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """∂/∂A to whoever takes it, and on to query, key and value where something is behind."""
        query, key, value, weights = ctx.saved_tensors
        groups, per_group = key.shape[1], query.shape[1] // key.shape[1]
        grouped = gradient[0, 0].unflatten(0, (groups, per_group))
        of_weights = (grouped @ value[0].transpose(1, 2)).float().flatten(0, 1)
        ctx.take(of_weights)
        if not any(ctx.needs_input_grad[1:4]):
            return (None,) * 8
        mean = (weights * of_weights).sum(-1, keepdim=True)
        of_scores = (weights * (of_weights - mean) * ctx.scaling).to(query.dtype)
        of_scores = of_scores.unflatten(0, (groups, per_group))
        asked = query[0, :, 0].unflatten(0, (groups, per_group))
        seen = weights.to(value.dtype).unflatten(0, (groups, per_group))
        of_query = (of_scores @ key[0]).flatten(0, 1)[None, :, None]
        of_key = (of_scores.transpose(1, 2) @ asked)[None]
        of_value = (seen.transpose(1, 2) @ grouped)[None]
        return None, of_query, of_key, of_value, None, None, None, None
