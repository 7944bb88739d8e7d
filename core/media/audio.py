"""Recordings: any common file → mono float32 at the model's rate, and its waveform for drawing.

``librosa`` over libsndfile reads WAV, FLAC, Ogg and MP3; what libsndfile cannot (M4A, AAC, sound in
WebM) decord reads, in its own process. No program such as ffmpeg is needed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from core import cancel
from core.errors import InputError
from core.media.container import open_checked
from core.media.decoder import decode_sound
from core.media.limits import Limits
from core.media.mp4 import playing_seconds
from core.media.speech import speech_between_pauses
from core.trace import MediaInfo

RATE = 16_000
PEAKS = 500
SHORTEST = 0.04
"""Seconds; less holds nothing to hear, and not one position of an audio encoder."""

PADDING = 0.1
"""Seconds; a codec's last frame may go on so long after the end of what it holds."""

CUT_SHORT = 0.01
"""Share of what a file announces; from there on, what is missing is told."""

LOUDEST = 1e6
"""Full scale is 1; beyond this a sample is taken for damage, as filters would overflow on it."""

_BLOCK = 1 << 18
"""Samples of all channels together that are read at once."""

_RATES = range(1_000, 768_001)


@dataclass(frozen=True, eq=False)
class Sound:
    """A decoded recording: ``samples`` float32 ``(n,)``, mono, at ``rate`` samples a second."""

    samples: np.ndarray
    rate: int
    info: MediaInfo


def load_audio(path: Path, name: str, *, limits: Limits, rate: int = RATE) -> Sound:
    """Decode a recording whole: channels averaged, resampled to ``rate``.

    Raises:
        InputError: not a recording, damaged, empty, or at a nonsensical sample rate.
        LimitError: beyond ``limits``; the length is checked before decoding where the file says it.
    """
    open_checked(path, name, "audio", limits)
    with path.open("rb") as raw:
        try:
            # By number, not by name: soundfile would believe the name's suffix.
            file = soundfile.SoundFile(raw.fileno(), closefd=False)
        except soundfile.LibsndfileError:
            samples, notes = _by_decord(path, name, rate, limits)
        else:
            with file:
                samples, notes = _by_librosa(file, path, name, rate, limits)
    duration = len(samples) / rate
    if duration < SHORTEST:
        raise InputError(
            f"{name!r} lasts {duration:.3f} s; at least {SHORTEST} s are needed. "
            "Choose a longer recording."
        )
    if not samples.any():
        notes = (*notes, "The recording is silent.")
    info = MediaInfo(
        duration=duration,
        peaks=peaks(samples),
        has_sound=True,
        speech=speech_between_pauses(samples, rate),
        notes=notes,
    )
    return Sound(samples, rate, info)


def peaks(samples: np.ndarray, count: int = PEAKS) -> tuple[float, ...]:
    """The loudest moment of each of ``count`` equal stretches, the loudest of all being 1."""
    if not len(samples):
        return ()
    edges = np.arange(min(count, len(samples))) * len(samples) // min(count, len(samples))
    loudest = np.maximum.reduceat(np.abs(samples), edges)
    top = loudest.max()
    return tuple(np.round(loudest / top, 3).tolist()) if top > 0 else (0.0,) * len(edges)


def finite(samples: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Samples with what is no number, or absurdly large, made silence; a note if there was any."""
    sound = np.abs(samples) <= LOUDEST
    broken = int(np.count_nonzero(~sound))
    if not broken:
        return samples, ()
    return np.where(sound, samples, np.float32(0)), (
        f"{broken:,} samples are not numbers that can be played, and are taken as silence.",
    )


def without_padding(samples: np.ndarray, rate: int, end: float) -> np.ndarray:
    """Samples up to second ``end``, if what goes beyond is a codec's padding and no more."""
    count = round(end * rate)
    return samples[:count] if 0 < len(samples) - count < PADDING * rate else samples


def missing_note(present: float, announced: float) -> tuple[str, ...]:
    """A note if a file holds less than it announces, whatever the unit."""
    missing = 1 - present / announced if announced > 0 else 0.0
    if missing < CUT_SHORT:
        return ()
    return (f"The file is cut short: {missing:.0%} of what it announces is missing.",)


def _by_librosa(
    file: soundfile.SoundFile, path: Path, name: str, rate: int, limits: Limits
) -> tuple[np.ndarray, tuple[str, ...]]:
    import librosa

    if file.samplerate not in _RATES:
        raise InputError(
            f"{name!r} has a rate of {file.samplerate:,} samples a second; "
            f"{_RATES.start:,} to {_RATES.stop - 1:,} can be used. Save it anew at 16,000."
        )
    try:
        samples = _read_mono(file, name, limits)
    except soundfile.LibsndfileError as error:
        raise InputError(
            f"{name!r} cannot be decoded: damaged or cut short. Save it anew as WAV."
        ) from error
    notes = missing_note(*_riff_bytes(path))
    samples, broken = finite(samples)
    if len(samples):
        samples = librosa.resample(samples, orig_sr=file.samplerate, target_sr=rate)
    return np.ascontiguousarray(samples, np.float32), (*notes, *broken)


def _riff_bytes(path: Path) -> tuple[int, int]:
    """Bytes a WAV has and announces; libsndfile silently reads a truncated one as far as it goes.

    Recorders that write to a pipe announce about 2 or 4 GB: they do not know.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        mark, announced = struct.unpack("<4sI", file.read(8))
    known = mark == b"RIFF" and announced < 0x7FFF0000
    return size, announced + 8 if known else size


def _read_mono(file: soundfile.SoundFile, name: str, limits: Limits) -> np.ndarray:
    """All samples, channels averaged; no more is ever in memory than the limit and a block."""
    blocks: list[np.ndarray] = []
    read = 0
    # `file.frames` is an estimate for MP3, and `file.blocks` fills up to it with garbage.
    count = max(1, _BLOCK // file.channels)
    while len(block := file.read(count, dtype="float32", always_2d=True)):
        cancel.check()
        blocks.append(block.mean(axis=1))
        read += len(block)
        if read / file.samplerate > limits.audio_seconds:
            limits.require_seconds("audio_seconds", name, max(read, file.frames) / file.samplerate)
        limits.require(
            "audio_samples", read, subject=f"{name!r} has at least", unit="samples",
            remedy="Save it anew at 16,000 samples a second",
        )  # fmt: skip
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _by_decord(
    path: Path, name: str, rate: int, limits: Limits
) -> tuple[np.ndarray, tuple[str, ...]]:
    announced = playing_seconds(path)
    if announced is not None:
        limits.require_seconds("audio_seconds", name, announced)
    samples = decode_sound(path, name, rate=rate, limits=limits)
    if announced is not None:
        samples = without_padding(samples, rate, announced)
    limits.require_seconds("audio_seconds", name, len(samples) / rate)
    notes = () if announced is None else missing_note(len(samples) / rate, announced)
    samples, broken = finite(samples)
    return samples, (*notes, *broken)
