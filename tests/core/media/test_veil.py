"""What a veil hides is hidden, and nothing else changes."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from core.media import Limits, load_part
from core.prompt import AudioPart, ImagePart, Veil, VideoPart

FILM = Path(__file__).parents[2] / "data" / "media" / "colours.mp4"
LIMITS = Limits()


def test_a_picture_is_grey_or_blurred_and_keeps_its_size(tmp_path: Path):
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")

    def seen(how: str) -> np.ndarray:
        part = ImagePart(tmp_path / "a.png", "a.png", (Veil("image", how),))
        return np.asarray(load_part(part, limits=LIMITS).pixels).astype(int)

    assert (seen("blank") == 127).all() and seen("blank").shape == pixels.shape
    # The sharp edge is gone, light and dark are where they were.
    row = seen("blur")[20, :, 0]
    assert np.abs(np.diff(row)).max() < 30
    assert row[0] < 60 < 190 < row[-1]


def test_a_recording_is_silent_in_its_hidden_seconds_alone(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.full(32_000, 0.5), 16_000)
    part = AudioPart(tmp_path / "a.wav", "a.wav", (Veil("audio", "blank", 0.5, 1.25),))
    samples = load_part(part, limits=LIMITS).samples
    silent = np.flatnonzero(samples == 0)
    assert len(samples) == 32_000
    assert (silent[0], silent[-1]) == (8_000, 19_999) and len(silent) == 12_000


def test_of_a_film_frames_and_sound_are_hidden_apart():
    whole = load_part(VideoPart(FILM, "c.mp4"), limits=LIMITS)
    assert whole.sound is not None and whole.sound.any()
    start, end = whole.times[2], whole.times[-1]
    veil = Veil("video_frames", "blank", float(start), float(end))
    seen = load_part(VideoPart(FILM, "c.mp4", (veil,)), limits=LIMITS)
    grey = [bool((frame == 127).all()) for frame in seen.frames]
    assert grey == [False, False] + [True] * (len(grey) - 3) + [False]
    assert (seen.frames[-1] == whole.frames[-1]).all() and (seen.sound == whole.sound).all()
    mute = load_part(VideoPart(FILM, "c.mp4", (Veil("video_sound", "blur"),)), limits=LIMITS)
    assert not mute.sound.any() and (mute.frames == whole.frames).all()
