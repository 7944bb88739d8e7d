"""Letters are looked up where they are written, not remembered from the reason before them.

A model that writes "It shows a moon. The answer is D." may find the letter at "moon" and keep it
there; "D" then rests on its own words, and on no option. In training the upper layers of the
letter's sentence do therefore not see the reason: the lower ones may read "moon" in it, before
anything can be kept there, and the option has to be found from the letter's own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from core.world.batch import Encoded

IMPLEMENTATION = "world_blindfold"
FIRST_LAYER = 2
"""A letter is put on its option in layer 0 and could be kept elsewhere in layer 1."""

LETTER_SENTENCE = ("The", "answer", "is")
_HIDDEN: ContextVar[torch.Tensor | None] = ContextVar("hidden", default=None)


def hidden_reasons(rows: Sequence[Encoded], blind: Sequence[bool]) -> torch.Tensor | None:
    """Bool ``(batch, 1, length, length)``: True where a query may not see a key; None if nowhere.

    Args:
        rows: a batch as ``collate`` takes it.
        blind: which of them are blindfolded; only answers that end with a letter can be.
    """
    if not any(row.letter and is_blind for row, is_blind in zip(rows, blind, strict=True)):
        return None
    length = max(len(row.ids) for row in rows)
    hidden = torch.zeros(len(rows), 1, length, length, dtype=torch.bool)
    for index, (row, is_blind) in enumerate(zip(rows, blind, strict=True)):
        if row.letter and is_blind:
            letter = len(row.ids) - 3  # before it stand the three words, behind it "." and the end
            opens = letter - len(LETTER_SENTENCE)
            hidden[index, 0, opens:letter, len(row.ids) - len(row.weights) : opens] = True
    return hidden


@contextmanager
def blindfolded(text_model: torch.nn.Module, hidden: torch.Tensor | None) -> Iterator[None]:
    """Run the text model with ``hidden`` unseen by its upper layers."""
    text_model.config._attn_implementation = "sdpa" if hidden is None else IMPLEMENTATION
    token = _HIDDEN.set(hidden)
    try:
        yield
    finally:
        _HIDDEN.reset(token)
        text_model.config._attn_implementation = "sdpa"


def _attend(module, query, key, value, attention_mask, **kwargs):
    hidden = _HIDDEN.get()
    if hidden is not None and module.layer_idx >= FIRST_LAYER:
        attention_mask = _causal(query) if attention_mask is None else attention_mask
        attention_mask = attention_mask & ~hidden
    return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)


def _causal(query: torch.Tensor) -> torch.Tensor:
    return torch.ones(query.shape[2], query.shape[2], dtype=torch.bool).tril()[None, None]


AttentionInterface.register(IMPLEMENTATION, _attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
