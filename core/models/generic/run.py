"""One generation, step by step, through the same hooks that ``generate`` goes through.

So every family's own way with positions, caches and media is kept. What some families remember on
the model between steps (``rope_deltas``) is given explicitly at every step, so runs never meet.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel


class GenericRun:
    """One generation in progress; see ``core.models.base.Run``."""

    def __init__(self, model: PreTrainedModel, inputs: Mapping[str, Any]) -> None:
        self._model = model
        device = model.get_input_embeddings().weight.device
        if device.type == "meta":  # Offloaded: hooks take the inputs to where they are needed.
            device = torch.device("cpu")
        on_device = {name: _placed(value, device, model.dtype) for name, value in inputs.items()}
        self._ids: torch.Tensor = on_device.pop("input_ids")
        self._state: dict[str, Any] = {
            **on_device,
            "attention_mask": torch.ones_like(self._ids),
            "past_key_values": DynamicCache(config=model.config.get_text_config(decoder=True)),
            "use_cache": True,
        }
        taken = inspect.signature(model.forward).parameters
        if "position_ids" in taken:
            self._state["position_ids"] = model._prepare_position_ids_for_generation(
                self._ids, self._state
            )
        if "logits_to_keep" in taken:
            # Else logits would be computed for every position of the prompt.
            self._state["logits_to_keep"] = 1

    def read_prompt(self) -> torch.Tensor:
        """Encode the media and read the whole prompt; logits ``(vocabulary,)`` after it."""
        return self._read(is_first_iteration=True)

    def read_token(self, token: int) -> torch.Tensor:
        """Read one generated token; logits ``(vocabulary,)`` after it."""
        self._ids = torch.cat([self._ids, self._ids.new_tensor([[token]])], dim=1)
        return self._read(next_sequence_length=1)

    @torch.inference_mode()
    def _read(self, **step: Any) -> torch.Tensor:
        inputs = self._model.prepare_inputs_for_generation(self._ids, **step, **self._state)
        output = self._model(**inputs, return_dict=True)
        self._state = self._model._update_model_kwargs_for_generation(output, self._state)
        return output.logits[0, -1]


def _placed(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(device, dtype) if value.is_floating_point() else value.to(device)
