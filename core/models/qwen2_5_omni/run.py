"""One generation with the thinker, step by step, over a cache of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import (
    DynamicCache,
    Qwen2_5OmniThinkerForConditionalGeneration,
    StaticCache,
)

from core.models.cache import hold_constant, repeated, size
from core.models.graph import ROWS, Graph

SCORING_BYTES = 2**28
"""Of copied cache, at most, while ablations are scored side by side; one copy always is allowed."""


class ThinkerRun:
    """One generation in progress; see ``core.models.base.Run``."""

    _no_graph = torch.inference_mode

    def __init__(
        self,
        thinker: Qwen2_5OmniThinkerForConditionalGeneration,
        inputs: Mapping[str, Any],
        differentiable: bool,
    ) -> None:
        self._thinker = thinker
        self._inputs = dict(inputs)
        self._differentiable = differentiable
        self._cache = DynamicCache(config=thinker.config.get_text_config())
        self._next_position = self._inputs["input_ids"].shape[1] + self._inputs.pop("offset")

    def read_prompt(self) -> torch.Tensor:
        """Encode the media and read the whole prompt; logits ``(vocabulary,)`` after it."""
        if not self._differentiable:
            with self._no_graph():
                return self._read(**self._on_device())[-1]
        before, last = self._split()
        with torch.no_grad():
            self._read(**before)
        return self._step(**last)[-1]

    def read_token(self, token: int) -> torch.Tensor:
        """Read one generated token; logits ``(vocabulary,)`` after it."""
        return self.read_tokens([token])[-1]

    def read_tokens(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read tokens of a given answer in one pass; logits ``(n, vocabulary)`` after each."""
        device = self._thinker.device
        positions = torch.arange(len(tokens), device=device) + self._next_position
        self._next_position += len(tokens)
        return self._step(
            input_ids=torch.tensor([tokens], device=device),
            position_ids=positions.expand(3, 1, -1),
            predicting=len(tokens),
        )

    @torch.inference_mode()
    def score(
        self, tokens: Sequence[int], hidden: torch.Tensor, *, reread: bool = False
    ) -> torch.Tensor:
        """Log-probabilities while positions are hidden; see ``core.models.base.Run``."""
        before, _ = self._split()
        hidden = hidden.to(self._thinker.device)
        if reread:
            return torch.cat([self._score_reread(tokens, one, before) for one in hidden[:, None]])
        self._read(**before)
        at_once = max(1, SCORING_BYTES // size(self._cache))
        return torch.cat(
            [
                self._score(tokens, some, repeated(self._cache, len(some)))
                for some in hidden.split(at_once)
            ]
        )

    def _score_reread(
        self, tokens: Sequence[int], hidden: torch.Tensor, before: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        self._cache = DynamicCache(config=self._thinker.config.get_text_config())
        self._read(**before, attention_mask=(~hidden[:, :-1]).long())
        return self._score(tokens, hidden, self._cache)

    def _score(
        self, tokens: Sequence[int], hidden: torch.Tensor, cache: DynamicCache
    ) -> torch.Tensor:
        """From a cache of the prompt but its last position, with a batch of ``len(hidden)``."""
        _, last = self._split()
        batch, device = len(hidden), hidden.device
        answer = torch.tensor([tokens], device=device)
        later = torch.arange(len(tokens) - 1, device=device) + self._next_position
        positions = torch.cat([last["position_ids"], later.expand(3, 1, -1)], -1)
        seen = torch.cat([~hidden, hidden.new_ones(batch, len(tokens) - 1)], 1)
        output = self._thinker.model(
            input_ids=torch.cat([last["input_ids"], answer[:, :-1]], 1).expand(batch, -1),
            position_ids=positions.expand(-1, batch, -1),
            attention_mask=seen.long(),
            past_key_values=cache,
            use_cache=True,
        )
        # One ablation at a time: logits over a large vocabulary outgrow all else.
        scored = [self._thinker.lm_head(one).float() for one in output.last_hidden_state]
        return torch.stack([one.log_softmax(-1).gather(-1, answer.mT)[:, 0] for one in scored])

    def _on_device(self) -> dict[str, torch.Tensor]:
        return {name: value.to(self._thinker.device) for name, value in self._inputs.items()}

    def _split(self) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """The prompt but its last position, with all media; and that position."""
        inputs = self._on_device()
        ordered = ("input_ids", "position_ids")
        before = inputs | {name: inputs[name][..., :-1] for name in ordered}
        return before, {name: inputs[name][..., -1:] for name in ordered}

    def _step(self, **inputs: Any) -> torch.Tensor:
        if not self._differentiable:
            with self._no_graph():
                return self._read(**inputs)
        with torch.enable_grad():
            logits = self._read(**inputs)
        hold_constant(self._cache)
        return logits

    def _read(self, *, predicting: int = 1, **inputs: torch.Tensor) -> torch.Tensor:
        """Logits ``(predicting, vocabulary)`` after the last positions read."""
        output = self._thinker.model(**inputs, past_key_values=self._cache, use_cache=True)
        # The model's own forward would compute logits for every position of the prompt.
        return self._thinker.lm_head(output.last_hidden_state[0, -predicting:])


class ThinkerGraphRun(ThinkerRun):
    """The same over a static cache, a token's step being one graph; nothing is differentiated."""

    # Compiled code may not write into tensors of inference mode.
    _no_graph = torch.no_grad

    def __init__(
        self,
        thinker: Qwen2_5OmniThinkerForConditionalGeneration,
        inputs: Mapping[str, Any],
        cache: StaticCache,
        graph: Graph,
    ) -> None:
        super().__init__(thinker, inputs, differentiable=False)
        self._cache, self._graph = cache, graph
        self.room: int = cache.layers[0].max_cache_len

    @torch.no_grad()
    def read_token_into(self, token: int, rows: torch.Tensor) -> torch.Tensor:
        """Logits after a token; its rows are written (``core.models.graph``)."""
        ids = torch.tensor([[token]], device=self._thinker.device)
        positions = torch.full((3, 1, 1), self._next_position, device=ids.device)
        logits = self._graph(ids, positions, self._cache, rows)
        self._next_position += 1
        return logits


def graph_step(
    thinker: Qwen2_5OmniThinkerForConditionalGeneration,
    ids: torch.Tensor,
    positions: torch.Tensor,
    cache: StaticCache,
    rows: torch.Tensor,
) -> torch.Tensor:
    """One token's step: the text model alone, its head, and its rows."""
    output = thinker.model.language_model(
        input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=True, **{ROWS: rows}
    )
    return thinker.lm_head(output.last_hidden_state[0, -1])
