"""The recorder: attention rows of the queries that predict tokens, beside the real run.

``interface`` hands it the rows of every layer's attention call; here they are kept, differentiated,
and made the record of a decoding step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from core.signals.heard import Heard, whole
from core.signals.interface import listening
from core.signals.needs import ROWS_ONLY, Needs, Target
from core.signals.tap import TappedAttention
from core.signals.values import ValueNorms


@dataclass(frozen=True, eq=False)
class StepRecord:
    """What was recorded at one decoding step; ``None`` or empty: no signal needed it.

    ``n_positions`` counts prompt and answer so far; what a sliding window has left behind is 0.

    Attributes:
        rows: float32 ``(n_layers, n_positions)``: the query's attention in every layer that has
            attention (hybrid models have others), averaged over heads; a row sums to 1.
        heads: float32 ``(n_kept, n_heads, n_positions)``: the same, of every head; ``n_kept`` is
            1 (the last layer) or ``n_layers``.
        gradients: target → float32, shaped as ``heads``: its gradient with respect to them.
        norms: float32 ``(n_layers, n_heads, n_positions)``: length of the transformed value vector
            of every position (``core.signals.values``).
        chosen: (layer, head) pairs that somebody chose for this model.
    """

    rows: torch.Tensor
    heads: torch.Tensor | None = None
    gradients: Mapping[Target, torch.Tensor] = field(default_factory=dict)
    norms: torch.Tensor | None = None
    chosen: Sequence[tuple[int, int]] = ()


class Recorder:
    """Records one generation of one model, step by step.

    Args:
        text_model: the module whose attention calls are heard.
        needs: what is recorded beside the rows. With gradients, the steps must be those of a
            differentiable run (``core.models.base``).
        chosen: (layer, head) pairs, passed on to the records.
    """

    def __init__(
        self,
        text_model: torch.nn.Module,
        needs: Needs = ROWS_ONLY,
        chosen: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._config = text_model.config
        self._last = _last_with_attention(text_model.config)
        self._needs, self._chosen = needs, chosen
        self._queries = 1
        self._heard = Heard(self._keeps_heads)
        self._gradients: dict[int, torch.Tensor] = {}
        self._norms: dict[int, ValueNorms] = {}
        self._probe = torch.zeros((), requires_grad=True)

    @contextmanager
    def listen(self, queries: int = 1) -> Iterator[None]:
        """Record the attention calls of the text model made inside, by this thread.

        Args:
            queries: so many of the latest queries, each of which predicts a token.
        """
        self._queries, self._heard = queries, Heard(self._keeps_heads)
        with listening(self, self._config):
            yield

    def step(
        self,
        length: int,
        *,
        query: int = 0,
        logits: torch.Tensor | None = None,
        token: int | None = None,
    ) -> StepRecord:
        """The record of one query of the last listening.

        Args:
            length: positions read up to and with that query.
            query: which of those listened to, from 0.
            logits: ``(vocabulary,)`` after it, and
            token: the one that follows; both needed for gradients, which only one query can have.
        """
        read = length + self._queries - 1 - query
        gradients = self._differentiated(read, logits, token)
        rows, heads = self._heard.rows(read), self._heard.heads(read)
        norms = {layer: norms.lengths for layer, norms in self._norms.items()}
        return StepRecord(
            rows[:, query, :length],
            None if heads is None else heads[:, :, query, :length],
            gradients,
            _stacked(norms, length) if norms else None,
            self._chosen,
        )

    def hear_all(self, rows: torch.Tensor) -> None:
        """Take what a graph has written: float32 ``(n_layers, room)`` of the latest query."""
        self._heard.add_rows(rows[:, None])

    @property
    def queries(self) -> int:
        """Of how many of the latest queries the rows are wanted."""
        return self._queries

    def hear(
        self,
        module: torch.nn.Module,
        value: torch.Tensor,
        read: int,
        *,
        products: torch.Tensor | None = None,
        weights: torch.Tensor | None = None,
    ) -> None:
        """Take one layer's rows.

        Args:
            module: the attention module.
            value: ``(1, key_heads, n, width)`` as attention sees it.
            read: how many positions this call reads.
            products: ``(heads, queries, n_keys)`` of the latest queries, before the softmax, or
            weights: the same after it, float32.
        """
        layer = module.layer_idx
        if weights is None:
            self._heard.add_products(layer, products)
        else:
            self._heard.add_weights(layer, weights)
        if self._needs.norms:
            heads = (products if weights is None else weights).shape[0]
            if layer not in self._norms:
                self._norms[layer] = ValueNorms(module, heads)
            self._norms[layer].read(value.detach(), read)

    def taps(self, layer: int) -> bool:
        """Whether this layer's call is one to differentiate."""
        return bool(self._needs.gradients) and self._keeps_heads(layer) and torch.is_grad_enabled()

    def tapped(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *rest: Any
    ) -> torch.Tensor:
        """The call's output, with a graph that tells the gradient of this layer's weights."""
        probe = self._probe.to(query.device)
        take = partial(self.take, layer)
        return TappedAttention.apply(probe, query, key, value, *rest, take)

    def probed(self, query: torch.Tensor) -> torch.Tensor:
        """The query unchanged, with a graph that begins here at the latest."""
        return query + self._probe.to(query.device, query.dtype) * 0

    def take(self, layer: int, gradient: torch.Tensor) -> None:
        """Take ∂/∂A of one layer, float32 ``(heads, n_keys)``; called by the backward pass."""
        self._gradients[layer] = gradient

    def _differentiated(
        self, length: int, logits: torch.Tensor | None, token: int | None
    ) -> dict[Target, torch.Tensor]:
        """The step's gradients, target by target; the graph is freed with the last of them."""
        gradients = {}
        targets = sorted(self._needs.gradients)
        for target in targets:
            torch.autograd.grad(
                _TARGETS[target](logits, token),
                self._probe,
                retain_graph=target != targets[-1],
                allow_unused=True,  # The probe only opens the graph; nothing flows into it.
            )
            gradients[target] = _stacked(self._gradients, length)
        return gradients

    def _keeps_heads(self, layer: int) -> bool:
        return self._needs.heads == "all" or (self._needs.heads == "last" and layer == self._last)


def _stacked(heard: Mapping[int, torch.Tensor], length: int) -> torch.Tensor:
    """What was heard, by layer, each over all positions, on the last layer's device."""
    device = heard[max(heard)].device
    return torch.stack([whole(heard[i], length).to(device) for i in sorted(heard)])


def _last_with_attention(config: Any) -> int:
    """Index of the last layer that has attention rows; hybrid models have others too."""
    kinds = getattr(config, "layer_types", None) or ["attention"] * config.num_hidden_layers
    attending = (kind.endswith("attention") and kind != "linear_attention" for kind in kinds)
    return max(index for index, attends in enumerate(attending) if attends)


def _log_probability(logits: torch.Tensor, token: int) -> torch.Tensor:
    return logits.float().log_softmax(-1)[token]


_TARGETS = {"logit": lambda logits, token: logits[token], "logprob": _log_probability}
