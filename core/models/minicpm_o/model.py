"""The MiniCPM-o 4.5 adapter: loading, preparing, running.

Written against the code of OpenBMB/MiniCPM-o-Demo at 28b60cf. Its processor's encoders are used,
its text assembly is not: ids, bounds and timeline are laid out here, so that what a person wrote is
never taken for a placeholder, and nothing is cut at 8,192 positions.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from transformers import DynamicCache

from core.errors import LimitError, ModelError
from core.media import RATE, Film, Limits, Picture, Sound, check_prompt, load_part
from core.models.base import Loading, Prepared, weight_bytes
from core.models.cache import hold_constant
from core.models.chat import Markup, render
from core.models.heads import read_heads
from core.models.layout import Builder
from core.models.minicpm_o.code import HubCode, import_code
from core.models.minicpm_o.layout import FPS, FRAMES, HELD, Expansion, Run, expand
from core.models.minicpm_o.mending import mend
from core.models.text import TextCodec
from core.prompt import Prompt
from core.timeline import LANES, STRUCTURAL, Timeline
from core.trace import MediaInfo, ModelInfo

PLACE = "\ue003"
"""Stands in the markup for a medium; texts are not in the markup, so nobody else writes it."""

_TURN_ENDS = ("<|im_end|>", "<|endoftext|>", "<|tts_eos|>")


def load(folder: Path, how: Loading) -> MiniCPMO45:
    """Load a checkpoint, the speaking part left out, from a folder.

    Raises:
        ModelError: its code is not trusted, or it is asked to be spread or quantised.
        OSError, ValueError: files are missing or do not fit; ``core.models.registry`` explains.
    """
    if how.device_map is not None or how.quantization is not None:
        raise ModelError(
            f"{how.name} is loaded whole onto one device: leave out the device map and the "
            "quantisation, or choose another model."
        )
    code = import_code(folder, name=how.name, trusted=how.trust_remote_code)
    config = code.configuration.MiniCPMOConfig.from_pretrained(folder, local_files_only=True)
    config.init_tts = False
    config._attn_implementation = "sdpa"
    with _default_dtype(how.dtype):
        # In memory from the start: see ``mending``.
        model = code.modeling.MiniCPMO(config)
    _load_weights(model, folder)
    mend(model)
    model = model.to(how.device).eval().requires_grad_(False)
    text = model.llm.config
    return MiniCPMO45(
        model,
        load_processor(folder, code),
        name=how.name,
        chosen_heads=read_heads(folder, text.num_hidden_layers, text.num_attention_heads),
    )


def load_processor(folder: Path, code: HubCode) -> Any:
    """The processor, put together from its parts."""
    settings = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    return code.processing.MiniCPMOProcessor(
        code.processing.MiniCPMVImageProcessor(**settings),
        code.processing.MiniCPMAAudioProcessor.from_pretrained(folder, local_files_only=True),
        code.tokenization.MiniCPMOTokenizerFast.from_pretrained(folder, local_files_only=True),
    )


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


def _on(value: Any, device: torch.device) -> Any:
    """Nested tensors on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {name: _on(one, device) for name, one in value.items()}
    return [_on(one, device) for one in value] if isinstance(value, list) else value


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _load_weights(model: torch.nn.Module, folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise OSError(f"no safetensors files in {folder.name}")
    own, seen = dict(model.state_dict()), set()
    with torch.no_grad():
        for file in files:
            with safe_open(file, framework="pt") as weights:
                for key in set(weights.keys()) & set(own):
                    own[key].copy_(weights.get_tensor(key))
                    seen.add(key)
    tied = {"llm.lm_head.weight"} if model.config.tie_word_embeddings else set()
    missing = set(own) - seen - tied
    if missing:
        raise ValueError(f"{len(missing)} weights are missing, among them {min(missing)}")
