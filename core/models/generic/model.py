"""The generic adapter: prompt → ids, timeline and inputs of any decoder-only model.

Text positions are exact to the character. Media positions are exact to the item for every model
whose processor reports its replacements, and to pixels and seconds for the families in
``families``; else whole items are the sources, and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from core.errors import LimitError
from core.media import Limits, check_prompt
from core.models.base import Prepared, stop_tokens, weight_bytes
from core.models.chat import Markup, render
from core.models.generic.families import FAMILIES, UNKNOWN
from core.models.generic.media import Decoded, MediaReader, Processed, Replacement, sound_of
from core.models.generic.places import Item, Places, Rule, whole_item
from core.models.generic.run import GenericGraphRun, GenericRun, graph_step
from core.models.graph import Graph, require_whole, static_cache
from core.models.layout import Builder
from core.models.text import TextCodec
from core.prompt import MediaPart, Prompt
from core.timeline import LANES, STRUCTURAL, Timeline
from core.trace import MediaInfo, ModelInfo

WHOLE = "Where in it a position looks is not known for this model: it counts as one source."

_LANE = {"image": "image", "audio": "audio", "video": "video_frames"}
_ROWLESS = frozenset({"linear_attention", "mamba", "conv", "recurrent", "hybrid"})


class GenericModel:
    """A ``TracedModel``; see ``core.models.base``. Threads may share it.

    Args:
        model: for causal language modelling, in evaluation mode.
        tokenizer: of transformers, backed by ``tokenizers``.
        processor: of a multimodal model, else ``None``.
        name: as asked for.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Any,
        processor: Any | None,
        *,
        name: str,
        chosen_heads: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.processor = processor
        self.text_model = model.get_decoder()
        self.chosen_heads = chosen_heads
        self.weight_bytes = weight_bytes(model)
        text = model.config.get_text_config(decoder=True)
        self.context: int = getattr(text, "max_position_embeddings", tokenizer.model_max_length)
        self.stop_tokens = stop_tokens(model, tokenizer)
        self.info = ModelInfo(
            name=name,
            family=model.config.model_type,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            dtype=str(model.dtype).removeprefix("torch."),
            device=str(model.device),
        )
        self._family = FAMILIES.get(model.config.model_type, UNKNOWN)
        self._codec = TextCodec(tokenizer, marks=_marks(processor, tokenizer))
        self._reader = MediaReader(processor, self._family, name=name, context=self.context)
        self._notes = rowless_note(text)
        self._graph = Graph(partial(graph_step, model))

    def prepare(self, prompt: Prompt, *, limits: Limits) -> Prepared:
        """Decode, check and lay out a prompt; ``inputs`` are what the model's ``generate`` takes.

        Raises:
            InputError, LimitError: the prompt cannot be used, or is too large for this model.
            ModelError: its template or processor cannot be followed.
        """
        check_prompt(prompt, limits)
        decoded = self._reader.decode([part for _, part in prompt.media], limits=limits)
        speaker = self.processor if self.processor is not None else self.tokenizer
        markup = render(prompt, speaker, written={} if self.processor is None else None)
        processed = self._reader.process(markup.text, prompt.media, decoded)
        ids, timeline = self._lay_out(markup, processed.replacements, prompt)
        if len(ids) >= self.context:
            raise LimitError(
                f"The prompt takes {len(ids):,} positions; this model reads at most "
                f"{self.context:,} together with its answer. Use fewer or shorter parts, or "
                "smaller pictures."
            )
        infos = self._place(timeline, processed, prompt.media, decoded)
        media = [infos.get(index, MediaInfo()) for index in range(len(prompt.parts))]
        if media and self._notes:
            media[0] = replace(media[0], notes=(*media[0].notes, *self._notes))
        inputs = {
            "input_ids": torch.from_numpy(ids)[None],
            **processed.tensors,
            **self._reader.token_types(ids, processed.tensors),
        }
        return Prepared(inputs, timeline, tuple(media))

    def start(self, prepared: Prepared, *, differentiable: bool = False) -> GenericRun:
        """A run over a prepared prompt; nothing is computed yet."""
        return GenericRun(self.model, prepared.inputs, differentiable)

    def start_graph(self, prepared: Prepared, *, positions: int) -> GenericGraphRun:
        """A run over a static cache; see ``core.models.graph``.

        Raises:
            NoGraphError: this model cannot.
        """
        require_whole(self.model, self.text_model)
        cache = static_cache(self.model.config, positions)
        return GenericGraphRun(self.model, prepared.inputs, cache, self._graph)

    def token_bytes(self, token: int) -> bytes:
        """The bytes of text that a token spells; none for control tokens."""
        return self._codec.token_bytes(token)

    def tokens_of(self, text: str) -> list[int]:
        """The tokens that spell a text, as an answer; what looks like a control token is text."""
        return list(self._codec.encode(text)[0])

    def _lay_out(
        self, markup: Markup, replacements: Sequence[Replacement], prompt: Prompt
    ) -> tuple[np.ndarray, Timeline]:
        builder = Builder(self._codec)
        begin = self._beginning(markup)
        if begin:
            builder.add_ids(begin, Timeline.structural(len(begin)))
        at = 0
        for one in replacements:
            builder.add_markup(markup.pieces(at, one.start))
            self._add_expansion(builder, one, _LANE[prompt.parts[one.part].kind])
            at = one.end
        builder.add_markup(markup.pieces(at, len(markup.text)))
        return builder.finish()

    def _beginning(self, markup: Markup) -> list[int]:
        """Control tokens that the tokenizer itself puts first, if the template did not."""
        own = self.tokenizer("")["input_ids"]
        begin = [token for token in own if token not in self.stop_tokens]
        if not begin or (markup.chat and self.processor is None):
            return []
        first = self.tokenizer.convert_ids_to_tokens(begin[0])
        return [] if markup.text.startswith(first) else begin

    def _add_expansion(self, builder: Builder, one: Replacement, lane: str) -> None:
        for (piece, is_control), run in groupby(self._codec.split_control(one.expansion)):
            times = sum(1 for _ in run)
            token = self._codec.control[piece] if is_control else None
            if token in self._reader.positions_of:
                woven = lane == "video_frames" and token in self._reader.sound_ids
                held = _held(times, one.part, "video_sound" if woven else lane)
                builder.add_ids([token] * times, held)
            elif is_control:
                for _ in range(times):
                    builder.add_control(piece)
            else:
                builder.add_text(piece * times, STRUCTURAL)

    def _place(
        self,
        timeline: Timeline,
        processed: Processed,
        parts: Sequence[tuple[int, MediaPart]],
        decoded: Sequence[Decoded],
    ) -> dict[int, MediaInfo]:
        """Say in the timeline what every media position shows; the parts' facts, with notes."""
        expansions = {one.part: one.expansion for one in processed.replacements}
        seen = dict.fromkeys(_LANE, 0)
        infos = {}
        for (index, part), one in zip(parts, decoded, strict=True):
            notes: list[str] = []
            for kind, lane, medium in _streams(one, part.kind):
                held = (timeline.part == index) & (timeline.lane == LANES.index(lane))
                at = np.flatnonzero(held)
                item = Item(
                    decoded=medium,
                    index=seen[part.kind],
                    count=len(at),
                    expansion=expansions[index],
                    tensors=processed.tensors,
                    processor=self.processor,
                    config=self.model.config,
                )
                places, told = _places(item, getattr(self._family, kind))
                notes += told
                timeline.seconds[at], timeline.box[at] = places.seconds, places.box
                hidden = at[~places.shown]
                timeline.part[hidden], timeline.lane[hidden] = STRUCTURAL, -1
            seen[part.kind] += 1
            infos[index] = replace(one.info, notes=(*one.info.notes, *notes))
        return infos


def _streams(one: Decoded, kind: str) -> list[tuple[str, str, Decoded]]:
    """What a part gives the model, as ``(kind of rule, lane, medium)``: a heard film gives two."""
    streams = [(kind, _LANE[kind], one)]
    sound = sound_of(one)
    if kind == "video" and sound is not None:
        streams.append(("audio", "video_sound", sound))
    return streams


def _places(item: Item, rule: Rule | None) -> tuple[Places, tuple[str, ...]]:
    """The rule's places; the whole item where there is none, or a checkpoint departs from it."""
    if rule is not None:
        try:
            return rule(item), ()
        except (ValueError, KeyError):
            pass
    return whole_item(item), (WHOLE,)


def _held(count: int, part: int, lane: str) -> Timeline:
    timeline = Timeline.structural(count)
    timeline.part[:], timeline.lane[:] = part, LANES.index(lane)
    return timeline


def rowless_note(text_config: Any) -> tuple[str, ...]:
    """A note if some layers mix positions without attention, so that no row tells of them."""
    kinds = getattr(text_config, "layer_types", None) or ()
    rowless = [kind for kind in kinds if kind in _ROWLESS]
    if not rowless:
        return ()
    return (
        f"{len(rowless)} of the model's {len(kinds)} layers have no attention "
        f"({', '.join(sorted(set(rowless)))}): signals tell of the other layers only.",
    )


def _marks(processor: Any | None, tokenizer: Any) -> frozenset[str]:
    """Names of the control tokens of media, which some tokenizers do not flag as special."""
    held = [{} if processor is None else vars(processor), vars(tokenizer)]
    return frozenset(
        value
        for names in held
        for name, value in names.items()
        if name.endswith("_token") and isinstance(value, str) and value
    )
