"""Media → the text that holds their positions, and what every position shows.

- A picture: one overview, then the slices of a grid, row by row, a line break between rows. Each
  has 64 queries of a resampler, which have no raster: a position stands for its whole slice.
- Sound: 10 positions a second, ``⌊⌈⌈S / 160⌉ / 2⌉ / 5⌋`` for S samples. The model's processor would
  merge the recordings of a message and cut the whole at 30 s, so that placeholders and features
  part ways; here every recording is cut into pieces of at most 30 s beforehand, each with
  placeholders of its own, and nothing is merged.
- A film: frame by frame, at most 64 of them, each followed by the sound until the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from core.media import Film, Picture, Sound
from core.models.geometry import frame_seconds, patch_boxes, sound_seconds

PER_SECOND = 10
"""Positions of sound."""

PIECE_SECONDS = 30.0
FRAMES = 64
FPS = 1.0
FRAME_SLICES = 1

SHORTEST_PIECE = 0.09
"""Seconds; a shorter rest of a recording has no position."""

HELD = "<unk>"
"""The token that stands where an encoder's output goes."""

_RUNS = re.compile(f"(?:{re.escape(HELD)})+")


@dataclass(frozen=True, eq=False)
class Run:
    """A run of positions that one slice, frame or piece of sound fills.

    Attributes:
        lane: name in ``LANES``.
        seconds: float32 ``(n, 2)`` or ``(1, 2)`` for all alike; ``None``: none.
        box: float32 ``(4,)``; ``None``: none.
    """

    lane: str
    seconds: np.ndarray | None = None
    box: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Expansion:
    """One media part as it stands in the prompt.

    Attributes:
        text: markup; each run of ``HELD`` in it belongs to one of ``runs``, in order.
        runs: what fills it.
        images: pictures for the encoder, as ``(picture, most slices)``, in order.
        sounds: pieces of sound for the encoder, float32 at 16 kHz, in order.
    """

    text: str
    runs: tuple[Run, ...]
    images: tuple[tuple[Image.Image, int], ...] = ()
    sounds: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        held = len(_RUNS.findall(self.text))
        if held != len(self.runs):
            raise ValueError(f"{held} runs of positions for {len(self.runs)} pieces of media")


def expand(decoded: Picture | Sound | Film, processor: Any, *, image_number: int) -> Expansion:
    """Lay out one media part; ``image_number`` counts the prompt's pictures before it."""
    if isinstance(decoded, Picture):
        return _picture(decoded, processor.image_processor, image_number)
    if isinstance(decoded, Sound):
        pieces = tuple(cut(decoded.samples, decoded.rate))
        return _sound(pieces, decoded.rate, processor, "audio")
    return _film(decoded, processor)


def cut(samples: np.ndarray, rate: int, start: float = 0.0) -> Iterator[tuple[float, np.ndarray]]:
    """Pieces of at most 30 s, as ``(second of its begin, samples)``; a rest too short is left out.

    Args:
        samples: float32 ``(n,)``.
        rate: samples a second.
        start: second at which they begin.
    """
    length = round(PIECE_SECONDS * rate)
    for begin in range(0, len(samples), length):
        piece = samples[begin : begin + length]
        if len(piece) >= SHORTEST_PIECE * rate:
            yield start + begin / rate, piece


def positions_of_sound(samples: int, hop: int = 160, pool: int = 5) -> int:
    """``⌊⌈⌈S / hop⌉ / 2⌉ / pool⌋``."""
    frames = -(-samples // hop)
    return -(-frames // 2) // pool


def slice_boxes(grid: tuple[int, int] | None, width: int, height: int) -> list[np.ndarray]:
    """Boxes of overview and slices, in original pixels; ``grid`` is columns and rows."""
    boxes = [np.float32([0, 0, width, height])]
    if grid is not None:
        boxes += list(patch_boxes(grid[1], grid[0], width, height))
    return boxes


def _picture(picture: Picture, settings: Any, number: int) -> Expansion:
    size, most = picture.pixels.size, settings.max_slice_nums
    boxes = slice_boxes(settings.get_sliced_grid(size, most), *size)
    text = settings.get_slice_image_placeholder(size, number, most, settings.use_image_id)
    return Expansion(
        text, tuple(Run("image", box=box) for box in boxes), images=((picture.pixels, most),)
    )


def _sound(
    pieces: tuple[tuple[float, np.ndarray], ...], rate: int, processor: Any, lane: str
) -> Expansion:
    text, runs = "", []
    for begin, samples in pieces:
        text += processor.get_audio_placeholder(len(samples), chunk_input=False)
        count = positions_of_sound(len(samples))
        seconds = sound_seconds(count, len(samples) / rate, per_second=PER_SECOND)
        runs.append(Run(lane, seconds=seconds + np.float32(begin)))
    return Expansion(text, tuple(runs), sounds=tuple(samples for _, samples in pieces))


def _film(film: Film, processor: Any) -> Expansion:
    settings = processor.image_processor
    seconds = frame_seconds(film.times, film.end, per_step=1)
    box = np.float32([0, 0, film.info.width, film.info.height])
    whole: list[Expansion] = []
    for number, (frame, shown) in enumerate(zip(film.frames, seconds, strict=True)):
        picture = Image.fromarray(frame)
        text = settings.get_slice_image_placeholder(picture.size, 0, FRAME_SLICES, False)
        run = Run("video_frames", seconds=shown[None], box=box)
        whole.append(Expansion(text, (run,), images=((picture, FRAME_SLICES),)))
        if film.sound is not None:
            last = number == len(seconds) - 1
            begin, end = shown[0], None if last else round(float(shown[1]) * film.rate)
            heard = film.sound[round(float(begin) * film.rate) : end]
            pieces = tuple(cut(heard, film.rate, float(begin)))
            whole.append(_sound(pieces, film.rate, processor, "video_sound"))
    return Expansion(
        "".join(one.text for one in whole),
        tuple(run for one in whole for run in one.runs),
        tuple(image for one in whole for image in one.images),
        tuple(sound for one in whole for sound in one.sounds),
    )
