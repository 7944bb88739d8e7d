"""The recorder: attention rows of the query that predicts the next token, beside the real run.

A function is registered with transformers' attention interface. It runs sdpa for the output, so
the answer is the model's ordinary one, and for the last query alone computes the row of attention
weights, averaged over heads. Its mask function is registered too: without it masks are dropped
without a word. No matrix of query × key ever exists.

The text model's implementation is borrowed for the duration of one call. Who records is a context
variable, so threads that share a model each get their own rows, and a thread that records nothing
merely runs sdpa.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask, sdpa_mask

IMPLEMENTATION = "omnitrace_sdpa"
EAGER = "omnitrace_eager"
"""For families that sdpa cannot run (capped logits, sinks): their own way, its weights read."""


@dataclass(frozen=True, eq=False)
class StepRecord:
    """What was recorded at one decoding step.

    Attributes:
        rows: float32 ``(n_layers, n_positions)``: the last query's attention in every layer that
            has attention (hybrid models have others), averaged over heads; a row sums to 1.
            ``n_positions`` counts prompt and answer so far; what a sliding window has left behind
            is 0.
    """

    rows: torch.Tensor


class Recorder:
    """Records one generation of one model, step by step."""

    def __init__(self, text_model: torch.nn.Module) -> None:
        self._config = text_model.config
        self._rows: dict[int, torch.Tensor] = {}

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Record the attention calls of the text model made inside, by this thread."""
        self._rows = {}
        token = _LISTENING.set(self)
        try:
            with _borrowed(self._config):
                yield
        finally:
            _LISTENING.reset(token)

    def step(self, length: int) -> StepRecord:
        """The record of the last listening, ``length`` positions having been read so far."""
        heard, self._rows = self._rows, {}
        layers = sorted(heard)
        device = heard[layers[-1]].device
        whole = [_whole(heard[layer], length).to(device) for layer in layers]
        return StepRecord(torch.stack(whole))

    def hear(self, layer: int, row: torch.Tensor) -> None:
        """Take the row of one layer; called from the attention function."""
        self._rows[layer] = row


def last_row(
    query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, scaling: float
) -> torch.Tensor:
    """Attention of the last query, averaged over heads: float32 ``(n_keys,)``.

    Args:
        query: ``(1, heads, queries, width)``.
        key: ``(1, key_heads, keys, width)``, not repeated for grouped heads.
        mask: bool or additive ``(1, 1 or heads, queries, keys)``; ``None``: all keys up to the
            last query are seen.
        scaling: factor on the products.
    """
    _, heads, queries, width = query.shape
    groups = key.shape[1]
    if mask is None and 1 < queries < key.shape[2]:
        key = key[:, :, :queries]  # An empty static cache is longer than what was read.
    asked = (query[0, :, -1] * scaling).view(groups, heads // groups, width)
    products = torch.bmm(asked, key[0].transpose(1, 2)).view(heads, -1)
    if mask is not None:
        seen = mask[0, :, -1]
        products = (
            products.masked_fill(~seen, -torch.inf) if seen.dtype == torch.bool else products + seen
        )
    return products.softmax(-1, dtype=torch.float32).mean(0)


def _whole(row: torch.Tensor, length: int) -> torch.Tensor:
    """A row over all ``length`` positions read so far.

    A sliding window's cache holds the latest positions only; a static one has room for more.
    """
    missing = length - len(row)
    return torch.nn.functional.pad(row, (missing, 0)) if missing > 0 else row[:length]


def _recording_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Sdpa, and the last row beside it where someone listens; an attention interface function."""
    recorder = _LISTENING.get()
    if recorder is not None:
        factor = query.shape[-1] ** -0.5 if scaling is None else scaling
        recorder.hear(module.layer_idx, last_row(query, key, attention_mask, factor))
    return sdpa_attention_forward(
        module, query, key, value, attention_mask, scaling=scaling, **options
    )


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
    output, weights = own(module, query, key, value, attention_mask, **options)
    recorder = _LISTENING.get()
    if recorder is not None:
        recorder.hear(module.layer_idx, weights[0, :, -1].float().mean(0))
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
