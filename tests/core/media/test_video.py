import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, LimitError
from core.media import RATE, Film, Limits, load_video
from core.media.decord_process import choose

LIMITS = Limits()
COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}


def load(path: Path, limits: Limits = LIMITS, **options) -> Film:
    return load_video(path, path.name, limits=limits, **options)


def colour(frame: np.ndarray) -> str:
    mean = frame.reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: np.abs(mean - COLOURS[name]).sum())


def test_frames_are_where_their_times_say(files):
    film = load(files / "colours.mp4")
    assert film.frames.dtype == np.uint8 and film.frames.shape == (6, 64, 96, 3)
    assert film.times.dtype == np.float64
    assert film.times == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    assert [colour(f) for f in film.frames] == ["red"] * 2 + ["lime"] * 2 + ["blue"] * 2
    assert (film.end, film.fps, film.info.fps, film.info.duration) == (3.0, 2.0, 10.0, 3.0)
    assert (film.info.width, film.info.height, film.info.notes) == (96, 64, ())


def test_the_sound_track_is_whole_and_in_time(files):
    film = load(files / "colours.mp4")
    assert film.sound.dtype == np.float32 and len(film.sound) == 3 * RATE and film.info.has_sound
    loud = np.flatnonzero(np.abs(film.sound) > 0.25) / RATE
    assert (loud[0], loud[-1]) == pytest.approx((1.0, 2.0), abs=0.01)
    drawn = np.array(film.info.peaks)
    assert len(drawn) == 500 and drawn[:165].max() < 0.1 < 0.3 < drawn[168:332].min()


def test_a_late_sound_track_is_late_and_outlasts_the_pictures(files):
    film = load(files / "late_sound.mp4")
    loud = np.flatnonzero(np.abs(film.sound) > 0.25) / RATE
    assert (loud[0], loud[-1]) == pytest.approx((1.5, 2.5), abs=0.01)
    assert (film.end, film.info.duration, len(film.sound)) == (3.0, 3.5, 3.5 * RATE)


def test_a_film_without_sound(files):
    film = load(files / "mute.mp4")
    assert film.sound is None and not film.info.has_sound and film.info.peaks == ()


def test_webm(files):
    film = load(files / "colours.webm")
    assert [colour(f) for f in film.frames] == ["red", "red"]
    assert film.info.duration == pytest.approx(1.0) and film.info.has_sound


def test_portrait_films_come_out_upright(files):
    film = load(files / "portrait.mp4")
    assert (film.info.width, film.info.height) == (64, 128)
    assert film.frames.shape[1:] == (128, 64, 3)
    # Stored lying on its right side: what was left is below.
    assert [colour(film.frames[0][:60]), colour(film.frames[0][68:])] == ["blue", "red"]


def test_an_uneven_rate_is_sampled_by_time(files):
    film = load(files / "uneven.mp4", fps=4)
    assert film.info.fps == pytest.approx(16 / 2.8, abs=2)
    assert (np.diff(film.times) >= 0).all()
    wanted = np.arange(len(film.times)) * film.end / len(film.times)
    starts = np.r_[np.arange(10) / 10, 1 + np.arange(6) / 2]
    assert film.times == pytest.approx([starts[starts <= t + 1e-3].max() for t in wanted])
    assert [colour(f) for f in film.frames] == ["red" if t < 1 else "blue" for t in film.times]


def test_one_frame_is_shown_twice_and_told(files):
    film = load(files / "one_frame.mp4")
    assert len(film.frames) == 2 and (film.frames[0] == film.frames[1]).all()
    assert "single frame" in film.info.notes[0]


@pytest.mark.parametrize("fps", [0.1, 0.5, 1, 2, 3, 7, 10, 60])
def test_the_count_is_even_and_never_above_what_there_is(files, fps):
    film = load(files / "mute.mp4", fps=fps)
    assert len(film.frames) == len(film.times) == max(2, int(min(3 * fps, 30)) // 2 * 2)
    assert film.info.notes == ()


def test_a_frame_budget_lowers_the_rate_and_says_so(files):
    film = load(files / "mute.mp4", fps=10, max_frames=7)
    assert len(film.frames) == 6 and film.times == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert film.info.notes == (
        "3.0 s at 10 frames a second are more than the 6 frames that can be taken: "
        "sampled at 2 frames a second.",
    )
    capped = load(files / "mute.mp4", Limits(video_frames=4), fps=10, max_frames=100)
    assert len(capped.frames) == 4 and capped.info.notes


def test_frames_are_the_ones_a_second_reading_gives(packaged):
    import decord

    path = packaged / "videos" / "b.mp4"
    film = load(path)
    reader = decord.VideoReader(str(path))
    one_by_one = np.stack([reader[i].asnumpy() for i in range(len(reader))])
    assert (film.frames == one_by_one[np.round(film.times * 30).astype(int)]).all()


@pytest.mark.parametrize("rate", [10.0, 24.0, 29.97, 30.0])
@pytest.mark.parametrize("count", [2, 3, 30, 31, 59, 150, 331, 901, 5000, 30_000])
def test_the_choice_is_qwens_rule(rate, count):
    # transformers, Qwen2VLVideoProcessor.sample_frames, written afresh.
    n = int(min(count / rate * 2.0, 768, count)) // 2 * 2 or 2
    expected = [int(i * count / n) for i in range(n)]
    ours = choose(np.round(np.arange(count) / rate, 4), round(count / rate, 4), 2.0, 768)
    assert len(ours) == n and np.abs(ours - expected).max() <= (count > 900)


@given(st.integers(1, 400), st.floats(0.05, 60), st.integers(2, 50), st.randoms())
def test_choice_is_even_ordered_and_on_show(count, fps, most, random):
    starts = np.cumsum([random.uniform(0.01, 0.5) for _ in range(count)]) - 0.01
    starts -= starts[0]
    end = starts[-1] + 0.1
    chosen = choose(starts, end, fps, most)
    assert len(chosen) % 2 == 0 and 2 <= len(chosen) <= max(2, min(most, count))
    assert (np.diff(chosen) >= 0).all() and chosen[0] == 0 and chosen[-1] < count


def test_real_films(packaged):
    for path in sorted((packaged / "videos").iterdir()):
        film = load(path, max_frames=4)
        assert len(film.frames) == 4
        assert film.info.has_sound == (path.name != "muted_b.mp4")
        assert film.times[0] >= 0 and film.times[-1] < film.end <= film.info.duration


def test_large_frames_are_scaled_while_decoding_and_told(packaged):
    film = load(packaged / "videos" / "a.mp4", max_frames=2)
    assert (film.info.width, film.info.height) == (1920, 1080)
    height, width = film.frames.shape[1:3]
    assert width * height <= Limits().frame_pixels and width / height == pytest.approx(16 / 9, 0.01)
    assert any(f"1920×1080 pixels are scaled to {width}×{height}" in n for n in film.info.notes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sound_only.mp4", "holds no pictures that can be read"),
        ("av1.mp4", "holds no pictures that can be read"),
        ("narrow.mp4", "too narrow"),
        ("tone.aac", "holds AAC. Add it as a recording"),
    ],
)
def test_what_cannot_be_shown_is_refused(files, name, message):
    with pytest.raises(InputError, match=f"{name!r} .*{message}"):
        load(files / name)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3, 0.7, 0.99])
def test_films_cut_short_are_refused(files, packaged, tmp_path, share):
    # The index lies at the start of the first, and at the end of the second.
    for source in (files / "colours.mp4", packaged / "videos" / "b.mp4"):
        whole = source.read_bytes()
        (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match=r"'cut.mp4'"):
            load(tmp_path / "cut.mp4")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        bytes(5000),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        b"\0\0\0\x18ftypisom" + np.random.default_rng(1).bytes(5000),
        b"\x1aE\xdf\xa3" + np.random.default_rng(2).bytes(5000),
        b"RIFF\0\0\0\0AVI " + np.random.default_rng(3).bytes(5000),
        np.random.default_rng(4).bytes(5000),
    ],
)
def test_junk_is_refused(tmp_path, content):
    (tmp_path / "junk.mp4").write_bytes(content)
    with pytest.raises(InputError, match=r"'junk\.mp4'"):
        load(tmp_path / "junk.mp4")


def test_damaged_films_are_refused_or_read_but_never_a_bug(files, tmp_path):
    random = np.random.default_rng(5)
    for name in ("colours.mp4", "colours.webm"):
        for _ in range(6):
            data = np.frombuffer((files / name).read_bytes(), np.uint8).copy()
            places = random.integers(0, len(data), 30)
            data[places] = random.integers(0, 256, 30)
            (tmp_path / name).write_bytes(data.tobytes())
            try:
                film = load(tmp_path / name)
            except InputError:
                continue
            assert len(film.frames) == len(film.times)


def test_another_kind_is_named(packaged, tmp_path):
    (tmp_path / "x.mp4").write_bytes((packaged / "images" / "avatar.png").read_bytes())
    with pytest.raises(InputError, match=r"given as a film but holds PNG. Add it as a picture"):
        load(tmp_path / "x.mp4")


def test_too_long_is_refused_before_frames_are_decoded(files):
    with pytest.raises(LimitError, match=r"lasts 3 s; the limit is 2.9 s.*`video_seconds`"):
        load(files / "colours.mp4", Limits(video_seconds=2.9))
    with pytest.raises(LimitError, match=r"lasts 3.5 s"):
        load(files / "late_sound.mp4", Limits(video_seconds=3.2))
    with pytest.raises(LimitError, match="`image_pixels`"):
        load(files / "colours.mp4", Limits(image_pixels=6000))


def test_the_clock_stops_a_decoder_that_hangs(files):
    with pytest.raises(InputError, match=r"not decoded within 0.001 s.*`decode_seconds`"):
        load(files / "colours.mp4", Limits(decode_seconds=0.001))


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_a_nonsensical_rate_is_refused(files, fps):
    with pytest.raises(InputError, match="Give a rate above 0"):
        load(files / "mute.mp4", fps=fps)


def test_no_message_names_a_path(tmp_path):
    (tmp_path / "stored-as").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    with pytest.raises(InputError) as caught:
        load_video(tmp_path / "stored-as", "shown.mp4", limits=LIMITS)
    assert "shown.mp4" in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_the_decoding_program_imports_nothing_of_the_project():
    import core.media.decoder as decoder

    code = f"import runpy, sys, json; runpy.run_path({str(decoder.PROGRAM)!r}); print(json.dumps([*sys.modules]))"  # noqa: E501
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert not {m for m in json.loads(ran.stdout) if m.split(".")[0] in ("core", "torch", "PIL")}
