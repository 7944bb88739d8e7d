"""Segments of a trace's sound: units, gaps, film sound, files, the command line."""

import json
from dataclasses import replace
from pathlib import Path

import gradio.media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cli import main
from core.errors import InputError, TraceFileError
from core.explain import explain
from core.media import RATE
from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart
from core.segmenters import (
    SEGMENTERS,
    by_segments,
    load_segmenter,
    segment,
    segmenter_name,
    transcribe_file,
    transcribed,
)
from core.sources import Granularity, cut
from core.trace import MediaInfo, Segment, Trace
from tests.core.handmade import ROWS, timeline_of, trace_of
from tests.core.segmenters.conftest import WHISPER

MEDIA = Path(__file__).parents[2] / "data" / "media"


class Heard:
    """Finds the same two sentences in everything, and remembers how long it was."""

    name = "heard"

    def __init__(self) -> None:
        self.lengths: list[float] = []

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        assert samples.dtype == np.float32 and samples.ndim == 1
        self.lengths.append(len(samples) / RATE)
        return (Segment(0.2, 0.6, "One.", "speaker_0"), Segment(0.8, 1.2, "Two."))


@pytest.fixture
def trace() -> Trace:
    """Text, picture, real speech of 3 s, a film with sound, a film without."""
    speech = Path(gradio.media.get_audio("heath_ledger.mp3"))
    parts = (
        TextPart("A cat sat. B. dog"),
        ImagePart(MEDIA / "none.png", "none.png"),
        AudioPart(speech, "speech.mp3"),
        VideoPart(MEDIA / "colours.mp4", "colours.mp4"),
        VideoPart(MEDIA / "mute.mp4", "mute.mp4"),
    )
    rows = [row for row in ROWS if row[0] != 2]
    rows += [(2, "audio", (0.04 * k, 0.04 * k + 0.04)) for k in range(75)]
    scores = np.zeros((2, len(rows)), np.float16)
    scores[:, -75 + 10] = 1.0  # 0.40–0.44 s of the speech.
    made = trace_of(scores, "It is", " something.")
    media = (MediaInfo(), MediaInfo(), MediaInfo(duration=3.02), MediaInfo(), MediaInfo())
    return replace(made, prompt=Prompt("What?", parts), timeline=timeline_of(rows), media=media)


def test_the_sound_of_recordings_and_films_is_segmented(trace: Trace):
    heard = Heard()
    found = segment(trace, heard)
    assert list(found) == [2, 3]
    assert heard.lengths[0] == pytest.approx(3.02, abs=0.1)
    assert heard.lengths[1] == pytest.approx(3.0, abs=0.1)


def test_words_and_speakers_reach_the_units_and_gaps_stay_units(trace: Trace):
    spoken = by_segments({2: Heard().segments(np.zeros(RATE, np.float32))})
    units = [u for u in explain(trace, granularity=spoken).sources.units if u.lane == "audio"]
    assert [(u.start, u.end, u.text) for u in units] == [
        (0.0, 0.2, ""),
        (0.2, 0.6, "One."),
        (0.6, 0.8, ""),
        (0.8, 1.2, "Two."),
        (1.2, 3.0, ""),
    ]
    assert units[1].label == "Audio 1 · speaker_0 · 0.2–0.6 s"
    assert units[3].label == "Audio 1 · 0.8–1.2 s"


def test_a_films_pictures_stay_in_bins(trace: Trace):
    prompt = Prompt("", (VideoPart(Path("f.mp4"), "f.mp4"),))
    rows = [(0, lane, (k / 2, k / 2 + 0.5)) for k in range(8) for lane in ("video_frames",) * 2]
    rows += [(0, "video_sound", (k / 25, k / 25 + 0.04)) for k in range(100)]
    spoken = Granularity(intervals={0: (Segment(0.0, 2.4, "Hello."),)})
    sources = cut(prompt, timeline_of(rows), (MediaInfo(duration=4.0),), spoken)
    assert [(u.id, u.start, u.end, u.text) for u in sources.units] == [
        *[(f"p0.{k}", float(k), float(k + 1), "") for k in range(4)],
        ("p0.s0", 0.0, 2.4, "Hello."),
        ("p0.s1", 2.4, 4.0, ""),
    ]
    assert sources.units[4].label == "Film 1 · sound · 0.0–2.4 s"


@given(
    st.lists(st.integers(0, 120), max_size=12, unique=True),
    st.integers(10, 120),
    st.sampled_from(["audio", "video_sound"]),
)
def test_every_second_belongs_to_a_unit(edges: list[int], length: int, lane: str):
    """Segments anywhere, past the end too: units follow one another from 0 to the end."""
    edges = sorted(edges)[: len(edges) // 2 * 2]
    spoken = tuple((a / 10, b / 10) for a, b in zip(edges[::2], edges[1::2], strict=True))
    duration = length / 10
    part = AudioPart if lane == "audio" else VideoPart
    count = int(duration / 0.04 + 1 - 1e-9)
    rows = [(0, lane, (0.04 * k, 0.04 * (k + 1))) for k in range(count)]
    sources = cut(
        Prompt("", (part(Path("a"), "a"),)),
        timeline_of(rows),
        (MediaInfo(duration=duration),),
        Granularity(intervals={0: spoken}),
    )
    assert (sources.unit_of >= 0).all()
    assert sources.units[0].start == 0.0
    assert sources.units[-1].end == pytest.approx(duration, abs=1e-4)
    for before, after in zip(sources.units, sources.units[1:], strict=False):
        assert after.start == pytest.approx(before.end, abs=1e-4)


def test_switching_segmenter_needs_no_model(trace: Trace):
    """The same trace, the same scores, other units: what carries the signal is found in each."""
    for spec in ("bins:0.5", "pauses"):
        found = segment(trace, load_segmenter(spec))
        spans = explain(trace, granularity=by_segments(found)).spans
        (cited,) = spans[0].sources
        assert cited.unit.start <= 0.4 < cited.unit.end and cited.share == pytest.approx(1.0)


def test_a_trace_without_its_media_says_so(trace: Trace, tmp_path: Path):
    parts = (*trace.prompt.parts[:2], AudioPart(tmp_path / "gone.wav", "gone.wav"))
    with pytest.raises(InputError, match=r"does not hold 'gone\.wav'.*saved with its media"):
        segment(replace(trace, prompt=Prompt("", parts)), Heard())


# --- kept in the file ----------------------------------------------------------------------------


def test_transcripts_stay_with_the_trace(trace: Trace, tmp_path: Path):
    kept = transcribed(transcribed(trace, Heard()), load_segmenter("bins:2"))
    assert trace.transcripts == {}
    back = Trace.load(kept.save(tmp_path / "x.omnitrace"), tmp_path / "v")
    assert back.transcripts == kept.transcripts
    assert list(back.transcripts) == ["heard", "bins:2"]
    assert type(back.transcripts["heard"][2][0]) is Segment


def test_a_file_is_transcribed_once(trace: Trace, tmp_path: Path):
    path = trace.save(tmp_path / "x.omnitrace")
    heard = Heard()
    transcribe_file(path, heard)
    before = path.stat().st_mtime_ns
    transcribe_file(path, heard)
    assert len(heard.lengths) == 2 and path.stat().st_mtime_ns == before
    assert Trace.load(path, tmp_path / "v").transcripts["heard"][2][0].text == "One."


def document_of(path: Path) -> dict:
    import zipfile

    with zipfile.ZipFile(path) as content:
        return json.loads(content.read("trace.json"))


def with_document(path: Path, document: dict) -> Path:
    import zipfile

    with zipfile.ZipFile(path) as content:
        entries = {name: content.read(name) for name in content.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, data in {**entries, "trace.json": json.dumps(document).encode()}.items():
            target.writestr(name, data)
    return path


def test_a_file_of_version_1_opens(trace: Trace, tmp_path: Path):
    path = trace.save(tmp_path / "old.omnitrace")
    document = document_of(path)
    del document["transcripts"]
    back = Trace.load(with_document(path, {**document, "version": 1}), tmp_path / "v")
    assert back.transcripts == {} and back.answer == trace.answer


@pytest.mark.parametrize(
    "change",
    [
        {"part": 0},
        {"part": 9},
        {"part": -1},
        {"part": "2"},
        {"segmenter": 3},
        {"segments": [{"start": 1, "end": 1, "text": "", "speaker": None}]},
        {"segments": [{"start": -1, "end": 1, "text": "", "speaker": None}]},
        {"segments": [{"start": 0, "end": 1, "text": None, "speaker": None}]},
        {"segments": [{"start": 0, "end": 1, "text": "", "speaker": 0}]},
        {"segments": [{"start": 0, "end": 1, "text": ""}]},
        {"segments": [[0, 1, "", None]]},
        {"more": 1},
    ],
)
def test_a_strangers_transcript_is_checked(trace: Trace, tmp_path: Path, change: dict):
    path = transcribed(trace, Heard()).save(tmp_path / "x.omnitrace")
    document = document_of(path)
    document["transcripts"][0] |= change
    with pytest.raises(TraceFileError):
        Trace.load(with_document(path, document), tmp_path / "v")


def test_a_part_is_transcribed_once_by_one_segmenter(trace: Trace, tmp_path: Path):
    path = transcribed(trace, Heard()).save(tmp_path / "x.omnitrace")
    document = document_of(path)
    document["transcripts"] *= 2
    with pytest.raises(TraceFileError, match="twice"):
        Trace.load(with_document(path, document), tmp_path / "v")


# --- names and the command line ------------------------------------------------------------------


def test_an_unknown_name_lists_the_known():
    with pytest.raises(InputError, match=r"'vad'.*bins, pauses, whisper, paraformer, scribe"):
        load_segmenter("vad")


def test_every_line_of_the_registry_leads_to_a_loader():
    from importlib import import_module

    assert all(callable(import_module(known.module).load) for known in SEGMENTERS.values())


@pytest.mark.parametrize("spec", ["bins", "bins:2", "pauses"])
def test_names_are_known_before_loading(spec: str):
    assert segmenter_name(spec) == load_segmenter(spec).name


def test_explain_by_pauses_on_the_command_line(trace: Trace, tmp_path: Path, capsys):
    path = str(trace.save(tmp_path / "x.omnitrace"))
    assert main(["explain", path, "--segmenter", "pauses", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (spoken,) = document["segments"]["2"]
    assert spoken["start"] == pytest.approx(0.42, abs=0.1) and spoken["text"] == ""
    cited = document["units"][document["spans"][0]["sources"][0]["unit"]]
    assert cited["lane"] == "audio" and cited["part"] == 2


def test_explain_with_whisper_shows_what_was_said(trace: Trace, tmp_path: Path, capsys):
    path = tmp_path / "x.omnitrace"
    trace.save(path)
    transcribe_file(path, load_segmenter(WHISPER))
    # Kept under the recogniser's name, so nothing is loaded, and the name alone will do.
    assert main(["explain", str(path), "--segmenter", "whisper:model"]) == 0
    assert "“If you're good at something, never do it for free.”" in capsys.readouterr().out


def test_explain_without_a_segmenter_says_nothing_of_segments(trace: Trace, tmp_path, capsys):
    assert main(["explain", str(trace.save(tmp_path / "x.omnitrace")), "--json"]) == 0
    assert "segments" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--segmenter", "vad"], "Known: bins"),
        (["--segmenter", "whisper"], "not on this machine"),
        (["--chunks", "x/y"], "--segmenter"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(trace: Trace, tmp_path: Path, capsys, options, told):
    assert main(["explain", str(trace.save(tmp_path / "x.omnitrace")), *options]) == 1
    assert told in capsys.readouterr().err


def test_tracing_with_a_segmenter_keeps_what_it_finds(tmp_path: Path, capsys):
    """Also in traces that are already there: no generation is needed for it."""
    samples = tmp_path / "samples.json"
    speech = gradio.media.get_audio("heath_ledger.mp3")
    entry = {"id": 1, "prompt": "What is said?", "question": [{"audio": speech}]}
    samples.write_text(json.dumps([entry]))
    command = ["trace", str(samples), "--out", str(tmp_path / "out"), "--max-new-tokens", "2"]
    for segmenter in ("pauses", "bins:2"):
        assert main([*command, "--segmenter", segmenter]) == 0
    assert "0 traced, 1 already there" in capsys.readouterr().err
    (path,) = (tmp_path / "out").iterdir()
    transcripts = Trace.load(path, tmp_path / "v").transcripts
    assert list(transcripts) == ["pauses", "bins:2"] and len(transcripts["bins:2"][0]) == 2
