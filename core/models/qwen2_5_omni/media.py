"""Media parts → tensors by the model's own processor, and what every position shows.

A part is processed by itself: films of different rates then keep their own times, and each answer
of the processor (its placeholders, interleaved for a film with sound) belongs to one part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from threading import Lock
from typing import Any

import numpy as np
import torch

from core.errors import LimitError
from core.media import Film, Limits, Picture, Sound, load_part
from core.models.geometry import (
    frame_seconds,
    most_frames,
    most_pixels,
    patch_boxes,
    sound_seconds,
)
from core.prompt import MediaPart, VideoPart
from core.timeline import LANES
from core.trace import MediaInfo

POSITIONS_PER_SECOND = 25
"""Of sound; also the unit of the model's time positions."""

FPS = 2.0
FILM_SHARE = 0.75
"""Of the context, for the pictures of all films together."""

SHORTEST_SOUND = 0.03
"""Seconds; a shorter sound track has no position."""

STEP_GRID = 1024
"""A temporal step's seconds are rounded to 1/1024, which float32 holds exactly: else the processor
(float64) and the model (float32) may cut the same film into different chunks."""

SILENT_AMONG_SOUNDING = (
    "The film has no sound; silence is given with it, because another film of the prompt has sound."
)


@dataclass(frozen=True, eq=False)
class Reading:
    """One media part as the model takes it.

    Attributes:
        ids: int64 ``(n,)``: what stands in the prompt for its placeholder.
        lane: int8 ``(n,)``: index into ``LANES``; −1 for structure (begin and end of a film's
            sound, silence that was added).
        seconds: float32 ``(n, 2)``, NaN where none.
        box: float32 ``(n, 4)``, NaN where none.
        tensors: what the encoders take.
        info: what the part was.
    """

    ids: np.ndarray
    lane: np.ndarray
    seconds: np.ndarray
    box: np.ndarray
    tensors: dict[str, torch.Tensor]
    info: MediaInfo

    def fill(self, token: int, lane: str, *, seconds: Any = None, box: Any = None) -> None:
        """Say what the positions that hold ``token`` show, in their order."""
        here = self.ids == token
        self.lane[here] = LANES.index(lane)
        if seconds is not None:
            self.seconds[here] = seconds
        if box is not None:
            self.box[here] = box


class MediaReader:
    """Reads the media parts of a prompt with one processor; threads may share it."""

    def __init__(self, processor: Any, *, context: int) -> None:
        self._processor = processor
        self._lock = Lock()  # The tokenizer inside refuses two callers at once.
        self._film_positions = int(context * FILM_SHARE)
        self._rate: int = processor.feature_extractor.sampling_rate
        self._heard_seconds: float = processor.feature_extractor.n_samples / self._rate
        video = processor.video_processor
        self._per_step: int = video.temporal_patch_size
        self._cell = (video.patch_size * video.merge_size) ** 2
        self._smallest, self._largest = _frame_pixels(processor)

    def read(self, parts: Sequence[MediaPart], *, limits: Limits) -> list[Reading]:
        """Decode and process the parts of one prompt, in order.

        Raises:
            InputError: a file cannot be used.
            LimitError: it is beyond ``limits``, or longer than the model hears.
        """
        films = sum(isinstance(part, VideoPart) for part in parts)
        share = self._film_positions // max(1, films)
        decoded = [self._decode(part, share, limits) for part in parts]
        sounding = any(isinstance(one, Film) and self._has_sound(one) for one in decoded)
        return [self._process(one, share, sounding) for one in decoded]

    def _decode(self, part: MediaPart, share: int, limits: Limits) -> Picture | Sound | Film:
        frames = most_frames(
            share, smallest=self._smallest, cell=self._cell, per_step=self._per_step
        )
        if isinstance(part, VideoPart):
            limits = replace(limits, frame_pixels=min(limits.frame_pixels, self._largest))
        decoded = load_part(part, limits=limits, rate=self._rate, fps=FPS, max_frames=frames)
        samples = decoded.samples if isinstance(decoded, Sound) else getattr(decoded, "sound", None)
        if samples is not None and len(samples) / self._rate > self._heard_seconds:
            # Upwards, so that it reads as beyond what is heard.
            seconds = ceil(len(samples) / self._rate * 10) / 10
            raise LimitError(
                f"The sound of {part.name!r} lasts {seconds:,.1f} s; this model "
                f"hears at most {self._heard_seconds:,.10g} s of one recording. Cut it shorter, "
                "or give it as several parts."
            )
        return decoded

    def _process(self, decoded: Picture | Sound | Film, share: int, sounding: bool) -> Reading:
        if isinstance(decoded, Picture):
            return self._picture(decoded)
        if isinstance(decoded, Sound):
            return self._recording(decoded)
        return self._film(decoded, share, sounding)

    def _picture(self, picture: Picture) -> Reading:
        reading = self._run(picture.info, text=self._processor.image_token, images=[picture.pixels])
        rows, columns = self._grid(reading.tensors["image_grid_thw"])
        boxes = patch_boxes(rows, columns, picture.info.width, picture.info.height)
        reading.fill(self._processor.image_token_id, "image", box=boxes)
        return reading

    def _recording(self, sound: Sound) -> Reading:
        reading = self._run(sound.info, text=self._processor.audio_token, audio=[sound.samples])
        self._fill_sound(reading, "audio", len(sound.samples))
        return reading

    def _film(self, film: Film, share: int, sounding: bool) -> Reading:
        silent = sounding and not self._has_sound(film)
        info, sound = film.info, film.sound if self._has_sound(film) else None
        if silent:
            info = replace(info, notes=(*info.notes, SILENT_AMONG_SOUNDING))
            seconds = min(max(film.end, SHORTEST_SOUND), self._heard_seconds)
            sound = np.zeros(round(seconds * self._rate), np.float32)
        step = max(1, round(film.end * self._per_step / len(film.frames) * STEP_GRID)) / STEP_GRID
        pixels = most_pixels(
            share, frames=len(film.frames), smallest=self._smallest, largest=self._largest,
            cell=self._cell, per_step=self._per_step,
        )  # fmt: skip
        options: dict[str, Any] = {
            "fps": self._per_step / step,
            "do_sample_frames": False,
            "size": {"shortest_edge": min(self._smallest, pixels), "longest_edge": pixels},
            "cap_pixels_per_frame": False,
            "input_data_format": "channels_last",
        }
        track = {} if sound is None else {
            "audio": [sound], "audio_from_video_indices": [0], "load_audio_from_video": True,
        }  # fmt: skip
        reading = self._run(
            info,
            text=self._processor.video_token,
            videos=[film.frames],
            videos_kwargs=options,
            **track,
        )
        # The processor derives it from the rate; keep the value that float32 holds.
        reading.tensors["video_second_per_grid"] = torch.tensor([step])
        self._fill_frames(reading, film)
        if sound is not None and not silent:
            self._fill_sound(reading, "video_sound", len(sound))
        return reading

    def _fill_frames(self, reading: Reading, film: Film) -> None:
        rows, columns = self._grid(reading.tensors["video_grid_thw"])
        boxes = patch_boxes(rows, columns, film.info.width, film.info.height)
        seconds = frame_seconds(film.times, film.end, per_step=self._per_step)
        reading.fill(
            self._processor.video_token_id,
            "video_frames",
            seconds=np.repeat(seconds, len(boxes), axis=0),
            box=np.tile(boxes, (len(seconds), 1)),
        )

    def _fill_sound(self, reading: Reading, lane: str, samples: int) -> None:
        token = self._processor.audio_token_id
        count = int((reading.ids == token).sum())
        seconds = sound_seconds(count, samples / self._rate, per_second=POSITIONS_PER_SECOND)
        reading.fill(token, lane, seconds=seconds)

    def _has_sound(self, film: Film) -> bool:
        return film.sound is not None and len(film.sound) >= SHORTEST_SOUND * self._rate

    def _grid(self, thw: torch.Tensor) -> tuple[int, int]:
        """Rows and columns of positions from patches ``(1, 3)``."""
        merge = self._processor.image_processor.merge_size
        return int(thw[0, 1]) // merge, int(thw[0, 2]) // merge

    def _run(self, info: MediaInfo, *, text: str, **media: Any) -> Reading:
        with self._lock:
            processed = dict(self._processor(text=[text], return_tensors="pt", **media))
        ids = processed.pop("input_ids")[0].numpy()
        processed.pop("attention_mask")
        if "input_features" in processed:
            # Padded to the model's cap, five minutes: keep what is heard.
            heard = int(processed["feature_attention_mask"].sum())
            for name in ("input_features", "feature_attention_mask"):
                processed[name] = processed[name][..., :heard]
        n = len(ids)
        return Reading(
            ids=ids,
            lane=np.full(n, -1, np.int8),
            seconds=np.full((n, 2), np.nan, np.float32),
            box=np.full((n, 4), np.nan, np.float32),
            tensors=processed,
            info=info,
        )


def _frame_pixels(processor: Any) -> tuple[int, int]:
    """Least and most pixels of a frame.

    The processor class overrides its video processor's size by one of its own (the published
    budget), even where the checkpoint's is smaller: take what lies in both.
    """
    own = processor.video_processor.size
    published = type(processor).videos_kwargs["size"]
    if own["longest_edge"] < published["shortest_edge"]:
        return own["shortest_edge"], own["longest_edge"]
    return published["shortest_edge"], min(own["longest_edge"], published["longest_edge"])
