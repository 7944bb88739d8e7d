"""How much of what a visitor may give: every bound is a setting, none of them cuts silently."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InputError, LimitError
from core.prompt import Prompt, TextPart
from core.trace import MediaInfo


@dataclass(frozen=True)
class Limits:
    """Upper bounds on a prompt and its media. Beyond one, ``LimitError``; only frames are thinned.

    Attributes:
        parts: parts of one prompt.
        text_chars: characters of the instruction, and of each text part.
        file_bytes: bytes of one file.
        image_pixels: width x height of a picture or of a film's frame, known before decoding.
        image_side: pixels of the longer side of a picture or frame.
        image_aspect: longer side over shorter side; vision encoders refuse more.
        audio_seconds, video_seconds: length of one recording, one film.
        audio_samples: samples of one recording at its own rate, all in memory before resampling.
        video_frames: frames taken from one film; longer films are sampled at a lower rate, and
            the film's notes say so.
        frame_pixels: pixels of a frame as kept; larger frames are scaled down while decoding, and
            the film's notes say so.
        decode_seconds: wall-clock time for one film or compressed recording, against files that
            would hang the decoder.
        prompt_pixels: pixels of all pictures of a prompt and of all frames taken from its films.
        prompt_seconds: length of all its recordings and films.
    """

    parts: int = 64
    text_chars: int = 200_000
    file_bytes: int = 500_000_000
    image_pixels: int = 50_000_000
    image_side: int = 16_384
    image_aspect: float = 200.0
    audio_seconds: float = 1800.0
    audio_samples: int = 200_000_000
    video_seconds: float = 3600.0
    video_frames: int = 768
    frame_pixels: int = 1280 * 28 * 28
    decode_seconds: float = 180.0
    prompt_pixels: int = 1_000_000_000
    prompt_seconds: float = 7200.0

    def require(self, setting: str, value: float, *, subject: str, unit: str, remedy: str) -> None:
        """Raise ``LimitError`` if ``value`` is beyond the bound that ``setting`` names.

        The message reads ``SUBJECT VALUE UNIT; the limit is … UNIT. REMEDY, or raise `setting`.``
        """
        limit = getattr(self, setting)
        if value > limit:
            shown = math.ceil(value * 10) / 10  # Upwards, so that it reads as beyond the limit.
            raise LimitError(
                f"{subject} {shown:,.10g} {unit}; the limit is {limit:,.10g} {unit}. "
                f"{remedy}, or raise the setting `{setting}`."
            )

    def require_size(self, name: str, width: int, height: int) -> None:
        """Check the size of a picture or frame, in pixels.

        Raises:
            LimitError: it has too many pixels, too long a side, or is too narrow for its length.
        """
        shown = f"{name!r} is {width}×{height} pixels:"
        remedy = "Scale it down"
        self.require("image_pixels", width * height, subject=shown, unit="pixels", remedy=remedy)
        self.require(
            "image_side", max(width, height), subject=f"{shown} a side of", unit="pixels",
            remedy=remedy,
        )  # fmt: skip
        self.require(
            "image_aspect", max(width, height) / max(1, min(width, height)),
            subject=f"{shown} its longer side is", unit="times the shorter", remedy="Crop it",
        )  # fmt: skip

    def require_seconds(self, setting: str, name: str, seconds: float) -> None:
        """Raise ``LimitError`` if a recording or film lasts longer than ``setting`` allows."""
        self.require(setting, seconds, subject=f"{name!r} lasts", unit="s", remedy="Cut it shorter")


def check_prompt(prompt: Prompt, limits: Limits) -> None:
    """Check what needs no decoding: that something was given, the count of parts, the texts.

    Raises:
        InputError: there is neither an instruction nor a part.
        LimitError: too many parts, or too long a text.
    """
    if not prompt.instruction.strip() and not prompt.parts:
        raise InputError("Nothing was given. Write an instruction or add a part.")
    limits.require(
        "parts", len(prompt.parts), subject="The prompt has", unit="parts", remedy="Remove some"
    )
    texts = {"The instruction": prompt.instruction} | {
        f"The text of part {i + 1}": part.text
        for i, part in enumerate(prompt.parts)
        if isinstance(part, TextPart)
    }
    for subject, text in texts.items():
        limits.require(
            "text_chars", len(text), subject=f"{subject} has", unit="characters",
            remedy="Shorten it",
        )  # fmt: skip


def check_together(media: Iterable[MediaInfo], limits: Limits, *, fps: float) -> None:
    """Check what all media of a prompt come to; each by itself has been found usable.

    Args:
        media: of every media part.
        limits: the bounds.
        fps: frames a second that are taken from films.

    Raises:
        LimitError: together they are too much.
    """
    held = list(media)
    limits.require(
        "prompt_pixels", sum(_pixels(info, limits, fps) for info in held),
        subject="Pictures and films come to", unit="pixels",
        remedy="Use fewer or smaller pictures, and shorter films",
    )  # fmt: skip
    limits.require(
        "prompt_seconds", sum(info.duration or 0.0 for info in held),
        subject="Recordings and films last", unit="s together",
        remedy="Cut them shorter, or use fewer",
    )  # fmt: skip


def _pixels(info: MediaInfo, limits: Limits, fps: float) -> float:
    """Of a picture, or of the frames that are taken from a film."""
    size = (info.width or 0) * (info.height or 0)
    if info.duration is None:
        return size
    return min(info.duration * fps, limits.video_frames) * min(size, limits.frame_pixels)
