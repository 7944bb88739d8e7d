"""The attention call, tapped: rows of the queries that predict tokens, beside the real run.

A function is registered with transformers' attention interface. It runs sdpa for the output, so
the answer is the model's ordinary one, and for the last queries alone computes the rows of
attention weights. Its mask function is registered too: without it masks are dropped without a
word. No matrix of all queries × keys ever exists.

The text model's implementation is borrowed for the duration of one call. Who records is a context
variable, so threads that share a model each get their own rows, and a thread that records nothing
merely runs sdpa.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask, sdpa_mask

from core import cancel
from core.models.graph import ROWS

if TYPE_CHECKING:
    from core.signals.recorder import Recorder

IMPLEMENTATION = "omnitrace_sdpa"
EAGER = "omnitrace_eager"
"""For families that sdpa cannot run (capped logits, sinks): their own way, its weights read."""


def last_products(
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float,
    count: int = 1,
) -> torch.Tensor:
    """Products of the last ``count`` queries with their keys ``(heads, count, n_keys)``, masked.

    Their softmax over the keys is the queries' attention.

    Args:
        query: ``(1, heads, queries, width)``.
        key: ``(1, key_heads, keys, width)``, not repeated for grouped heads.
        mask: bool or additive ``(1, 1 or heads, queries, keys)``; ``None``: every query sees all
            keys up to its own.
        scaling: factor on the products.
        count: at most ``queries``.
    """
    _, heads, queries, _ = query.shape
    groups = key.shape[1]
    if mask is None and 1 < queries < key.shape[2]:
        key = key[:, :, :queries]  # An empty static cache is longer than what was read.
    asked = (query[0, :, -count:] * scaling).reshape(groups, heads // groups * count, -1)
    products = torch.bmm(asked, key[0].transpose(1, 2)).view(heads, count, -1)
    if mask is None and count > 1:
        mask = _up_to_their_own(count, products.shape[-1], products.device)
    if mask is not None:
        seen = mask[0, :, -count:]
        products = (
            products.masked_fill(~seen, -torch.inf) if seen.dtype == torch.bool else products + seen
        )
    return products


def _up_to_their_own(count: int, keys: int, device: torch.device) -> torch.Tensor:
    """Mask ``(1, 1, count, keys)``: the last queries each see the keys up to their own."""
    seen = torch.ones(count, keys, dtype=torch.bool, device=device)
    return seen.tril(keys - count)[None, None]


def _recording_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Sdpa, and the last rows beside it where someone listens; an attention interface function."""

    def ordinary(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )

    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    rows = options.pop(ROWS, None)
    if rows is not None:  # Inside a graph, where nobody can be asked who listens.
        products = last_products(query, key, attention_mask, factor)
        rows[module.layer_idx] = products.softmax(-1, dtype=torch.float32).mean(0)[0]
        return ordinary(query, key, value)
    cancel.check()
    recorder = _LISTENING.get()
    if recorder is None:
        return ordinary(query, key, value)
    with torch.no_grad():
        products = last_products(query, key, attention_mask, factor, recorder.queries)
    if not recorder.taps(module.layer_idx):
        recorder.hear(module, value, query.shape[2], products=products)
        return ordinary(query, key, value)
    weights = products.softmax(-1, dtype=torch.float32)
    recorder.hear(module, value, query.shape[2], weights=weights)
    inputs = (query, key, value, weights[:, 0], factor, lambda *qkv: ordinary(*qkv)[0])
    return recorder.tapped(module.layer_idx, *inputs), None


def _recording_eager(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The family's own eager attention, which every modeling file defines by the same name."""
    own = sys.modules[type(module).__module__].eager_attention_forward
    cancel.check()
    recorder = _LISTENING.get()
    if recorder is None:
        return own(module, query, key, value, attention_mask, **options)
    taps = recorder.taps(module.layer_idx)
    asked = recorder.probed(query) if taps else query
    output, weights = own(module, asked, key, value, attention_mask, **options)
    rows = weights.detach()[0, :, -recorder.queries :].float()
    # Sinks add a column that is no position.
    recorder.hear(module, value, query.shape[2], weights=rows[..., : key.shape[2]])
    if taps:
        weights.register_hook(
            lambda gradient: recorder.take(module.layer_idx, gradient[0, :, -1].float())
        )
    return output, weights


AttentionInterface.register(IMPLEMENTATION, _recording_attention)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
AttentionInterface.register(EAGER, _recording_eager)
AttentionMaskInterface.register(EAGER, eager_mask)

_LISTENING: ContextVar[Recorder | None] = ContextVar("listening", default=None)
_BORROWED: dict[int, tuple[int, str]] = {}
"""Text config (by identity) → calls in progress, and the implementation to give back."""
_LOCK = Lock()


@contextmanager
def listening(recorder: Recorder, config: Any) -> Iterator[None]:
    """Hand to a recorder the attention calls made inside, by this thread, of the config's model."""
    token = _LISTENING.set(recorder)
    try:
        with _borrowed(config):
            yield
    finally:
        _LISTENING.reset(token)


@contextmanager
def _borrowed(config: Any) -> Iterator[None]:
    """The config's attention implementation is ours until the last of several callers is done."""
    with _LOCK:
        callers, original = _BORROWED.get(id(config), (0, config._attn_implementation))
        _BORROWED[id(config)] = (callers + 1, original)
        # As a mapping, or the configs of the towers inside would be set as well.
        config._attn_implementation = {"": EAGER if original == "eager" else IMPLEMENTATION}
    try:
        yield
    finally:
        with _LOCK:
            callers, original = _BORROWED.pop(id(config))
            if callers > 1:
                _BORROWED[id(config)] = (callers - 1, original)
            else:
                config._attn_implementation = {"": original}
