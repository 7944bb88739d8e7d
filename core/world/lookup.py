"""Letters are looked up where they are written, not remembered from the reason before them.

A model that writes "It shows a moon. The answer is D." may find the letter at "moon" and keep it
there, or work it out while it reads the prompt; "D" then rests on its own words, or on any place,
and not on the option that says so. Two things teach it otherwise, and are for training only:

- a *blindfold*: in some answers the upper layers of "The answer is" do not see the reason. The
  lower ones may read "moon" in it, before anything can be kept there.
- a *pointer*: a few heads of one layer are told at which option to look when the letter is due
  (as Tachibana et al. 2017, "Efficiently trainable text-to-speech", guide attention by a loss).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from core.world.batch import Encoded

IMPLEMENTATION = "world_lookup"
FIRST_BLIND = 2
"""A letter is put on its option in layer 0 and could be kept elsewhere in layer 1."""

POINTING, HEADS = 3, (0, 4)
"""The layer, and its heads, that are told where to look."""

WORDS = 3
"""``The``, ``answer`` and ``is`` stand before the letter; ``.`` and the end of the turn after."""

_LOOKUP: ContextVar[Lookup | None] = ContextVar("lookup", default=None)


@dataclass(eq=False)
class Lookup:
    """What a batch is taught about its letters.

    Attributes:
        hidden: bool ``(batch, 1, length, length)``: True where a query may not see a key.
        rows, queries: int64 ``(n,)``: the rows that end with a letter, and where it is due.
        options: bool ``(n, length)``: the positions of the option that it names.
        losses: of the pointer, one a run.
    """

    hidden: torch.Tensor
    rows: torch.Tensor
    queries: torch.Tensor
    options: torch.Tensor
    losses: list[torch.Tensor] = field(default_factory=list)


def lookup(rows: Sequence[Encoded], blind: Sequence[bool]) -> Lookup | None:
    """For a batch as ``collate`` takes it; ``blind``: which rows are blindfolded. None: no letter.

    Args:
        rows: of any kind; only answers that end with a letter are taught anything.
        blind: one a row.
    """
    lettered = [index for index, row in enumerate(rows) if row.option]
    if not lettered:
        return None
    length = max(len(row.ids) for row in rows)
    hidden = torch.zeros(len(rows), 1, length, length, dtype=torch.bool)
    options = torch.zeros(len(lettered), length, dtype=torch.bool)
    queries = torch.tensor([len(rows[index].ids) - 4 for index in lettered])
    for n, index in enumerate(lettered):
        row, due = rows[index], int(queries[n])
        options[n, list(row.option)] = True
        if blind[index]:
            opens = due + 1 - WORDS
            hidden[index, 0, opens : due + 1, len(row.ids) - len(row.weights) : opens] = True
    return Lookup(hidden, torch.tensor(lettered), queries, options)


@contextmanager
def taught(text_model: torch.nn.Module, made: Lookup | None) -> Iterator[None]:
    """Run the text model so; the pointer's loss is then in ``made.losses``."""
    text_model.config._attn_implementation = "sdpa" if made is None else IMPLEMENTATION
    token = _LOOKUP.set(made)
    try:
        yield
    finally:
        _LOOKUP.reset(token)
        text_model.config._attn_implementation = "sdpa"


def _attend(module, query, key, value, attention_mask, **kwargs):
    made = _LOOKUP.get()
    if made is not None and module.layer_idx == POINTING:
        made.losses.append(_pointer_loss(query, key, module.scaling, made))
    if made is not None and module.layer_idx >= FIRST_BLIND:
        attention_mask = _causal(query) if attention_mask is None else attention_mask
        attention_mask = attention_mask & ~made.hidden
    return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)


def _pointer_loss(
    query: torch.Tensor, key: torch.Tensor, scaling: float, made: Lookup
) -> torch.Tensor:
    """Cross-entropy of the pointing heads' attention, where a letter is due, with its option."""
    heads = list(HEADS)
    asked = query[made.rows][:, heads][torch.arange(len(made.rows)), :, made.queries]
    scores = torch.einsum("nhd,nhkd->nhk", asked, key[made.rows][:, heads]) * scaling
    unseen = torch.arange(key.shape[2]) > made.queries[:, None]
    unseen = unseen | made.hidden[made.rows, 0, made.queries]
    shares = scores.masked_fill(unseen[:, None], float("-inf")).log_softmax(-1)
    pointed = shares.masked_fill(~made.options[:, None], float("-inf")).logsumexp(-1)
    return -pointed.mean()


def _causal(query: torch.Tensor) -> torch.Tensor:
    return torch.ones(query.shape[2], query.shape[2], dtype=torch.bool).tril()[None, None]


AttentionInterface.register(IMPLEMENTATION, _attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
