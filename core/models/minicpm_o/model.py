"""The MiniCPM-o 4.5 adapter: prompt → ids, timeline and inputs.

Written against the code of OpenBMB/MiniCPM-o-Demo at 28b60cf. Its processor's encoders are used,
its text assembly is not: ids, bounds and timeline are laid out here, so that what a person wrote is
never taken for a placeholder, and nothing is cut at 8,192 positions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from threading import Lock
from typing import Any

import numpy as np
import torch

from core.errors import LimitError, ModelError
from core.media import RATE, Film, Limits, Picture, Sound, check_prompt, load_part
from core.models.base import Prepared, weight_bytes
from core.models.chat import Markup, render
from core.models.layout import Builder
from core.models.minicpm_o.layout import FPS, FRAMES, HELD, Expansion, Run, expand
from core.models.minicpm_o.run import MiniCPMORun
from core.models.text import TextCodec
from core.prompt import Prompt
from core.timeline import LANES, STRUCTURAL, Timeline
from core.trace import MediaInfo, ModelInfo

PLACE = "\ue003"
"""Stands in the markup for a medium; texts are not in the markup, so nobody else writes it."""

_TURN_ENDS = ("<|im_end|>", "<|endoftext|>", "<|tts_eos|>")


class MiniCPMO45:
    """A ``TracedModel``; see ``core.models.base``. Threads may share it.

    Args:
        model: ``MiniCPMO`` of the hub's code, mended.
        processor: ``MiniCPMOProcessor`` of the same.
        name: as asked for.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        name: str,
        chosen_heads: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.model = model
        self.chosen_heads = chosen_heads
        self.weight_bytes = weight_bytes(model)
        self.processor = processor
        self.text_model = model.llm.model
        self.context: int = model.config.max_position_embeddings
        self._codec = TextCodec(processor.tokenizer)
        self._lock = Lock()  # The feature extractor is shared.
        ends = {self._codec.control.get(token) for token in _TURN_ENDS}
        self.stop_tokens = frozenset(token for token in ends if token is not None)
        self.info = ModelInfo(
            name=name,
            family=model.config.model_type,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            dtype=str(model.llm.dtype).removeprefix("torch."),
            device=str(model.llm.device),
        )

    def prepare(self, prompt: Prompt, *, limits: Limits) -> Prepared:
        """Decode, check and lay out a prompt; ``inputs`` are what the encoders take.

        Raises:
            InputError, LimitError: the prompt cannot be used, or is too large for this model.
            ModelError: placeholders and features part ways.
        """
        check_prompt(prompt, limits)
        decoded = [
            load_part(part, limits=limits, rate=RATE, fps=FPS, max_frames=FRAMES)
            for _, part in prompt.media
        ]
        expansions = self._expand(decoded)
        speaks = any(one.sounds for one in expansions)
        markup = render(
            prompt,
            self.processor.tokenizer,
            written=dict.fromkeys(("image", "audio", "video"), PLACE),
            options={"enable_thinking": False, "use_tts_template": speaks},
        )
        ids, timeline = self._lay_out(markup, prompt, expansions)
        if len(ids) >= self.context:
            raise LimitError(
                f"The prompt takes {len(ids):,} positions; this model reads at most "
                f"{self.context:,} together with its answer. Use fewer or shorter parts."
            )
        media = [MediaInfo()] * len(prompt.parts)
        for (index, _), one in zip(prompt.media, decoded, strict=True):
            media[index] = one.info
        inputs = {"input_ids": torch.from_numpy(ids)[None], **self._encode(ids, expansions)}
        return Prepared(inputs, timeline, tuple(media))

    def start(self, prepared: Prepared, *, differentiable: bool = False) -> MiniCPMORun:
        """A run over a prepared prompt; nothing is computed yet."""
        return MiniCPMORun(self.model, prepared.inputs, differentiable)

    def token_bytes(self, token: int) -> bytes:
        """The bytes of text that a token spells; none for control tokens."""
        return self._codec.token_bytes(token)

    def tokens_of(self, text: str) -> list[int]:
        """The tokens that spell a text, as an answer; what looks like a control token is text."""
        return list(self._codec.encode(text)[0])

    def _expand(self, decoded: Sequence[Picture | Sound | Film]) -> list[Expansion]:
        expansions, pictures = [], 0
        for one in decoded:
            expansions.append(expand(one, self.processor, image_number=pictures))
            pictures += isinstance(one, Picture)
        return expansions

    def _lay_out(
        self, markup: Markup, prompt: Prompt, expansions: Sequence[Expansion]
    ) -> tuple[np.ndarray, Timeline]:
        builder = Builder(self._codec)
        places = [found.start() for found in re.finditer(PLACE, markup.text)]
        if len(places) != len(expansions):
            raise ModelError("The model's chat template loses media, so they cannot be followed.")
        at = 0
        for place, (part, _), expansion in zip(places, prompt.media, expansions, strict=True):
            builder.add_markup(markup.pieces(at, place))
            self._add_expansion(builder, part, expansion)
            at = place + len(PLACE)
        builder.add_markup(markup.pieces(at, len(markup.text)))
        return builder.finish()

    def _add_expansion(self, builder: Builder, part: int, expansion: Expansion) -> None:
        runs = iter(expansion.runs)
        for (piece, is_control), repeated in groupby(self._codec.split_control(expansion.text)):
            times = sum(1 for _ in repeated)
            if piece == HELD:
                builder.add_ids([self._codec.control[HELD]] * times, _held(times, part, next(runs)))
            elif is_control:
                builder.add_control(piece)
            else:
                builder.add_text(piece, STRUCTURAL)

    def _encode(self, ids: np.ndarray, expansions: Sequence[Expansion]) -> dict[str, Any]:
        """The encoders' input, and where in ``ids`` their output goes."""
        slices, sizes = [], []
        for picture, most in (image for one in expansions for image in one.images):
            made = self.processor.image_processor.preprocess(
                [[picture]], max_slice_nums=most, return_tensors="pt"
            )
            slices += made["pixel_values"][0]
            sizes.append(made["tgt_sizes"][0])
        sounds = [sound for one in expansions for sound in one.sounds]
        with self._lock:
            features, lengths, _ = self.processor.audio_feature_extract(
                [sounds] if sounds else None, None, False, RATE
            )
        bounds = self._bounds(ids, "audio_start", "audio_end")
        _require_room(bounds, lengths)
        return {
            "pixel_values": [slices],
            "tgt_sizes": [torch.vstack(sizes)] if sizes else [[]],
            "image_bound": [self._bounds(ids, "im_start", "im_end", "slice_start", "slice_end")],
            "audio_features": features,
            "audio_feature_lens": lengths,
            "audio_bounds": [bounds],
        }

    def _bounds(self, ids: np.ndarray, *names: str) -> torch.Tensor:
        """``[start, end)`` between pairs of control tokens: int64 ``(n, 2)``."""
        tokens = [self._codec.control[getattr(self.processor.tokenizer, name)] for name in names]
        starts = np.flatnonzero(np.isin(ids, tokens[0::2])) + 1
        ends = np.flatnonzero(np.isin(ids, tokens[1::2]))
        return torch.from_numpy(np.stack([starts, ends], axis=1))


def _held(count: int, part: int, run: Run) -> Timeline:
    timeline = Timeline.structural(count)
    timeline.part[:], timeline.lane[:] = part, LANES.index(run.lane)
    if run.seconds is not None:
        _require(len(run.seconds) in (1, count), count, len(run.seconds))
        timeline.seconds[:] = run.seconds
    if run.box is not None:
        timeline.box[:] = run.box
    return timeline


def _require_room(bounds: torch.Tensor, lengths: Sequence[Any]) -> None:
    """Every piece of sound must have as many features as positions: else seconds would shift."""
    frames = lengths[0].tolist() if len(lengths) and len(lengths[0]) else []
    features = [-(-count // 2) // 5 for count in frames]
    positions = (bounds[:, 1] - bounds[:, 0]).tolist()
    _require(features == positions, positions, features)


def _require(fits: bool, positions: object, features: object) -> None:
    if not fits:
        raise ModelError(
            f"A recording has {positions} positions for {features} features: the model's "
            "processor is of another version than this adapter. Report it with the model's "
            "revision."
        )
