"""Media: decode, check, limit (DESIGN "Flow": upload → media checks it → Prompt).

One file a medium; ``limits`` bounds them all; ``container`` tells what a file is; ``decoder``
guards the film decoder. Nothing here knows a model.
"""

from __future__ import annotations

from pathlib import Path

from core import cancel
from core.media.audio import RATE, Sound, load_audio
from core.media.image import Picture, load_image
from core.media.limits import Limits, check_prompt, check_together
from core.media.veil import veiled
from core.media.video import FPS, Film, load_video
from core.prompt import AudioPart, ImagePart, MediaPart, media_part
from core.trace import MediaInfo

__all__ = [
    "FPS",
    "RATE",
    "Film",
    "Limits",
    "Picture",
    "Sound",
    "check",
    "check_prompt",
    "check_together",
    "load_audio",
    "load_image",
    "load_part",
    "load_video",
]


def load_part(
    part: MediaPart,
    *,
    limits: Limits,
    rate: int = RATE,
    fps: float = FPS,
    max_frames: int | None = None,
) -> Picture | Sound | Film:
    """Decode a media part; ``rate`` is for sound, ``fps`` and ``max_frames`` are for films.

    What its veils hide is hidden.

    Raises:
        InputError: the file is missing, damaged or of another kind than the part.
        LimitError: it is beyond ``limits``.
    """
    cancel.check()
    if isinstance(part, ImagePart):
        return veiled(load_image(part.path, part.name, limits=limits), part.veils)
    if isinstance(part, AudioPart):
        return veiled(load_audio(part.path, part.name, limits=limits, rate=rate), part.veils)
    film = load_video(
        part.path, part.name, limits=limits, rate=rate, fps=fps, max_frames=max_frames
    )
    return veiled(film, part.veils)


def check(path: Path, name: str, limits: Limits) -> MediaInfo:
    """Say early what a file is, or why it cannot be used; the kind is told by ``name``'s suffix.

    Pictures and recordings are decoded whole; of a film two frames and the sound track, so a
    fault between may still come to light when it is traced.

    Raises:
        InputError, LimitError: as ``load_part``.
    """
    # So slow that it is two frames of any film, the fewest there can be.
    return load_part(media_part(path, name), limits=limits, fps=1 / limits.video_seconds).info
