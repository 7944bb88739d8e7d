"""The attention rows of one listening, gathered layer by layer.

A layer hands over the products of its latest queries with its keys, and is done; the softmax and
the mean over heads are taken of many layers at once. Decoding reads one token a step, where the
number of calls is what costs. Layers come in their order; one that comes again begins another
forward pass, which replaces the one before.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

AT_ONCE = 2**21
"""Products that wait for each other at most: 8 MB of float32."""


class Heard:
    """What was heard in one listening.

    Args:
        keeps_heads: whether the rows of a layer are kept for every head.
    """

    def __init__(self, keeps_heads: Callable[[int], bool]) -> None:
        self._keeps_heads = keeps_heads
        self._begin()

    def add_products(self, layer: int, products: torch.Tensor) -> None:
        """One layer's masked products ``(n_heads, n_queries, n_keys)``, before the softmax."""
        self._enter(layer)
        if self._waiting and not self._fits(products):
            self._settle()
        self._waiting.append((layer, products))

    def add_weights(self, layer: int, weights: torch.Tensor) -> None:
        """One layer's attention, float32 ``(n_heads, n_queries, n_keys)``."""
        self._enter(layer)
        self._settle()
        self._take([layer], weights[None])

    def add_rows(self, rows: torch.Tensor) -> None:
        """All layers' rows at once, float32 ``(n_layers, n_queries, n_keys)``."""
        self._rows = [rows]

    def rows(self, length: int) -> torch.Tensor:
        """Mean over heads: float32 ``(n_layers, n_queries, length)``."""
        self._settle()
        self._rows = [_joined(self._rows, length)]
        return self._rows[0]

    def heads(self, length: int) -> torch.Tensor | None:
        """Float32 ``(n_kept, n_heads, n_queries, length)``; ``None``: none was kept."""
        self._settle()
        if not self._heads:
            return None
        self._heads = [_joined(self._heads, length)]
        return self._heads[0]

    def _enter(self, layer: int) -> None:
        if layer <= self._latest:
            self._begin()
        self._latest = layer

    def _begin(self) -> None:
        self._latest = -1
        self._waiting: list[tuple[int, torch.Tensor]] = []
        self._rows: list[torch.Tensor] = []
        self._heads: list[torch.Tensor] = []

    def _fits(self, products: torch.Tensor) -> bool:
        """Whether it may wait with those that do: sliding windows have another length."""
        first = self._waiting[0][1]
        alike = first.shape == products.shape and first.device == products.device
        return alike and (len(self._waiting) + 1) * products.numel() <= AT_ONCE

    def _settle(self) -> None:
        if self._waiting:
            layers, products = zip(*self._waiting, strict=True)
            self._waiting = []
            self._take(layers, torch.stack(products).softmax(-1, dtype=torch.float32))

    def _take(self, layers: list[int] | tuple[int, ...], weights: torch.Tensor) -> None:
        """Weights ``(len(layers), n_heads, n_queries, n_keys)``."""
        self._rows.append(weights.mean(1))
        kept = [at for at, layer in enumerate(layers) if self._keeps_heads(layer)]
        if kept:
            self._heads.append(weights if len(kept) == len(layers) else weights[kept])


def whole(row: torch.Tensor, length: int) -> torch.Tensor:
    """A row ``(…, n_keys)`` over all ``length`` positions read so far.

    A sliding window's cache holds the latest positions only; a static one has room for more.
    """
    missing = length - row.shape[-1]
    return torch.nn.functional.pad(row, (missing, 0)) if missing > 0 else row[..., :length]


def _joined(groups: list[torch.Tensor], length: int) -> torch.Tensor:
    """Of all layers, each over all positions, on the last layer's device."""
    device = groups[-1].device
    aligned = [whole(group, length).to(device) for group in groups]
    return aligned[0] if len(aligned) == 1 else torch.cat(aligned)
