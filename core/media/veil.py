"""Hiding a stretch of what was decoded: pictures blurred or grey, sound silent.

Nothing is written to disk and nothing changes its size, rate or length, so a model lays a veiled
part out as it does the part itself. Needed to ask what an answer owes to a source
(``core.evaluation.hiding``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from PIL import Image, ImageFilter

from core.media.audio import Sound
from core.media.image import Picture
from core.media.video import Film
from core.prompt import Veil

Decoded = TypeVar("Decoded", Picture, Sound, Film)

GREY = 127
"""Of a blank picture: says nothing, and is neither dark nor bright."""

BLUR = 1 / 8
"""Radius of the blur, as a part of the longer side: colours stay, nothing can be recognised."""


def veiled(decoded: Decoded, veils: Sequence[Veil]) -> Decoded:
    """The same media with what the veils name hidden; the same object if there are none."""
    for veil in veils:
        decoded = _veil(decoded, veil)
    return decoded


def _veil(decoded: Decoded, veil: Veil) -> Decoded:
    if isinstance(decoded, Picture):
        return replace(decoded, pixels=_hidden(decoded.pixels, veil.how))
    if isinstance(decoded, Sound):
        return replace(decoded, samples=_silent(decoded.samples, decoded.rate, veil))
    if veil.stream == "video_frames":
        return replace(decoded, frames=_hidden_frames(decoded, veil))
    if decoded.sound is None:
        return decoded
    return replace(decoded, sound=_silent(decoded.sound, decoded.rate, veil))


def _hidden(picture: Image.Image, how: str) -> Image.Image:
    if how == "blank":
        return Image.new("RGB", picture.size, (GREY, GREY, GREY))
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) * BLUR))


def _hidden_frames(film: Film, veil: Veil) -> np.ndarray:
    """Frames on show within the stretch; a frame belongs to the moment at which it comes on."""
    start, end = _stretch(veil)
    frames = film.frames.copy()
    for at in np.flatnonzero((film.times >= start - _TICK) & (film.times < end - _TICK)):
        frames[at] = np.asarray(_hidden(Image.fromarray(frames[at]), veil.how))
    return frames


def _silent(samples: np.ndarray, rate: int, veil: Veil) -> np.ndarray:
    start, end = _stretch(veil)
    quiet = samples.copy()
    quiet[round(start * rate) : None if end == np.inf else round(end * rate)] = 0
    return quiet


_TICK = 1e-3
"""Seconds: times in a timeline are rounded more coarsely than those of frames."""


def _stretch(veil: Veil) -> tuple[float, float]:
    return veil.start or 0.0, np.inf if veil.end is None else veil.end
