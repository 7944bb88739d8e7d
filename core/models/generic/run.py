"""One generation, step by step, through the same hooks that ``generate`` goes through.

So every family's own way with positions, caches and media is kept. What some families remember on
the model between steps (``rope_deltas``) is given explicitly at every step, so runs never meet.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel, StaticCache

from core.models.cache import hold_constant
from core.models.graph import ROWS, Graph, NoGraphError

_A_POSITION_EACH = ("attention_mask", "position_ids", "token_type_ids", "mm_token_type_ids")
"""What ``generate`` keeps an entry of for every position, and lengthens with every token."""


class GenericRun:
    """One generation in progress; see ``core.models.base.Run``."""

    _no_graph = torch.inference_mode

    def __init__(
        self, model: PreTrainedModel, inputs: Mapping[str, Any], differentiable: bool = False
    ) -> None:
        self._model, self._differentiable = model, differentiable
        device = model.get_input_embeddings().weight.device
        if device.type == "meta":  # Offloaded: hooks take the inputs to where they are needed.
            device = torch.device("cpu")
        on_device = {name: _placed(value, device, model.dtype) for name, value in inputs.items()}
        self._ids: torch.Tensor = on_device.pop("input_ids")
        self._before: Any = None
        self._state: dict[str, Any] = {
            **on_device,
            "attention_mask": torch.ones_like(self._ids),
            "past_key_values": self._empty_cache(),
            "use_cache": True,
        }
        taken = inspect.signature(model.forward).parameters
        if "position_ids" in taken:
            self._state["position_ids"] = model._prepare_position_ids_for_generation(
                self._ids, self._state
            )
        self._keeps_few = "logits_to_keep" in taken

    def read_prompt(self) -> torch.Tensor:
        """Encode the media and read the whole prompt; logits ``(vocabulary,)`` after it."""
        if not self._differentiable:
            with self._no_graph():
                return self._read(1, is_first_iteration=True)[-1]
        last = self._hold_back()
        with torch.no_grad():
            self._read(1, is_first_iteration=True)
        return self.read_tokens([last])[-1]

    def read_token(self, token: int) -> torch.Tensor:
        """Read one generated token; logits ``(vocabulary,)`` after it."""
        return self.read_tokens([token])[-1]

    def read_tokens(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read tokens of a given answer in one pass; logits ``(n, vocabulary)`` after each."""
        if not self._differentiable:
            with self._no_graph():
                return self._read_on(tokens)
        with torch.enable_grad():
            logits = self._read_on(tokens)
        hold_constant(self._state["past_key_values"])
        return logits

    @torch.inference_mode()
    def score(
        self, tokens: Sequence[int], hidden: torch.Tensor, *, reread: bool = False
    ) -> torch.Tensor:
        """Log-probabilities while positions are hidden; see ``core.models.base.Run``."""
        last = self._hold_back()
        hidden = hidden.to(self._ids.device)
        ids, state = self._ids, dict(self._state)
        if not reread:
            self._read(1, is_first_iteration=True)
        read, before = dict(self._state), self._before
        scored = []
        for one in hidden[:, None]:
            self._ids, self._before = ids, before
            if reread:
                self._state = {**state, "past_key_values": self._empty_cache()}
                self._state["attention_mask"] = (~one[:, :-1]).long()
                self._read(1, is_first_iteration=True)
            else:
                # What every ablation begins with must not be what the one before has filled.
                self._state = {**read, "past_key_values": copy.deepcopy(read["past_key_values"])}
                self._state["attention_mask"] = (~one[:, :-1]).long()
            logits = self._read_on([last, *tokens[:-1]], seen=(~one[:, -1:]).long())
            wanted = torch.tensor(tokens, device=logits.device)[:, None]
            scored.append(logits.float().log_softmax(-1).gather(-1, wanted)[:, 0])
        return torch.stack(scored)

    def _hold_back(self) -> int:
        """Leave the prompt's last token, which is text, to be read as a step; returns it."""
        last = self._ids[0, -1].item()
        self._ids = self._ids[:, :-1]
        for name in _A_POSITION_EACH:
            if self._state.get(name) is not None:
                self._state[name] = self._state[name][..., :-1]
        return last

    def _read_on(self, tokens: Sequence[int], seen: torch.Tensor | None = None) -> torch.Tensor:
        """Read tokens after what was read; ``seen (1, 1)``: whether the first one is."""
        count, length = len(tokens), self._ids.shape[1]
        self._append(tokens)
        if seen is not None:
            self._state["attention_mask"][:, length : length + 1] = seen
        return self._read(count, next_sequence_length=count)

    def _append(self, tokens: Sequence[int]) -> None:
        self._ids = torch.cat([self._ids, self._ids.new_tensor([tokens])], dim=1)
        self._state = self._model._update_model_kwargs_for_generation(
            self._before, self._state, num_new_tokens=len(tokens)
        )

    def _inputs(self, predicting: int, **step: Any) -> dict[str, Any]:
        if self._keeps_few:  # Else logits would be computed for every position of the prompt.
            self._state["logits_to_keep"] = predicting
        return self._model.prepare_inputs_for_generation(self._ids, **step, **self._state)

    def _read(self, predicting: int, **step: Any) -> torch.Tensor:
        """Logits ``(predicting, vocabulary)`` after the last positions read."""
        inputs = self._inputs(predicting, **step)
        output = self._model(**inputs, return_dict=True)
        logits, output.logits = output.logits[0, -predicting:], None  # Else its graph would stay.
        self._before = output
        return logits

    def _empty_cache(self) -> DynamicCache:
        return DynamicCache(config=self._model.config.get_text_config(decoder=True))


class GenericGraphRun(GenericRun):
    """The same over a static cache, a token's step being one graph; nothing is differentiated."""

    # Compiled code may not write into tensors of inference mode.
    _no_graph = torch.no_grad

    def __init__(
        self, model: PreTrainedModel, inputs: Mapping[str, Any], cache: StaticCache, graph: Graph
    ) -> None:
        super().__init__(model, inputs)
        self._state["past_key_values"] = self._cache = cache
        self._graph, self._heard = graph, False
        self.room: int = cache.layers[0].max_cache_len

    @torch.no_grad()
    def read_token_into(self, token: int, rows: torch.Tensor) -> torch.Tensor:
        """Logits after a token; its rows are written (``core.models.graph``)."""
        ids, state = self._ids, dict(self._state)
        self._append([token])
        try:
            logits = self._graph(rows, self._inputs(1, next_sequence_length=1))
            self._require_heard(rows)
        except NoGraphError:
            self._ids, self._state = ids, state
            raise
        return logits

    def _require_heard(self, rows: torch.Tensor) -> None:
        """Some families do not hand keywords on to their attention: unread the first token."""
        self._heard = self._heard or bool((rows.sum(1) > 0).all())
        if not self._heard:
            for layer in self._cache.layers:
                layer.cumulative_length.sub_(1)
            raise NoGraphError("its layers hand nothing on to their attention")


def graph_step(
    model: PreTrainedModel, rows: torch.Tensor, inputs: Mapping[str, Any]
) -> torch.Tensor:
    """One token's step: the whole model, its logits, and its rows."""
    return model(**inputs, return_dict=True, **{ROWS: rows}).logits[0, -1]


def _placed(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(device, dtype) if value.is_floating_point() else value.to(device)
