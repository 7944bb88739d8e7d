"""Media parts → the model's tensors and the text that holds their positions, by its processor.

The whole prompt goes through the processor at once, as its authors meant it to; what it put in the
place of each placeholder, it reports (``return_text_replacement_offsets``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from threading import Lock
from typing import Any

import numpy as np
import torch
from transformers.video_utils import VideoMetadata

from core.errors import InputError, LimitError, ModelError
from core.media import FPS, RATE, Film, Limits, Picture, Sound, load_part
from core.models.generic.families import Family
from core.prompt import MediaPart

Decoded = Picture | Sound | Film

TICKS = 1000
"""A second, as films are described to processors; a frame then has its own time to 1 ms."""

SHORTEST_SOUND = 0.1
"""Seconds; a film's shorter sound is left out."""

UNHEARD = "The film's sound is left out: this model takes the pictures of films only."
UNHEARD_OF_SEVERAL = "The film's sound is left out: this model hears one film in a prompt."

_NAMES = {"image": "pictures", "audio": "recordings", "video": "films"}
_PLACEHOLDERS = {"image": "image_token", "audio": "audio_token", "video": "video_token"}
_NOT_INPUTS = ("input_ids", "attention_mask", "text_replacement_offsets")


@dataclass(frozen=True)
class Replacement:
    """What stands for one media part: ``expansion`` in the place ``[start, end)`` of the markup."""

    part: int
    start: int
    end: int
    expansion: str


@dataclass(frozen=True, eq=False)
class Processed:
    """A prompt's media as the model takes them.

    Attributes:
        replacements: one a media part, in the order of the markup.
        tensors: inputs of the model, text excluded.
    """

    replacements: tuple[Replacement, ...]
    tensors: dict[str, Any]


class MediaReader:
    """Reads the media of prompts with one processor, or none; threads may share it."""

    def __init__(self, processor: Any | None, family: Family, *, name: str, context: int) -> None:
        self._processor = processor
        self._family = family
        self._name = name
        self._context = context
        self._lock = Lock()  # The tokenizer inside refuses two callers at once.
        self._kinds = {
            kind
            for kind, reads in (
                ("image", getattr(processor, "image_processor", None)),
                ("audio", getattr(processor, "_audio_processor", None)),
                ("video", getattr(processor, "video_processor", None)),
            )
            if reads is not None and getattr(processor, _PLACEHOLDERS[kind], None)
        }

    @property
    def sound_ids(self) -> frozenset[int]:
        """Ids of the positions that sound fills."""
        ids = [] if self._processor is None else self._processor.audio_token_ids
        return frozenset(token for token in ids if token is not None)

    @property
    def positions_of(self) -> frozenset[int]:
        """Ids of the positions that media fill."""
        if self._processor is None:
            return frozenset()
        names = ("image_token_ids", "video_token_ids", "audio_token_ids")
        ids = [token for name in names for token in getattr(self._processor, name)]
        return frozenset(token for token in ids if token is not None)

    def decode(self, parts: Sequence[MediaPart], *, limits: Limits) -> list[Decoded]:
        """Decode the parts of one prompt, in order.

        Raises:
            InputError: a file cannot be used, or is of a kind that this model does not take.
            LimitError: it is beyond ``limits``, or longer than the model hears.
        """
        for part in parts:
            self._require_kind(part)
        self._require_apart(parts)
        decoded = [self._decode(part, limits) for part in parts]
        alone = sum(isinstance(one, Film) for one in decoded) == 1
        if self._family.hears_films and alone:
            return decoded
        return [_silenced(one, self._family.hears_films) for one in decoded]

    def process(
        self, markup: str, parts: Sequence[tuple[int, MediaPart]], decoded: Sequence[Decoded]
    ) -> Processed:
        """Run the processor over a prompt.

        Args:
            markup: of the whole prompt, with the placeholders of its media.
            parts: ``(index, part)`` of the media parts, in order.
            decoded: the same, decoded.

        Raises:
            ModelError: the template lost a part, or the processor does not report replacements.
        """
        if self._processor is None:
            return Processed((), {})
        with self._lock:
            processed = dict(
                self._processor(
                    text=[markup],
                    return_tensors="pt",
                    return_text_replacement_offsets=True,
                    **processor_arguments(decoded),
                )
            )
        reported = processed.get("text_replacement_offsets") or [[]]
        replacements = _assigned(reported[0], parts)
        tensors = {name: v for name, v in processed.items() if name not in _NOT_INPUTS}
        return Processed(replacements, self._timed(tensors, decoded))

    def token_types(self, ids: np.ndarray, tensors: dict[str, Any]) -> dict[str, torch.Tensor]:
        """The processor's modality of every position, ``(1, n)``, for models that take it."""
        taken = [name for name in ("mm_token_type_ids", "token_type_ids") if name in tensors]
        if not taken:
            return {}
        types = torch.tensor(self._processor.create_mm_token_type_ids([ids.tolist()]))
        return dict.fromkeys(taken, types)

    def _require_kind(self, part: MediaPart) -> None:
        if part.kind in self._kinds:
            return
        takes = ", ".join(["text", *(_NAMES[k] for k in _NAMES if k in self._kinds)])
        raise InputError(
            f"{part.name!r} cannot be given to {self._name}, which takes {takes} and no "
            f"{_NAMES[part.kind]}. Remove it, or choose a model that takes it, such as 'embedded' "
            "or Qwen/Qwen2.5-Omni-7B."
        )

    def _require_apart(self, parts: Sequence[MediaPart]) -> None:
        """Some processors give pictures and films the same tensors: one would replace the other."""
        kinds = {part.kind for part in parts}
        if not {"image", "video"} <= kinds:
            return
        picture, film = self._processor.image_processor, self._processor.video_processor
        if set(picture.model_input_names) & set(film.model_input_names):
            raise InputError(
                f"{self._name} takes pictures or films in one prompt, not both. Remove the "
                "pictures or the films."
            )

    def _decode(self, part: MediaPart, limits: Limits) -> Decoded:
        film = getattr(self._processor, "video_processor", None)
        rate = getattr(getattr(self._processor, "_audio_processor", None), "sampling_rate", RATE)
        most = getattr(film, "max_frames", None) or getattr(film, "num_frames", None)
        fps = getattr(film, "fps", None) or FPS
        decoded = load_part(
            part, limits=limits, rate=rate, fps=fps, max_frames=min(most or self._context, 768)
        )
        if isinstance(decoded, Sound):
            self._require_heard(part, decoded)
        return decoded

    def _require_heard(self, part: MediaPart, sound: Sound) -> None:
        seconds, heard = len(sound.samples) / sound.rate, self._family.heard_seconds
        if heard is not None and seconds > heard:
            # Upwards, so that it reads as beyond what is heard.
            raise LimitError(
                f"{part.name!r} lasts {ceil(seconds * 10) / 10:,.1f} s; {self._name} hears at most "
                f"{heard:g} s of one recording. Cut it shorter, or give it as several parts."
            )

    def _timed(self, tensors: dict[str, Any], decoded: Sequence[Decoded]) -> dict[str, Any]:
        """Where the processor assumed one rate for all films, each film's own."""
        if "video_second_per_grid" in tensors:
            per_step = self._processor.video_processor.temporal_patch_size
            films = [one for one in decoded if isinstance(one, Film)]
            tensors["video_second_per_grid"] = torch.tensor([per_step / one.fps for one in films])
            # Else the model would take the two streams of a heard film for texts.
            tensors["use_audio_in_video"] = any(sound_of(film) is not None for film in films)
        return tensors


def processor_arguments(decoded: Sequence[Decoded]) -> dict[str, Any]:
    """Decoded media as processors take them: kind by kind, frames as sampled, with their times.

    Sound goes in prompt order, that of a film among the recordings: so the model will meet it.
    """
    films = [one for one in decoded if isinstance(one, Film)]
    pictures = [one.pixels for one in decoded if isinstance(one, Picture)]
    sounds = [sound for one in decoded if (sound := sound_of(one)) is not None]
    arguments: dict[str, Any] = {"images": pictures} if pictures else {}
    if sounds:
        arguments["audio"] = [one.samples for one in sounds]
    if films:
        arguments["videos"] = [film.frames for film in films]
        arguments["videos_kwargs"] = {
            "do_sample_frames": False,
            "video_metadata": [_metadata(film) for film in films],
        }
    if any(sound_of(film) is not None for film in films):
        heard = [one for one in decoded if sound_of(one) is not None]
        arguments["audio_from_video_indices"] = [
            films.index(one) if isinstance(one, Film) else None for one in heard
        ]
        arguments["load_audio_from_video"] = True
        arguments["videos_kwargs"]["fps"] = films[0].fps
    return arguments


def sound_of(one: Decoded) -> Sound | None:
    """The recording, or the film's sound where it has any that can be heard."""
    if isinstance(one, Film) and one.sound is not None:
        long_enough = len(one.sound) >= SHORTEST_SOUND * one.rate
        return Sound(one.sound, one.rate, one.info) if long_enough else None
    return one if isinstance(one, Sound) else None


def _silenced(one: Decoded, hears_films: bool) -> Decoded:
    if not isinstance(one, Film) or one.sound is None:
        return one
    note = UNHEARD_OF_SEVERAL if hears_films else UNHEARD
    return replace(one, sound=None, info=replace(one.info, notes=(*one.info.notes, note)))


def _metadata(film: Film) -> VideoMetadata:
    return VideoMetadata(
        total_num_frames=round(film.end * TICKS),
        fps=TICKS,
        duration=film.end,
        frames_indices=[round(time * TICKS) for time in film.times],
    )


def _assigned(
    reported: Sequence[dict[str, Any]], parts: Sequence[tuple[int, MediaPart]]
) -> tuple[Replacement, ...]:
    """Which part each replacement stands for: they come in order, kind by kind."""
    waiting = {kind: [i for i, part in parts if part.kind == kind] for kind in _NAMES}
    found = []
    for one in reported:
        if waiting[one["type"]]:
            part = waiting[one["type"]].pop(0)
            found.append(Replacement(part, *one["span"], one["replacement"]))
    if len(found) != len(parts) or len(reported) != len(parts):
        raise ModelError(
            f"The prompt has {len(parts)} media parts, and the model's processor reports "
            f"{len(reported)}: they cannot be followed. Choose another model."
        )
    return tuple(found)
