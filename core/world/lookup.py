"""Letters are looked up where they are written, not remembered from the reason before them.

A model that writes "It shows a moon. The answer is D." may find the letter at "moon" and keep it
there, or work it out while it reads the prompt; "D" then rests on its own words, or on any place,
and not on the option that says so; and a model that reads "moon" among the options need not look
for it in the picture. In training, such a prompt therefore has its options twice, in the same
places: the true ones, and *decoys*, whose letters are mixed up, and half the time their words too.
What follows the options, the reason included, sees the decoys; "The answer is" sees the true ones.
A letter kept anywhere else is then wrong, and a word from an option too. Nothing is told of where
to look, and nobody sees decoys but in training.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from core.world.batch import Encoded, Encoder
from core.world.words import COLOURS, DAYS, PEOPLE, PLURALS, THINGS

IMPLEMENTATION = "world_lookup"

WORD = 2
"""An option is its letter, a dot, and one word."""

SAME_WORDS = 0.5

SENTENCE = 6
"""Tokens at the end of an answer: ``The answer is D .`` and the end of the turn."""

_HIDDEN: ContextVar[torch.Tensor | None] = ContextVar("hidden", default=None)


class Decoys:
    """Gives rows their decoys."""

    def __init__(self, encoder: Encoder) -> None:
        self._pools = [
            [encoder.text(f" {word}")[0] for word in words]
            for words in (tuple(PLURALS.values()), PEOPLE, DAYS, THINGS, tuple(COLOURS))
        ]

    def add(self, row: Encoded, rng: random.Random) -> Encoded:
        """A row whose options stand twice; the same row if no letter ends its answer.

        The decoys follow the options, in ``row.decoys``; no decoy has its option's letter.
        """
        if not row.options:
            return row
        first, end = row.options[0].start, row.options[-1].stop
        turn = rng.randrange(1, len(row.options))
        words = self._words(row, rng)
        ids = list(row.ids[first:end])
        for index, line in enumerate(row.options):
            other = row.options[(index + turn) % len(row.options)]
            ids[line.start - first] = row.ids[other.start]
            ids[line.start - first + WORD] = words[index]
        positions = torch.cat(row.positions, 1)
        return replace(
            row,
            ids=[*row.ids[:end], *ids, *row.ids[end:]],
            positions=[positions[:, :end], positions[:, first:]],
            decoys=range(end, end + len(ids)),
        )

    def _words(self, row: Encoded, rng: random.Random) -> list[int]:
        words = [row.ids[line.start + WORD] for line in row.options]
        if rng.random() < SAME_WORDS:
            return words
        return rng.sample(next(pool for pool in self._pools if words[0] in pool), len(words))


def hidden(rows: Sequence[Encoded]) -> torch.Tensor | None:
    """What a batch, as ``collate`` takes it, may not see: bool ``(batch, 1, length, length)``.

    True where a query may not see a key. None: no row has decoys.
    """
    if not any(row.decoys for row in rows):
        return None
    length = max(len(row.ids) for row in rows)
    made = torch.zeros(len(rows), 1, length, length, dtype=torch.bool)
    for index, row in enumerate(rows):
        if row.decoys:
            true = slice(row.options[0].start, row.options[-1].stop)
            letter = len(row.ids) - SENTENCE
            made[index, 0, row.decoys.start : letter, true] = True
            made[index, 0, letter:, row.decoys.start : row.decoys.stop] = True
    return made


@contextmanager
def unseen(text_model: torch.nn.Module, made: torch.Tensor | None) -> Iterator[None]:
    """Run the text model with this hidden in every layer."""
    text_model.config._attn_implementation = "sdpa" if made is None else IMPLEMENTATION
    token = _HIDDEN.set(made)
    try:
        yield
    finally:
        _HIDDEN.reset(token)
        text_model.config._attn_implementation = "sdpa"


def _attend(module, query, key, value, attention_mask, **kwargs):
    made = _HIDDEN.get()
    if made is not None:
        attention_mask = _causal(query) if attention_mask is None else attention_mask
        attention_mask = attention_mask & ~made
    return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)


def _causal(query: torch.Tensor) -> torch.Tensor:
    return torch.ones(query.shape[2], query.shape[2], dtype=torch.bool).tril()[None, None]


AttentionInterface.register(IMPLEMENTATION, _attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
