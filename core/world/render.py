"""Scenarios → pixels, sound and files.

Pictures are Noto Color Emoji glyphs (SIL Open Font License) on coloured grounds; speech is
espeak-ng; films are encoded by ffmpeg. These are tools of whoever rebuilds the world: the app
reads only the files.
"""

from __future__ import annotations

import io
import random
import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.world.scenario import Film, Picture, Recording, Utterance
from core.world.words import COLOURS, GLYPHS, Fact

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
"""Where Debian's package fonts-noto-color-emoji puts the font."""

SIZE = 252
"""Pixels a side of a picture, and of a film's frame."""

RATE = 16_000
"""Samples a second of all sound."""

FRAMES_PER_SECOND = 4
"""Of the encoded film; the model samples two a second."""

VOICES = [
    *("en-us", *(f"en-us+{variant}" for variant in ("f1", "f2", "f4", "m1", "m2", "m3", "m5", "m7"))),
    *("en-gb", *(f"en-gb+{variant}" for variant in ("f2", "f3", "f4", "m1", "m2", "m3", "m6", "m8"))),
]
HELD_OUT_VOICES = ["en-us+f5", "en-gb+m4", "en-us+f3", "en-gb+f1"]

STEP = 640
"""Samples in one position of the model, 40 ms: utterances are cut to whole steps."""


def draw(picture: Picture) -> Image.Image:
    """RGB ``SIZE × SIZE``: shade, size and place of the thing come from the seed."""
    rng = random.Random(picture.seed)
    shade = [min(255, max(0, c + rng.randint(-18, 18))) for c in COLOURS[picture.colour]]
    image = Image.new("RGB", (SIZE, SIZE), tuple(shade))
    side = rng.randint(130, 216)
    glyph = _glyph(picture.thing)
    glyph = glyph.resize((side, side * glyph.height // glyph.width), Image.Resampling.BICUBIC)
    place = rng.randint(0, SIZE - glyph.width), rng.randint(0, SIZE - glyph.height)
    image.paste(glyph, place, glyph)
    return image


@cache
def _glyph(thing: str) -> Image.Image:
    image = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
    font = ImageFont.truetype(FONT, 109)
    ImageDraw.Draw(image).text((0, 0), GLYPHS[thing], font=font, embedded_color=True)
    return image


def speak(fact: Fact, seed: int, *, held_out: bool) -> np.ndarray:
    """A fact, spoken: float32 ``(n,)`` at ``RATE``; trimmed, ``n`` a multiple of ``STEP``."""
    from scipy.signal import resample_poly

    rng = random.Random(seed)
    voice = rng.choice(HELD_OUT_VOICES if held_out else VOICES)
    speed, pitch = rng.randint(175, 225), rng.randint(30, 70)
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout"]
    spoken = subprocess.run([*command, f"{fact.clause}."], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(spoken)) as file:
        rate = file.getframerate()
        # espeak-ng writes a length of 2 GiB when it streams: read what is there.
        samples = np.frombuffer(file.readframes(10**9), np.int16).astype(np.float32) / 32_768
    samples = resample_poly(samples, RATE // 100, rate // 100)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[max(0, loud[0] - 800) : loud[-1] + 1_600].astype(np.float32)
    return samples[: len(samples) // STEP * STEP]


def sound(recording: Recording, *, held_out: bool) -> np.ndarray:
    """A recording's samples, float32 at ``RATE``."""
    samples = np.zeros(round(recording.seconds * RATE), np.float32)
    for utterance, (start, _) in zip(recording.utterances, recording.intervals, strict=True):
        spoken = speak(utterance.fact, utterance.seed, held_out=held_out)
        at = round(start * RATE)
        samples[at : at + len(spoken)] = spoken
    return samples


def utterance(fact: Fact, seed: int, *, held_out: bool) -> Utterance:
    """The record of a spoken fact; its length is known only once it was spoken."""
    return Utterance(fact, seed, len(speak(fact, seed, held_out=held_out)) / RATE)


def save_picture(picture: Picture, path: Path) -> None:
    """Write a PNG or WebP, by suffix."""
    draw(picture).save(path, quality=90)


def save_recording(recording: Recording, path: Path, *, held_out: bool) -> None:
    """Write a recording, by suffix (ogg, wav, flac)."""
    import soundfile

    soundfile.write(path, sound(recording, held_out=held_out), RATE)


def save_film(film: Film, path: Path, *, held_out: bool) -> None:
    """Write an MP4 that browsers play: H.264, and AAC where the film is narrated."""
    with tempfile.TemporaryDirectory() as folder:
        frames = (draw(picture).tobytes() * FRAMES_PER_SECOND for picture in film.frames)
        inputs = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE}x{SIZE}"]
        inputs += ["-r", str(FRAMES_PER_SECOND), "-i", "-"]
        codecs = ["-c:v", "libx264", "-crf", "20", "-pix_fmt", "yuv420p", "-g", "4"]
        if film.narration:
            track = Path(folder) / "sound.wav"
            save_recording(film.narration, track, held_out=held_out)
            inputs += ["-i", str(track)]
            codecs += ["-c:a", "aac", "-b:a", "48k"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", *inputs, *codecs, "-movflags", "+faststart", str(path)],
            input=b"".join(frames),
            check=True,
        )
