"""Pictures, sound and films as services take them: bytes and their type.

Pictures go upright, at most ``LONGEST_SIDE`` on their longer side, to which services scale them
anyway; sound as 16-bit WAV at 16 kHz, which all take; films as they are.
"""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

import soundfile

from core.errors import InputError
from core.media import RATE, Limits, load_audio, load_image
from core.prompt import MediaPart

LONGEST_SIDE = 2048
"""Pixels."""

_QUALITY = 95
_FILM_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
}
_LIMITS = Limits()


class Encoded(NamedTuple):
    """A medium to send: its type (``image/jpeg``) and its bytes."""

    type: str
    data: bytes


def encoded(part: MediaPart) -> Encoded:
    """A media part, ready to be sent.

    Raises:
        InputError, LimitError: it is not there, damaged, or too large.
    """
    if part.kind == "image":
        return Encoded("image/jpeg", _jpeg(part))
    if part.kind == "audio":
        return Encoded("audio/wav", _wav(part))
    try:
        return Encoded(_FILM_TYPES.get(part.path.suffix, "video/mp4"), part.path.read_bytes())
    except OSError as error:
        raise InputError(f"{part.name!r} cannot be read: {error.strerror}.") from error


def _jpeg(part: MediaPart) -> bytes:
    pixels = load_image(part.path, part.name, limits=_LIMITS).pixels
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    file = BytesIO()
    pixels.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _wav(part: MediaPart) -> bytes:
    samples = load_audio(part.path, part.name, limits=_LIMITS).samples
    file = BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()
