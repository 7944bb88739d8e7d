"""One generation, step by step, over a cache of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import DynamicCache

from core.models.cache import hold_constant


class MiniCPMORun:
    """One generation in progress; see ``core.models.base.Run``."""

    def __init__(self, model: Any, inputs: Mapping[str, Any], differentiable: bool = False) -> None:
        self._model, self._inputs = model, inputs
        self._differentiable = differentiable
        self._cache = DynamicCache(config=model.llm.config)

    def read_prompt(self) -> torch.Tensor:
        """Encode the media and read the whole prompt; logits ``(vocabulary,)`` after it."""
        embedded = self._embedded()
        if not self._differentiable:
            with torch.inference_mode():
                return self._read(inputs_embeds=embedded)[-1]
        with torch.no_grad():
            self._read(inputs_embeds=embedded[:, :-1])
        return self._step(inputs_embeds=embedded[:, -1:])[-1]

    def read_token(self, token: int) -> torch.Tensor:
        """Read one generated token; logits ``(vocabulary,)`` after it."""
        return self.read_tokens([token])[-1]

    def read_tokens(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read tokens of a given answer in one pass; logits ``(n, vocabulary)`` after each."""
        ids = torch.tensor([list(tokens)], device=self._model.llm.device)
        return self._step(input_ids=ids, predicting=len(tokens))

    @torch.inference_mode()
    def score(
        self, tokens: Sequence[int], hidden: torch.Tensor, *, reread: bool = False
    ) -> torch.Tensor:
        """Log-probabilities while positions are hidden; see ``core.models.base.Run``."""
        embedded = self._embedded()
        answer = torch.tensor([list(tokens)], device=embedded.device)
        step = torch.cat([embedded[:, -1:], self._embed(answer[:, :-1])], 1)
        hidden = hidden.to(embedded.device)
        if not reread:
            self._read(inputs_embeds=embedded[:, :-1])
        scored = []
        for one in hidden[:, None]:
            seen = torch.cat([~one, one.new_ones(1, len(tokens) - 1)], 1).long()
            cache = DynamicCache(config=self._model.llm.config)
            if reread:
                before = seen[:, : -len(tokens)]
                self._read(inputs_embeds=embedded[:, :-1], attention_mask=before, cache=cache)
            else:
                cache = copy.deepcopy(self._cache)
            logits = self._read(
                inputs_embeds=step, attention_mask=seen, cache=cache, predicting=len(tokens)
            )
            scored.append(logits.float().log_softmax(-1).gather(-1, answer.mT)[:, 0])
        return torch.stack(scored)

    @torch.no_grad()
    def _embedded(self) -> torch.Tensor:
        """The prompt with what the encoders made of its media: ``(1, n_prompt, width)``."""
        data = _on(self._inputs, self._model.llm.device)
        embedded, _ = self._model.get_vllm_embedding(data)
        return self._model.get_omni_embedding(
            data, embedded, chunk_length=self._model.config.audio_chunk_length
        )

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Tokens of an answer, as the language model embeds them."""
        return self._model.llm.get_input_embeddings()(ids)

    def _step(self, **inputs: Any) -> torch.Tensor:
        if not self._differentiable:
            with torch.inference_mode():
                return self._read(**inputs)
        with torch.enable_grad():
            logits = self._read(**inputs)
        hold_constant(self._cache)
        return logits

    def _read(
        self, *, predicting: int = 1, cache: DynamicCache | None = None, **inputs: torch.Tensor
    ) -> torch.Tensor:
        """Logits ``(predicting, vocabulary)`` after the last positions read."""
        llm = self._model.llm
        cache = self._cache if cache is None else cache
        output = llm.model(**inputs, past_key_values=cache, use_cache=True)
        return llm.lm_head(output.last_hidden_state[0, -predicting:])


def _on(value: Any, device: torch.device) -> Any:
    """Nested tensors on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {name: _on(one, device) for name, one in value.items()}
    return [_on(one, device) for one in value] if isinstance(value, list) else value
