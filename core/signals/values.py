"""Lengths of transformed value vectors, ``‖f(x_j)‖`` of Kobayashi et al. 2020, section 3.

Attention's output is ``Σ_j α_j f(x_j)``, where ``f(x_j) = v_j W_O`` in each head: a weight counts
for little where the vector that it weighs is short. A position's vector never changes once it is
read, so its length is taken once, by the head's Gram matrix: ``‖v W_O‖² = v (W_O W_Oᵀ) vᵀ``. Only
matrices of head width are kept, and the output projection is asked, not read: quantised weights do
as well.
"""

from __future__ import annotations

import torch

from core.errors import ModelError

_PROJECTIONS = ("o_proj", "out_proj", "dense", "c_proj")
"""What models call the output projection of attention."""


class ValueNorms:
    """The lengths in one layer, growing as positions are read.

    Args:
        module: the attention module, for its output projection.
        heads: number of query heads.

    Raises:
        ModelError: the module's output projection is not found.
    """

    def __init__(self, module: torch.nn.Module, heads: int) -> None:
        self._projection = _projection(module)
        self._heads = heads
        self._gram: torch.Tensor | None = None
        self._blocks: list[torch.Tensor] = []

    @property
    def lengths(self) -> torch.Tensor:
        """Float32 ``(heads, n_positions)`` of all positions read."""
        self._blocks = [torch.cat(self._blocks, dim=-1)]
        return self._blocks[0]

    def read(self, value: torch.Tensor, count: int) -> None:
        """Take ``count`` new positions' vectors from the cache.

        Args:
            value: ``(1, key_heads, n, width)`` as attention sees it: the positions read, with
                room left after them (static cache), or the latest only (sliding window).
            count: how many of them are new.
        """
        if self._gram is None:
            self._gram = _gram(self._projection, self._heads, value)
        end = min(sum(block.shape[-1] for block in self._blocks) + count, value.shape[2])
        new = value[0, :, end - count : end].float()
        new = new.repeat_interleave(self._heads // len(new), dim=0)
        squared = ((new @ self._gram) * new).sum(-1)
        self._blocks.append(squared.clamp(min=0).sqrt())


def _projection(module: torch.nn.Module) -> torch.nn.Module:
    for name in _PROJECTIONS:
        if isinstance(found := getattr(module, name, None), torch.nn.Module):
            return found
    raise ModelError(
        f"The signal 'attnorm' needs the output projection of attention, and "
        f"{type(module).__name__} has none of the known names ({', '.join(_PROJECTIONS)}). "
        "Choose another signal."
    )


@torch.no_grad()
def _gram(projection: torch.nn.Module, heads: int, value: torch.Tensor) -> torch.Tensor:
    """``W_O W_Oᵀ`` of every head, float32 ``(heads, width, width)``; a bias falls away."""
    width = value.shape[-1]
    basis = torch.eye(heads * width, dtype=value.dtype, device=value.device)
    rows = (projection(basis) - projection(torch.zeros_like(basis[:1]))).float()
    rows = rows.view(heads, width, -1)
    return rows @ rows.transpose(1, 2)
