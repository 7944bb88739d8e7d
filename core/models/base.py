"""What decoding needs of a model; a family's adapter implements it.

Adapters know prompts and media. They do not know signals: the recorder taps the attention calls of
``text_model`` from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from core.media import Limits
from core.prompt import Prompt
from core.timeline import Timeline
from core.trace import MediaInfo, ModelInfo


@dataclass(frozen=True, eq=False)
class Prepared:
    """A prompt, read: everything the model takes, and where every position comes from.

    Attributes:
        inputs: the adapter's own tensors; ``input_ids`` is int64 ``(1, n_prompt)``.
        timeline: provenance of the ``n_prompt`` positions.
        media: one ``MediaInfo`` a part of the prompt (all defaults for text).
    """

    inputs: Mapping[str, Any]
    timeline: Timeline
    media: tuple[MediaInfo, ...]


@dataclass(frozen=True)
class Loading:
    """How a model is to be loaded; every adapter's ``load(folder, how)`` takes one.

    Attributes:
        name: as asked for, fit to show.
        device: e.g. ``cuda:1``; ``None`` where ``device_map`` says it.
        dtype: of the weights.
        device_map: over which devices the layers are spread, as transformers takes it.
        quantization: of the weights, as transformers takes it.
        trust_remote_code: code among the model's files may run.
        world_only: the embedded miniature model.
    """

    name: str
    device: str | None
    dtype: torch.dtype
    device_map: str | Mapping[str, Any] | None = None
    quantization: Any | None = None
    trust_remote_code: bool = False
    world_only: bool = False


class Run(Protocol):
    """One generation in progress: it owns its cache, so runs of one model never meet."""

    def read_prompt(self) -> torch.Tensor:
        """Encode the media and read the whole prompt; logits ``(vocabulary,)`` after it."""

    def read_token(self, token: int) -> torch.Tensor:
        """Read one generated token; logits ``(vocabulary,)`` after it."""


class TracedModel(Protocol):
    """A model that can be traced.

    Attributes:
        info: name, family, size, dtype, device.
        context: most positions that it can take, prompt and answer together.
        stop_tokens: ids that end an answer.
        text_model: the module that generates; ``text_model.config`` names the attention
            implementation that the recorder borrows.
    """

    info: ModelInfo
    context: int
    stop_tokens: frozenset[int]
    text_model: torch.nn.Module

    def prepare(self, prompt: Prompt, *, limits: Limits) -> Prepared:
        """Decode, check and lay out a prompt.

        Raises:
            InputError, LimitError: the prompt cannot be used, or is too large for this model.
        """

    def start(self, prepared: Prepared) -> Run:
        """A run over a prepared prompt; nothing is computed yet."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes of text that a token spells; none for control tokens."""
