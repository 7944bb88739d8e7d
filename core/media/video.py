"""Films: evenly spaced frames with their times, and the sound track beside them.

Frames are chosen as Qwen2-VL's processor does, so that it takes them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.media.audio import RATE, finite, peaks, without_padding
from core.media.container import open_checked
from core.media.decoder import Decoded, decode_film
from core.media.limits import Limits
from core.media.mp4 import playing_seconds
from core.media.shots import shot_starts
from core.media.speech import speech_between_pauses
from core.trace import MediaInfo

FPS = 2.0


@dataclass(frozen=True, eq=False)
class Film:
    """A decoded film.

    Attributes:
        frames: uint8 ``(n, height, width, 3)``, upright RGB; ``n`` is even. May be smaller than
            ``info.width`` × ``info.height``, the frame as stored.
        times: float64 ``(n,)``; second at which each frame comes on show, from the film's start.
        end: second at which the last picture of the film goes off show.
        sound: float32 ``(m,)``, mono at ``rate``, from second 0, whole; ``None`` without a track.
        info: ``duration`` is that of whichever ends later, pictures or sound.
    """

    frames: np.ndarray
    times: np.ndarray
    end: float
    sound: np.ndarray | None
    rate: int
    info: MediaInfo

    @property
    def fps(self) -> float:
        """Frames a second as sampled: what the processor must be told."""
        return len(self.times) / self.end


def load_video(
    path: Path,
    name: str,
    *,
    limits: Limits,
    fps: float = FPS,
    max_frames: int | None = None,
    rate: int = RATE,
) -> Film:
    """Decode a film: frames at ``fps`` a second, at most ``max_frames``, and its sound at ``rate``.

    An even number of frames, at least 2 (two make one temporal patch). ``max_frames`` is capped by
    ``limits.video_frames``; where that lowers the rate, the notes say so.

    Raises:
        InputError: not a film, damaged, or without pictures that can be read.
        LimitError: beyond ``limits``, found in the header, before frames are decoded.
    """
    if not fps > 0:
        raise InputError(f"{fps:g} frames a second cannot be sampled. Give a rate above 0.")
    open_checked(path, name, "video", limits)
    most = limits.video_frames if max_frames is None else min(max_frames, limits.video_frames)
    most = max(2, most // 2 * 2)
    decoded = decode_film(path, name, fps=fps, max_frames=most, rate=rate, limits=limits)
    facts = decoded.facts
    width, height, end = facts["width"], facts["height"], facts["end"]
    limits.require_size(name, width, height)
    limits.require_seconds("video_seconds", name, end)
    sound, sound_notes = _sound(decoded, rate, max(end, playing_seconds(path) or 0.0))
    duration = end if sound is None else max(end, len(sound) / rate)
    limits.require_seconds("video_seconds", name, duration)
    info = MediaInfo(
        width=width,
        height=height,
        duration=duration,
        fps=facts["fps"],
        peaks=() if sound is None else peaks(sound),
        has_sound=sound is not None,
        speech=() if sound is None else speech_between_pauses(sound, rate),
        shots=(0.0, *shot_starts(decoded.frames, facts["times"])),
        notes=(*_picture_notes(decoded, fps, most), *sound_notes),
    )
    return Film(decoded.frames, np.asarray(facts["times"], np.float64), end, sound, rate, info)


def _sound(
    decoded: Decoded, rate: int, film_end: float
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if decoded.facts["sound"] == "unreadable":
        return None, ("The film's sound track cannot be read and is left out.",)
    if decoded.sound is None or not len(decoded.sound):
        return None, ()
    sound, notes = finite(without_padding(decoded.sound, rate, film_end))
    return sound, notes if sound.any() else (*notes, "The film's sound track is silent.")


def _picture_notes(decoded: Decoded, fps: float, most: int) -> tuple[str, ...]:
    facts, frames = decoded.facts, decoded.frames
    notes = []
    if facts["end"] * fps >= most + 2 and facts["count"] > most:
        notes.append(
            f"{facts['end']:.1f} s at {fps:g} frames a second are more than the {most} frames "
            f"that can be taken: sampled at {len(frames) / facts['end']:.3g} frames a second."
        )
    if facts["count"] < 2:
        notes.append("The film is a single frame, shown twice to the model.")
    if frames.shape[1:3] != (facts["height"], facts["width"]):
        notes.append(
            f"Frames of {facts['width']}×{facts['height']} pixels are scaled to "
            f"{frames.shape[2]}×{frames.shape[1]}."
        )
    return tuple(notes)
