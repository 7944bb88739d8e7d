"""What decoding needs of a model; a family's adapter implements it.

Adapters know prompts and media. They do not know signals: the recorder taps the attention calls of
``text_model`` from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from core.media import Limits
from core.prompt import Prompt
from core.timeline import Timeline
from core.trace import MediaInfo, ModelInfo

if TYPE_CHECKING:
    from transformers import PreTrainedModel


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
    """One generation in progress: it owns its cache, so runs of one model never meet.

    In a differentiable run, the last position of the prompt and every generated token is read as a
    step of its own whose logits carry a graph back to that step's attention calls, and no further:
    what was read before is constant. Whatever encodes media is outside the graph.
    """

    def read_prompt(self) -> torch.Tensor:
        """Encode the media and read the whole prompt; logits ``(vocabulary,)`` after it."""

    def read_token(self, token: int) -> torch.Tensor:
        """Read one generated token; logits ``(vocabulary,)`` after it."""

    def read_tokens(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read tokens of a given answer in one pass; logits ``(n, vocabulary)`` after each.

        One token at a time in a differentiable run.
        """

    def score(
        self, tokens: Sequence[int], hidden: torch.Tensor, *, reread: bool = False
    ) -> torch.Tensor:
        """Log-probabilities of an answer, in nats, while prompt positions are out of sight.

        The run is a fresh one. What is hidden stays hidden from every query that predicts a token
        of the answer: from the last prompt position on. It runs in batches where memory allows.

        Args:
            tokens: the answer's.
            hidden: bool ``(n_ablations, n_prompt)``; the last position is never hidden.
            reread: hide it from the prompt's own queries too: the prompt is read anew each time.

        Returns:
            Float32 ``(n_ablations, len(tokens))``.
        """


class TracedModel(Protocol):
    """A model that can be traced.

    Attributes:
        info: name, family, size, dtype, device.
        context: most positions that it can take, prompt and answer together.
        stop_tokens: ids that end an answer.
        text_model: the module that generates; ``text_model.config`` names the attention
            implementation that the recorder borrows.
        chosen_heads: (layer, head) pairs picked for the signal ``heads``; often none.
        weight_bytes: what its weights take, quantised as they are.
    """

    info: ModelInfo
    context: int
    stop_tokens: frozenset[int]
    text_model: torch.nn.Module
    chosen_heads: tuple[tuple[int, int], ...]
    weight_bytes: int

    def prepare(self, prompt: Prompt, *, limits: Limits) -> Prepared:
        """Decode, check and lay out a prompt.

        Raises:
            InputError, LimitError: the prompt cannot be used, or is too large for this model.
        """

    def start(self, prepared: Prepared, *, differentiable: bool = False) -> Run:
        """A run over a prepared prompt; nothing is computed yet."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes of text that a token spells; none for control tokens."""

    def tokens_of(self, text: str) -> list[int]:
        """The tokens that spell a text, as an answer; what looks like a control token is text."""


def weight_bytes(model: torch.nn.Module) -> int:
    """What a model's weights take, in bytes, wherever they lie."""
    return sum(weight.numel() * weight.element_size() for weight in model.parameters())


def stop_tokens(model: PreTrainedModel, tokenizer: Any) -> frozenset[int]:
    """The generation config's, and the end of a turn, which some of the released configs lack."""
    configured = model.generation_config.eos_token_id
    several = configured if isinstance(configured, list) else [configured]
    return frozenset(t for t in [*several, tokenizer.eos_token_id] if t is not None)
