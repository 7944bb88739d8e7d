"""The Qwen2.5-Omni adapter: loading and preparing.

The thinker is loaded by itself. The whole model would need a speaker file, and its ``generate``
asks for the talker even when that was disabled.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
)

from core.errors import LimitError
from core.media import Limits, check_prompt
from core.models.base import Loading, Prepared, stop_tokens, weight_bytes
from core.models.graph import Graph, require_whole, static_cache
from core.models.heads import read_heads
from core.models.qwen2_5_omni.layout import lay_out
from core.models.qwen2_5_omni.media import MediaReader, Reading
from core.models.qwen2_5_omni.run import ThinkerGraphRun, ThinkerRun, graph_step
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
        self._graph = Graph(partial(graph_step, thinker))

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
