import tracemalloc
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, LimitError
from core.media import RATE, Limits, load_audio
from core.media.audio import peaks, without_padding

LIMITS = Limits()


def load(path: Path, limits: Limits = LIMITS):
    return load_audio(path, path.name, limits=limits)


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def pitch(samples: np.ndarray, rate: int = RATE) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channel_count(tmp_path, rate, channels):
    path = tmp_path / "t.wav"
    soundfile.write(path, np.repeat(tone(rate)[:, None], channels, 1), rate)
    sound = load(path)
    assert sound.samples.dtype == np.float32 and sound.samples.ndim == 1 and sound.rate == RATE
    assert len(sound.samples) == RATE
    assert pitch(sound.samples) == pytest.approx(440, abs=2)
    assert np.abs(sound.samples).max() == pytest.approx(0.5, abs=0.02)
    assert sound.info.duration == 1.0 and sound.info.notes == ()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_any_sample_type(tmp_path, subtype):
    soundfile.write(tmp_path / "t.wav", tone(16000), 16000, subtype=subtype)
    assert np.abs(load(tmp_path / "t.wav").samples - tone(16000)).max() < 0.03


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".opus"])
def test_what_libsndfile_reads_equals_librosa(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    stereo = np.stack([tone(48000), tone(48000, hertz=660)], 1)
    subtype = {"format": "OGG", "subtype": "OPUS"} if suffix == ".opus" else {}
    soundfile.write(path, stereo, 48000, **subtype)
    expected, _ = librosa.load(path, sr=RATE, mono=True)
    ours = load(path).samples
    assert len(ours) == len(expected)
    assert np.abs(ours - expected).max() < 1e-6


def test_real_speech_equals_librosa(packaged):
    for path in sorted((packaged / "audio").iterdir()):
        expected, _ = librosa.load(path, sr=RATE, mono=True)
        sound = load(path)
        assert len(sound.samples) == len(expected)
        assert np.abs(sound.samples - expected).max() < 1e-5
        assert sound.info.notes == ()


@pytest.mark.parametrize(
    ("name", "slack"), [("tone.m4a", 0.0), ("tone.aac", 0.08), ("tone.weba", 0.02)]
)
def test_what_libsndfile_cannot_read_needs_no_ffmpeg_and_keeps_its_times(
    files, name, slack, monkeypatch
):
    monkeypatch.setenv("PATH", "")
    sound = load(files / name)
    assert sound.info.duration == pytest.approx(3.0, abs=slack or 1e-9)
    loud = np.flatnonzero(np.abs(sound.samples) > 0.25) / RATE
    assert loud[0] == pytest.approx(1.0, abs=0.01 + slack)
    assert loud[-1] == pytest.approx(2.0, abs=0.01 + slack)
    assert pitch(sound.samples[RATE : 2 * RATE]) == pytest.approx(440, abs=3)


def test_content_decides_not_the_suffix(packaged, tmp_path):
    wav = (packaged / "audio" / "cantina.wav").read_bytes()
    (tmp_path / "c.mp3").write_bytes(wav)
    (tmp_path / "c.raw").write_bytes(wav)
    assert load(tmp_path / "c.mp3").info.duration == 3.0
    assert load(tmp_path / "c.raw").info.duration == 3.0


@pytest.mark.parametrize("name", ["colours.mp4", "colours.webm", "mute.mp4"])
def test_a_film_given_as_a_recording_is_refused(files, tmp_path, name):
    (tmp_path / "x.m4a").write_bytes((files / name).read_bytes())
    with pytest.raises(InputError, match=r"'x.m4a' was given as a recording but is a film"):
        load(tmp_path / "x.m4a")


def test_a_picture_given_as_a_recording_is_refused(packaged, tmp_path):
    (tmp_path / "x.wav").write_bytes((packaged / "images" / "avatar.png").read_bytes())
    with pytest.raises(InputError, match=r"holds PNG. Add it as a picture"):
        load(tmp_path / "x.wav")


def test_silence_is_allowed_and_told(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros(RATE), RATE)
    sound = load(tmp_path / "s.wav")
    assert sound.info.notes == ("The recording is silent.",)
    assert set(sound.info.peaks) == {0.0}


@pytest.mark.parametrize("count", [0, 1, 600])
def test_nothing_to_hear_is_refused(tmp_path, count):
    soundfile.write(tmp_path / "z.wav", np.ones(count), RATE)
    with pytest.raises(InputError, match=r"'z.wav' lasts .* at least 0.04 s"):
        load(tmp_path / "z.wav")


def test_what_is_not_a_number_becomes_silence_and_is_told(tmp_path):
    samples = tone(44100)
    samples[100:110], samples[200], samples[300], samples[400] = np.nan, np.inf, -np.inf, 1e38
    soundfile.write(tmp_path / "n.wav", samples, 44100, subtype="FLOAT")
    sound = load(tmp_path / "n.wav")
    assert np.isfinite(sound.samples).all() and np.abs(sound.samples).max() < 0.6
    assert sound.info.notes == (
        "13 samples are not numbers that can be played, and are taken as silence.",
    )


@pytest.mark.parametrize("rate", [1, 999, 2_000_000_000])
def test_nonsensical_rates_are_refused(tmp_path, rate):
    soundfile.write(tmp_path / "r.wav", tone(16000), 16000)
    data = bytearray((tmp_path / "r.wav").read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    (tmp_path / "r.wav").write_bytes(data)
    with pytest.raises(InputError, match=f"rate of {rate:,} samples"):
        load(tmp_path / "r.wav")


def test_a_truncated_wav_says_how_much_is_missing(tmp_path):
    soundfile.write(tmp_path / "w.wav", tone(RATE, 2.0), RATE)
    data = (tmp_path / "w.wav").read_bytes()
    (tmp_path / "w.wav").write_bytes(data[: len(data) // 4])
    sound = load(tmp_path / "w.wav")
    assert sound.info.duration == pytest.approx(0.5, abs=0.01)
    assert sound.info.notes == ("The file is cut short: 75% of what it announces is missing.",)


def test_a_wav_from_a_pipe_announces_no_length(tmp_path):
    soundfile.write(tmp_path / "p.wav", tone(RATE), RATE)
    data = bytearray((tmp_path / "p.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff" * 4
    (tmp_path / "p.wav").write_bytes(data)
    assert (load(tmp_path / "p.wav").info.duration, load(tmp_path / "p.wav").info.notes) == (1, ())


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_a_truncated_flac_is_refused(tmp_path, share):
    soundfile.write(tmp_path / "f.flac", np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE)
    data = (tmp_path / "f.flac").read_bytes()
    (tmp_path / "f.flac").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"'f.flac' cannot be decoded: damaged or cut short"):
        load(tmp_path / "f.flac")


def test_a_truncated_m4a_says_so_or_is_refused(files, tmp_path):
    whole = (files / "tone.m4a").read_bytes()
    (tmp_path / "t.m4a").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged or cut short"):
        load(tmp_path / "t.m4a")


@pytest.mark.parametrize("junk", [b"", b"RIFF", b"\xff\xfb" * 300, b"ID3" + bytes(300), b"fLaC"])
def test_junk_is_refused(tmp_path, junk):
    (tmp_path / "j.mp3").write_bytes(junk)
    with pytest.raises(InputError, match=r"'j.mp3'"):
        load(tmp_path / "j.mp3")


def test_too_long(packaged, files):
    limits = Limits(audio_seconds=2.5)
    wav = packaged / "audio" / "cantina.wav"
    with pytest.raises(LimitError, match=r"lasts 3 s; the limit is 2.5 s.*`audio_seconds`"):
        load(wav, limits)
    with pytest.raises(LimitError, match="`audio_seconds`"):
        load(files / "tone.m4a", limits)
    assert load(wav, Limits(audio_seconds=3.0))


def test_hours_of_packed_silence_are_refused_without_decoding_them(tmp_path):
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        for _ in range(20):
            file.write(np.zeros(8000 * 600, np.int16))
    with pytest.raises(LimitError, match="lasts 12,000 s"):
        load(path, Limits(audio_seconds=60))


def test_peaks_by_hand():
    assert peaks(np.array([0.1, -0.5, 0.2, 0.25], np.float32), 2) == (1.0, 0.5)
    assert peaks(np.zeros(4, np.float32), 2) == (0.0, 0.0)
    assert peaks(np.array([0.3], np.float32)) == (1.0,)
    assert peaks(np.zeros(0, np.float32)) == ()


@given(st.integers(1, 3000), st.integers(1, 700))
def test_peaks_are_within_bounds_and_reach_one(n, count):
    drawn = peaks(np.random.default_rng(n).normal(size=n).astype(np.float32), count)
    assert len(drawn) == min(n, count) and max(drawn) == 1.0 and min(drawn) >= 0.0


def test_only_padding_is_taken_off():
    samples = np.ones(1050)
    assert len(without_padding(samples, 1000, 1.0)) == 1000
    assert len(without_padding(samples, 1000, 0.5)) == 1050
    assert len(without_padding(samples, 1000, 2.0)) == 1050


def test_many_channels_take_no_more_memory_than_one(tmp_path):
    """A block of 1,024 channels was a gigabyte."""
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.zeros((4_000, 1_000), np.int16), 16_000)
    tracemalloc.start()
    sound = load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sound.samples) == 4_000 and peak < 4 * 2**20


def test_a_recording_of_too_many_samples_is_refused_whatever_its_length(tmp_path):
    """Silence at a high rate packs into kilobytes, and was held whole before it was resampled."""
    path = tmp_path / "fine.flac"
    soundfile.write(path, np.zeros(600_000, np.int16), 655_350)
    load(path)
    with pytest.raises(LimitError, match=r"at least 524,288 samples; the limit is 300,000.*Save"):
        load(path, Limits(audio_samples=300_000))
