import numpy as np
import pytest
from PIL import Image

from core.errors import InputError, LimitError
from core.media import (
    Film,
    Limits,
    Picture,
    Sound,
    check,
    check_prompt,
    check_together,
    load_part,
)
from core.media.container import identify
from core.prompt import Prompt, VideoPart, media_part
from core.trace import MediaInfo


def test_each_part_gives_its_record(packaged, files):
    limits = Limits()
    for path, record in (
        (packaged / "images" / "lion.jpg", Picture),
        (packaged / "audio" / "cantina.wav", Sound),
        (files / "colours.mp4", Film),
    ):
        assert isinstance(load_part(media_part(path), limits=limits), record)


def test_options_reach_the_film(files):
    part = VideoPart(files / "colours.mp4", "c")
    film = load_part(part, limits=Limits(), fps=4, max_frames=8, rate=8000)
    assert len(film.frames) == 8 and film.rate == 8000 and len(film.sound) == 24000


@pytest.mark.parametrize("name", ["images/lion.jpg", "audio/cantina.wav", "videos/world.mp4"])
def test_check_says_what_loading_says(packaged, name):
    path = packaged / name
    early = check(path, path.name, Limits())
    late = load_part(media_part(path), limits=Limits(), max_frames=8).info
    for field in ("width", "height", "duration", "fps", "peaks", "has_sound"):
        assert getattr(early, field) == getattr(late, field)
    assert not any("sampled at" in note for note in early.notes)


def test_check_refuses_early(packaged, tmp_path):
    with pytest.raises(InputError, match="Known endings"):
        check(packaged / "data" / "titanic.csv", "titanic.csv", Limits())
    with pytest.raises(LimitError, match="`video_seconds`"):
        check(packaged / "videos" / "world.mp4", "w.mp4", Limits(video_seconds=20))


def test_prompt_limits():
    assert check_prompt(Prompt.of("Why?", ["a", "b"]), Limits(parts=2, text_chars=4)) is None
    for limits in (Limits(parts=1), Limits(text_chars=3)):
        with pytest.raises(LimitError, match="the limit is"):
            check_prompt(Prompt.of("Why?", ["a", "b"]), limits)
    with pytest.raises(LimitError, match=r"text of part 2 has 5 characters; the limit is 4"):
        check_prompt(Prompt.of("", ["a", "bcdef"]), Limits(text_chars=4))
    with pytest.raises(InputError, match="Nothing was given"):
        check_prompt(Prompt.of("  "), Limits())


def test_a_limit_message_never_reads_as_within_the_limit():
    with pytest.raises(LimitError, match=r"lasts 60.1 s; the limit is 60 s"):
        Limits(audio_seconds=60).require_seconds("audio_seconds", "x", 60.0001)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tiff", ".webp", ".avif"])
def test_pictures_are_told_by_content(tmp_path, suffix):
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / f"x{suffix}")
    found = identify((tmp_path / f"x{suffix}").read_bytes()[:64])
    assert found is not None and found.kinds == {"image"}
    assert check(tmp_path / f"x{suffix}", "x.png", Limits()).width == 20


def test_no_text_is_a_container():
    for text in (b"#EXTM3U", b"ffconcat version 1.0", b"<svg/>", b"{}", b"", b"\xff", b"MZ"):
        assert identify(text) is None


PICTURE = MediaInfo(width=100, height=50)
RECORDING = MediaInfo(duration=30.0, has_sound=True)
FILM = MediaInfo(width=40, height=20, duration=10.0, has_sound=True)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        # 5,000 of the picture, and of the film 10 s · 2 frames a second · 800.
        (Limits(prompt_pixels=20_999), "come to 21,000 pixels; the limit is 20,999 pixels. Use"),
        (Limits(prompt_seconds=39), "last 40 s together; the limit is 39 s together. Cut"),
    ],
)
def test_media_that_are_fine_alone_may_be_too_much_together(limits, says):
    media = [PICTURE, RECORDING, FILM]
    with pytest.raises(LimitError) as error:
        check_together(media, limits, fps=2)
    assert says in str(error.value)
    check_together(media[:1], limits, fps=2)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(prompt_pixels=21_000, prompt_seconds=40),
        Limits(prompt_pixels=5_000 + 4 * 800, video_frames=4),
        Limits(prompt_pixels=5_000 + 20 * 100, frame_pixels=100),
    ],
)
def test_frames_are_counted_as_they_are_taken(limits):
    check_together([PICTURE, RECORDING, FILM], limits, fps=2)
