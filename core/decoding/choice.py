"""The next token from its logits: banned phrases, temperature, top-p, seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch

from core.errors import InputError
from core.trace import Generation

COOLEST, HOTTEST = 1e-6, 1_000
"""Temperatures: by less, logits would grow beyond float32."""


class Chooser:
    """Chooses token after token of one answer; the same seed chooses the same.

    The order is that of ``generate``: repeated n-grams are banned first, over prompt and answer
    together, then temperature, then top-p. Sampling runs on the CPU with its own generator, so
    other runs and other devices do not disturb it.
    """

    def __init__(self, settings: Generation) -> None:
        _check(settings)
        self._settings = settings
        self._random = torch.Generator().manual_seed(settings.seed)
        self._phrases = _Phrases(settings.no_repeat_ngram_size)

    def hear(self, prompt_ids: Sequence[int]) -> None:
        """The prompt, whose phrases are not repeated either."""
        for token in prompt_ids:
            self._phrases.add(token)

    def choose(self, logits: torch.Tensor) -> int:
        """One token for logits ``(vocabulary,)``; it counts as said."""
        banned = self._phrases.continued()
        if banned:
            logits = logits.clone()
            logits[list(banned)] = -torch.inf
        greedy = self._settings.temperature == 0
        token = int(logits.argmax()) if greedy else self._sample(logits)
        self._phrases.add(token)
        return token

    def _sample(self, logits: torch.Tensor) -> int:
        shares = (logits.float().cpu() / self._settings.temperature).softmax(-1)
        if self._settings.top_p < 1:
            ordered, order = shares.sort(descending=True)
            # The fewest that reach top_p: out goes what stands after them.
            ordered[ordered.cumsum(-1) - ordered >= self._settings.top_p] = 0
            shares = torch.zeros_like(shares).scatter(0, order, ordered)
        return int(torch.multinomial(shares, 1, generator=self._random))


class _Phrases:
    """Which tokens would complete an n-gram a second time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._followers: dict[tuple[int, ...], set[int]] = defaultdict(set)
        self._said: list[int] = []

    def add(self, token: int) -> None:
        if not self._size:
            return
        if len(self._said) >= self._size - 1:
            self._followers[self._tail()].add(token)
        self._said.append(token)

    def continued(self) -> set[int]:
        if not self._size or len(self._said) < self._size - 1:
            return set()
        return self._followers.get(self._tail(), set())

    def _tail(self) -> tuple[int, ...]:
        return tuple(self._said[len(self._said) - self._size + 1 :])


def _check(settings: Generation) -> None:
    """Refuse what cannot be computed with, or kept in a trace file."""
    temperature, repeats = settings.temperature, settings.no_repeat_ngram_size
    warm = temperature == 0 or COOLEST <= temperature <= HOTTEST
    bounds = (
        ("max_new_tokens", 1 <= settings.max_new_tokens <= 10**6, "at least 1, at most 1,000,000"),
        ("temperature", warm, f"0 (greedy), or {COOLEST:f} to {HOTTEST:,}"),
        ("top_p", 0 < settings.top_p <= 1, "above 0, at most 1"),
        ("seed", -(2**63) <= settings.seed < 2**64, "a whole number of 64 bits"),
        ("no_repeat_ngram_size", 0 <= repeats <= 10**6, "0 (off) or more, at most 1,000,000"),
    )
    for name, sound, allowed in bounds:
        if not sound:
            raise InputError(f"{name} is {getattr(settings, name)}: use {allowed}.")
