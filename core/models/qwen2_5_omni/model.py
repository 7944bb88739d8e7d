"""The Qwen2.5-Omni adapter: loading, preparing, running.

The thinker is loaded by itself. The whole model would need a speaker file, and its ``generate``
asks for the talker even when that was disabled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    DynamicCache,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
    StaticCache,
)

from core.errors import LimitError
from core.media import Limits, check_prompt
from core.models.base import Loading, Prepared, stop_tokens, weight_bytes
from core.models.cache import hold_constant, repeated, size
from core.models.graph import ROWS, Graph, require_whole, static_cache
from core.models.heads import read_heads
from core.models.qwen2_5_omni.layout import lay_out
from core.models.qwen2_5_omni.media import MediaReader, Reading
from core.models.text import TextCodec
from core.prompt import Prompt
from core.trace import MediaInfo, ModelInfo


def load(folder: Path, how: Loading) -> Qwen25Omni:
    """Load a checkpoint, whole model or thinker alone, from a folder.

    Raises:
        OSError, ValueError: files are missing or do not fit; ``core.models.registry`` explains.
    """
    processor = Qwen2_5OmniProcessor.from_pretrained(folder, local_files_only=True)
    thinker, report = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(
        folder,
        dtype=how.dtype,
        device_map=how.device_map,
        quantization_config=how.quantization,
        attn_implementation="sdpa",
        local_files_only=True,
        output_loading_info=True,
    )
    # Missing weights are filled with random numbers, with no more than a warning.
    missing = {name for name, _ in thinker.named_parameters()} & set(report["missing_keys"])
    if missing:
        raise ValueError(f"{len(missing)} weights are missing, among them {min(missing)}")
    if how.device is not None and how.device_map is None:
        thinker = thinker.to(how.device)
    # Frozen: gradients are taken with respect to attention only, from where it begins to count.
    thinker = thinker.eval().requires_grad_(False)
    text = thinker.config.get_text_config()
    chosen = read_heads(folder, text.num_hidden_layers, text.num_attention_heads)
    return Qwen25Omni(
        thinker, processor, name=how.name, world_only=how.world_only, chosen_heads=chosen
    )


SCORING_BYTES = 2**28
"""Of copied cache, at most, while ablations are scored side by side; one copy always is allowed."""


class Qwen25Omni:
    """A ``TracedModel``; see ``core.models.base``. Threads may share it."""

    def __init__(
        self,
        thinker: Qwen2_5OmniThinkerForConditionalGeneration,
        processor: Qwen2_5OmniProcessor,
        *,
        name: str,
        world_only: bool = False,
        chosen_heads: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.thinker = thinker
        self.processor = processor
        self.text_model = thinker.model.language_model
        self.context: int = self.text_model.config.max_position_embeddings
        self.stop_tokens = stop_tokens(thinker, processor.tokenizer)
        self.info = ModelInfo(
            name=name,
            family="qwen2_5_omni",
            parameters=sum(parameter.numel() for parameter in thinker.parameters()),
            dtype=str(thinker.dtype).removeprefix("torch."),
            device=str(thinker.device),
            world_only=world_only,
        )
        self.chosen_heads = chosen_heads
        self.weight_bytes = weight_bytes(thinker)
        self._codec = TextCodec(processor.tokenizer)
        self._reader = MediaReader(processor, context=self.context)
        self._graph = Graph(partial(_step, thinker))

    def prepare(self, prompt: Prompt, *, limits: Limits) -> Prepared:
        """Decode, check and lay out a prompt; ``inputs`` are what ``thinker.model`` takes.

        Raises:
            InputError, LimitError: the prompt cannot be used, or is too large for this model.
        """
        check_prompt(prompt, limits)
        readings = self._reader.read([part for _, part in prompt.media], limits=limits)
        ids, timeline = lay_out(prompt, readings, self.processor, self._codec)
        if len(ids) >= self.context:
            raise LimitError(
                f"The prompt takes {len(ids):,} positions; this model reads at most "
                f"{self.context:,} together with its answer. Use fewer or shorter parts, or "
                "smaller pictures."
            )
        media = [MediaInfo()] * len(prompt.parts)
        for (index, _), reading in zip(prompt.media, readings, strict=True):
            media[index] = reading.info
        inputs = self._inputs(torch.from_numpy(ids)[None], _joined(readings))
        return Prepared(inputs, timeline, tuple(media))

    def start(self, prepared: Prepared, *, differentiable: bool = False) -> ThinkerRun:
        """A run over a prepared prompt; nothing is computed yet."""
        return ThinkerRun(self.thinker, prepared.inputs, differentiable)

    def start_graph(self, prepared: Prepared, *, positions: int) -> ThinkerGraphRun:
        """A run over a static cache; see ``core.models.graph``.

        Raises:
            NoGraphError: this model cannot.
        """
        require_whole(self.thinker, self.text_model)
        cache = static_cache(self.thinker.config.get_text_config(), positions)
        return ThinkerGraphRun(self.thinker, prepared.inputs, cache, self._graph)

    def token_bytes(self, token: int) -> bytes:
        """The bytes of text that a token spells; none for control tokens."""
        return self._codec.token_bytes(token)

    def tokens_of(self, text: str) -> list[int]:
        """The tokens that spell a text, as an answer; what looks like a control token is text."""
        return self._codec.encode(text)[0]

    def _inputs(self, ids: torch.Tensor, media: dict[str, torch.Tensor]) -> dict[str, Any]:
        # Given explicitly, because the model would else keep its position offset on itself, where
        # two runs at once would meet.
        steps = media.pop("video_second_per_grid", None)
        mask = media.get("feature_attention_mask")
        positions, offset = self.thinker.model.get_rope_index(
            ids,
            media.get("image_grid_thw"),
            media.get("video_grid_thw"),
            torch.ones_like(ids),
            self._sound_in_film(ids),
            None if mask is None else mask.sum(dim=1),
            steps,
        )
        return {"input_ids": ids, "position_ids": positions, "offset": int(offset), **media}

    def _sound_in_film(self, ids: torch.Tensor) -> bool:
        config = self.thinker.config
        begins = (ids[0] == config.vision_start_token_id).nonzero()[:, 0]
        return bool((ids[0, begins + 1] == config.audio_start_token_id).any())


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


def _step(
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


def _joined(readings: list[Reading]) -> dict[str, torch.Tensor]:
    """The tensors of all parts, in prompt order, as one batch a kind."""
    names = dict.fromkeys(name for reading in readings for name in reading.tensors)
    return {
        name: _join(name, [one.tensors[name] for one in readings if name in one.tensors])
        for name in names
    }


def _join(name: str, tensors: list[torch.Tensor]) -> torch.Tensor:
    if name not in ("input_features", "feature_attention_mask"):
        return torch.cat(tensors)
    # (1, …, length) each, of different lengths; the mask tells the padding apart.
    padded = pad_sequence([tensor[0].transpose(0, -1) for tensor in tensors], batch_first=True)
    return padded.transpose(1, -1)
