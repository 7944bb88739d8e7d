"""The trace file: an exact round trip, and nothing but a clear error from anything else."""

import json
import resource
import stat
import tempfile
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from core.errors import TraceFileError
from core.explain import explain, to_json
from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart
from core.timeline import Timeline
from core.trace import Generation, MediaInfo, Token, Trace
from core.tracefile import archive
from tests.core.handmade import PROMPT, ROWS, timeline_of, trace_of

WORDS = ("The", " cat", " is", " 红", "色", ".", "")


@pytest.fixture(autouse=True)
def nothing_is_left_among_the_systems_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "system").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "system"))


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    given = tmp_path / "given"
    given.mkdir()
    for name in ("a.png", "b.wav", "c.mp4"):
        (given / name).write_bytes(name.encode() * 100)
    prompt = Prompt(
        "Say “what” is\n there.\0",
        (
            TextPart("A cat sat. B. dog"),
            ImagePart(given / "a.png", "../../holiday <b>.PNG"),
            AudioPart(given / "b.wav", "nameless"),
            VideoPart(given / "c.mp4", "/etc/passwd"),
        ),
    )
    draws = np.random.default_rng(0)
    scores = draws.random((len(WORDS), len(ROWS))).astype(np.float16)
    own = draws.random(len(WORDS)).astype(np.float32)
    timeline = timeline_of(ROWS)
    timeline.box[4:6] = [[0.0, 0.0, 28.5, 28.0], [28.5, 0.0, 57.0, 28.0]]
    return replace(
        trace_of(scores, *WORDS),
        prompt=prompt,
        timeline=timeline,
        scores={"attmean": scores, "a/../b": scores[::-1]},
        own={"attmean": own, "a/../b": own[::-1]},
        media=(
            MediaInfo(),
            MediaInfo(width=84, height=84, notes=("Only the first frame is used.",)),
            MediaInfo(duration=1.5, peaks=(0.0, 0.1, 1.0)),
            MediaInfo(width=64, height=48, duration=2.0, fps=29.97, has_sound=True),
        ),
        generation=Generation(temperature=0.7, seed=2**40),
        stopped="cancelled",
        timings={"prefill": 0.1 + 0.2},
        given=True,
        as_untraced=False,
    )


@pytest.fixture
def saved(trace: Trace, tmp_path: Path) -> Path:
    return trace.save(tmp_path / "saved.omnitrace")


def same_arrays(one: Timeline, other: Timeline) -> bool:
    names = ("part", "lane", "chars", "seconds", "box")
    return all(
        getattr(one, n).dtype == getattr(other, n).dtype
        and np.array_equal(getattr(one, n), getattr(other, n), equal_nan=n in ("seconds", "box"))
        for n in names
    )


# --- the round trip ------------------------------------------------------------------------------


def test_everything_comes_back_exactly(trace: Trace, saved: Path, tmp_path: Path):
    back = Trace.load(saved, tmp_path / "visitor")
    plain = ("answer", "tokens", "media", "model", "generation", "stopped", "timings", "given")
    for name in (*plain, "as_untraced"):
        assert getattr(back, name) == getattr(trace, name)
    assert back.signals == trace.signals
    assert same_arrays(back.timeline, trace.timeline)
    for signal in trace.signals:
        assert back.scores[signal].dtype == np.float16
        assert np.array_equal(back.scores[signal], trace.scores[signal])
        assert np.array_equal(back.own[signal], trace.own[signal])
    assert back.prompt.instruction == trace.prompt.instruction
    for part, original in zip(back.prompt.parts, trace.prompt.parts, strict=True):
        assert type(part) is type(original)
        if isinstance(part, TextPart):
            assert part == original
        else:
            assert part.name == original.name
            assert part.path.read_bytes() == original.path.read_bytes()
            assert part.path.is_relative_to(tmp_path / "visitor")
    assert to_json(explain(back)) == to_json(explain(trace))


def test_media_are_stored_under_names_made_here(saved: Path):
    with zipfile.ZipFile(saved) as content:
        assert content.namelist() == [
            "trace.json",
            "scores.safetensors",
            "media/0001.png",
            "media/0002.wav",
            "media/0003.mp4",
        ]


def test_saving_again_gives_the_same_bytes(saved: Path, tmp_path: Path):
    again = Trace.load(saved, tmp_path / "v").save(tmp_path / "again.omnitrace")
    assert again.read_bytes() == saved.read_bytes()


def test_two_files_opened_in_one_folder_do_not_meet(saved: Path, tmp_path: Path):
    one, two = (Trace.load(saved, tmp_path / "visitor") for _ in range(2))
    assert one.prompt.parts[1].path != two.prompt.parts[1].path


def test_without_a_folder_media_go_to_a_new_temporary_one(saved: Path, tmp_path: Path):
    path = Trace.load(saved).prompt.parts[1].path
    assert path.is_relative_to(tmp_path / "system")
    assert path.is_file() and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_trace_whose_media_are_gone_is_viewable(trace: Trace, tmp_path: Path):
    for _, part in trace.prompt.media:
        part.path.unlink()
    back = Trace.load(trace.save(tmp_path / "x.omnitrace"), tmp_path / "v")
    assert [part.name for _, part in back.prompt.media] == [p.name for _, p in trace.prompt.media]
    assert not any(part.path.exists() for _, part in back.prompt.media)
    assert to_json(explain(back)) == to_json(explain(trace))
    # And it can be saved and opened once more.
    Trace.load(back.save(tmp_path / "y.omnitrace"), tmp_path / "v")


def test_an_empty_trace(tmp_path: Path):
    empty = replace(
        trace_of(np.zeros((0, 1))),
        prompt=Prompt(""),
        timeline=Timeline.structural(1),
        media=(),
    )
    back = Trace.load(empty.save(tmp_path / "x.omnitrace"))
    assert back.tokens == () and back.scores["attmean"].shape == (0, 1)


def test_half_characters_of_a_file_name_do_not_spoil_the_file(trace: Trace, tmp_path: Path):
    parts = (ImagePart(trace.prompt.parts[1].path, "caf\udce9.png"), *trace.prompt.parts[2:])
    odd = replace(trace, prompt=Prompt("", (TextPart("A cat sat. B. dog"), *parts)))
    odd = replace(odd, timeline=timeline_of([(0, "text", (0, 3))] * len(ROWS)))
    assert Trace.load(odd.save(tmp_path / "x.omnitrace")).prompt.parts[1].name == "caf?.png"


def test_saving_replaces_whole_or_not_at_all(trace: Trace, saved: Path):
    before = saved.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(TraceFileError, match=r"'saved\.omnitrace' cannot be written"):
            trace.save(saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir() if p.is_file()] == ["saved.omnitrace"]


def test_a_trace_too_large_to_be_opened_is_not_written(
    trace: Trace, saved: Path, monkeypatch: pytest.MonkeyPatch
):
    before = saved.read_bytes()
    monkeypatch.setattr(archive, "MAX_TOTAL", archive.HARMLESS + 1_000)
    with pytest.raises(TraceFileError, match=r"would hold \d+ bytes.* at most 1000 are"):
        trace.save(saved)
    assert saved.read_bytes() == before


def test_a_folder_that_is_not_there(trace: Trace, tmp_path: Path):
    with pytest.raises(TraceFileError, match=r"'x\.omnitrace' cannot be written") as caught:
        trace.save(tmp_path / "none" / "x.omnitrace")
    assert str(tmp_path) not in str(caught.value)


def test_a_trace_that_could_not_be_opened_is_not_written(trace: Trace, tmp_path: Path):
    wrong = replace(trace, tokens=(Token(0, "x", 5, 900),) * len(WORDS))
    with pytest.raises(ValueError, match="outside the answer"):
        wrong.save(tmp_path / "x.omnitrace")
    assert not (tmp_path / "x.omnitrace").exists()


def test_scores_that_are_nearly_all_zero_come_back(tmp_path: Path):
    """They pack a thousand to one, as a bomb does; what is saved must open all the same."""
    positions = 70_000
    sparse = trace_of(
        np.zeros((512, positions), np.float16),
        *["a"] * 512,
        timeline=Timeline.structural(positions),
        prompt=Prompt("Say."),
        media=(),
    )
    back = Trace.load(sparse.save(tmp_path / "sparse.omnitrace"))
    assert back.scores["attmean"].shape == (512, positions)


def test_scores_too_large_to_be_opened_are_not_written(
    trace: Trace, saved: Path, monkeypatch: pytest.MonkeyPatch
):
    before = saved.read_bytes()
    monkeypatch.setattr(archive, "MAX_SCORES", 500)
    with pytest.raises(TraceFileError, match=r"scores.safetensors .* larger than 500 bytes"):
        trace.save(saved)
    assert saved.read_bytes() == before
    assert {path.name for path in saved.parent.iterdir()} == {"given", "saved.omnitrace", "system"}


# --- hostile files -------------------------------------------------------------------------------


def refused(path: Path, match: str, folder: Path | None = None) -> None:
    visitor = folder or path.parent / "visitor"
    with pytest.raises(TraceFileError, match=match) as caught:
        Trace.load(path, visitor)
    assert str(path.parent) not in str(caught.value)
    assert path.name in str(caught.value)
    assert not visitor.exists() or not any(visitor.iterdir())


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as content:
        return {name: content.read(name) for name in content.namelist()}


def rewrite(path: Path, content: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as target:
        for name, data in content.items():
            target.writestr(name, data)
    return path


def changed(path: Path, change) -> Path:
    """Rewrite the file's trace.json."""
    content = entries(path)
    document = json.loads(content["trace.json"])
    document = change(document) or document
    return rewrite(path, {**content, "trace.json": json.dumps(document).encode()})


def set_in(document, path: str, value) -> None:
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in parents:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("version", 0),
        ("version", "1"),
        ("version", True),
        ("given", None),
        ("as_untraced", 1),
        ("view", []),
        ("view", {"sentence": 2}),
        ("view", {"x": "y" * 201}),
        ("instruction", 3),
        ("instruction", "\ud800"),
        ("parts", {}),
        ("parts.0", "text"),
        ("parts.0.kind", "page"),
        ("parts.0.kind", ["text"]),
        ("parts.0.text", None),
        ("parts.0.text", "short"),
        ("parts.0.extra", 1),
        ("parts.1.file", "/etc/passwd"),
        ("parts.1.file", "../../secret.png"),
        ("parts.1.file", "media/0002.wav"),
        ("parts.1.file", "media/0001.html"),
        ("parts.1.file", "trace.json"),
        ("parts.1.kind", "video"),
        ("parts.1.name", ["x"]),
        ("answer", "The"),
        ("answer", None),
        ("tokens.0.start", -1),
        ("tokens.0.start", 0.0),
        ("tokens.1.end", 10**9),
        ("tokens.2.start", 0),
        ("tokens.2.end", 0),
        ("tokens.0.id", -1),
        ("tokens.0.id", 2**70),
        ("tokens.0.text", 5),
        ("tokens", []),
        ("signals", []),
        ("signals", ["attmean", "attmean"]),
        ("signals", ["attmean", 3]),
        ("signals.0", "x" * 300),
        ("media", []),
        ("media.1.width", 0),
        ("media.1.width", 1.5),
        ("media.2.duration", -1),
        ("media.2.duration", "1"),
        ("media.2.duration", 1e300),
        ("media.2.peaks", [2.0]),
        ("media.2.peaks", "01"),
        ("media.3.has_sound", 1),
        ("media.1.notes", [None]),
        # Bins of a quarter of a second would take gigabytes.
        ("media.2.duration", 1e7),
        ("model.parameters", -1),
        ("model.path", "/root"),
        ("model.world_only", "no"),
        ("generation.temperature", -1),
        ("generation.seed", 0.5),
        ("generation.max_new_tokens", 0),
        ("stopped", "crashed"),
        ("timings", []),
        ("timings.prefill", -0.1),
        ("timings.prefill", None),
    ],
)
def test_every_value_is_checked(saved: Path, at: str, value):
    refused(changed(saved, lambda document: set_in(document, at, value)), "cannot be opened")


def test_more_text_than_can_be_cut_into_sentences(saved: Path):
    def lengthen(document):
        document["instruction"] = document["answer"] = "a " * 300_000

    refused(changed(saved, lengthen), "characters of text")


@pytest.mark.parametrize("key", ["instruction", "parts", "tokens", "timings", "stopped", "model"])
def test_nothing_may_be_missing(saved: Path, key: str):
    refused(changed(saved, lambda document: document.pop(key) and None), "exactly")


@pytest.mark.parametrize("value", [[], 3, None, "omnitrace", {"format": "other"}, {"version": 1}])
def test_foreign_documents(saved: Path, value):
    content = {**entries(saved), "trace.json": json.dumps(value).encode()}
    refused(rewrite(saved, content), "not a trace file")


def test_a_file_of_version_1_opens(saved: Path, tmp_path: Path):
    def older(document) -> None:
        document["version"] = 1
        del document["given"], document["as_untraced"], document["transcripts"]
        without_version_3(document)

    back = Trace.load(changed(saved, older), tmp_path / "visitor")
    assert (back.given, back.as_untraced, dict(back.transcripts)) == (False, None, {})
    assert (back.shortage, dict(back.view)) == (None, {})


def test_a_file_of_version_2_opens(saved: Path, tmp_path: Path):
    def older(document) -> None:
        document["version"] = 2
        without_version_3(document)

    back = Trace.load(changed(saved, older), tmp_path / "visitor")
    assert (back.shortage, dict(back.view)) == (None, {})
    assert {(info.speech, info.shots) for info in back.media} == {((), ())}


def without_version_3(document) -> None:
    del document["shortage"], document["view"]
    for info in document["media"]:
        del info["speech"], info["shots"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speech", [[0.0, 1.0], [0.5, 2.0]]),
        ("speech", [[1.0]]),
        ("speech", [[2.0, 1.0]]),
        ("shots", [0.0, 2.0, 1.0]),
        ("shots", [1.0, 2.0]),
    ],
)
def test_time_that_runs_backwards_is_refused(saved: Path, key: str, value: list):
    def broken(document) -> None:
        document["media"][-1][key] = value

    refused(changed(saved, broken), f"{key} is out of order|{key} are out of order")


def test_a_newer_file_asks_for_an_update(saved: Path):
    newer = changed(saved, lambda document: {"format": "omnitrace", "version": 99, "new": []})
    refused(newer, "version 99, written by a newer .* reads up to version 3. Update")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": "omnitrace", "version": 1, "x": NaN}',
        b"9" * 10_000,
    ],
)
def test_documents_that_are_no_json(saved: Path, plain: bytes):
    refused(rewrite(saved, {**entries(saved), "trace.json": plain}), "trace.json is damaged")


def test_numbers_that_json_does_not_have(saved: Path):
    content = entries(saved)
    plain = content["trace.json"].replace(b'"duration": 1.5', b'"duration": Infinity')
    assert plain != content["trace.json"]
    refused(rewrite(saved, {**content, "trace.json": plain}), "damaged")


def with_arrays(path: Path, change) -> Path:
    content = entries(path)
    arrays = {name: array.copy() for name, array in load(content["scores.safetensors"]).items()}
    arrays = change(arrays) or arrays
    return rewrite(path, {**content, "scores.safetensors": save(arrays)})


def put(name: str, at, value):
    return lambda arrays: arrays[name].__setitem__(at, value)


@pytest.mark.parametrize(
    "change",
    [
        put("scores.0", (0, 0), np.nan),
        put("scores.0", (0, 0), np.inf),
        put("scores.1", (0, 0), -1),
        put("own.0", 0, -1),
        put("own.0", 0, np.nan),
        put("timeline.part", 0, 4),
        put("timeline.part", 0, -3),
        put("timeline.part", 2, -1),
        put("timeline.part", 0, 0),
        put("timeline.lane", 0, 5),
        put("timeline.lane", 0, -2),
        put("timeline.lane", 2, 1),
        put("timeline.chars", 2, [0, 900]),
        put("timeline.chars", 2, [5, 4]),
        put("timeline.chars", 2, [-1, 4]),
        put("timeline.chars", 1, [0, 900]),
        put("timeline.chars", 4, [0, 1]),
        put("timeline.seconds", 6, [2.0, 1.0]),
        put("timeline.seconds", 6, [0.0, np.nan]),
        put("timeline.seconds", 6, [0.0, np.inf]),
        put("timeline.seconds", 6, [-1.0, 1.0]),
        put("timeline.seconds", 6, [0.0, 1e30]),
        put("timeline.box", 4, [0.0, 0.0, -1.0, 1.0]),
        put("timeline.box", 4, [5.0, 0.0, 1.0, 1.0]),
        lambda arrays: arrays.pop("scores.1") is None,
        lambda arrays: arrays.pop("timeline.box") is None,
        lambda arrays: arrays.pop("timeline.part") is None,
        lambda arrays: {**arrays, "more": np.zeros(1)},
        lambda arrays: {**arrays, "scores.0": arrays["scores.0"].astype(np.float32)},
        lambda arrays: {**arrays, "scores.0": arrays["scores.0"][:, 1:]},
        lambda arrays: {**arrays, "scores.0": arrays["scores.0"][1:]},
        lambda arrays: {**arrays, "own.0": arrays["own.0"][:, None]},
        lambda arrays: {**arrays, "timeline.part": arrays["timeline.part"][:-1]},
        lambda arrays: {**arrays, "timeline.part": np.array(0, np.int16)},
        lambda arrays: {**arrays, "timeline.chars": arrays["timeline.chars"].ravel()},
        lambda arrays: {"more": np.zeros(1)},
    ],
)
def test_every_array_is_checked(saved: Path, change):
    refused(with_arrays(saved, change), "cannot be opened")


@pytest.mark.parametrize(
    "plain", [b"", b"\x80\x04pickle.", b"\xff" * 64, b"\x08" + b"\0" * 7 + b"{}"]
)
def test_scores_that_are_none(saved: Path, plain: bytes):
    refused(rewrite(saved, {**entries(saved), "scores.safetensors": plain}), "cannot be opened")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "/etc/evil.png",
        "media/../evil.png",
        "media/0001.png/x",
        "media/0001.html\n",
        "media/evil.png",
        "media\\0001.png",
        "C:/evil.png",
        "media/",
        "evil.py",
        "trace.pkl",
        "media/٠٠٠١.png",
    ],
)
def test_entries_that_no_trace_file_has(saved: Path, name: str, tmp_path: Path):
    refused(rewrite(saved, {**entries(saved), name: b"evil"}), "which no trace file has")
    assert not list(tmp_path.rglob("*evil*"))


def test_links_and_other_special_files(saved: Path):
    content = entries(saved)
    del content["media/0001.png"]
    with zipfile.ZipFile(rewrite(saved, content), "a") as target:
        link = zipfile.ZipInfo("media/0001.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "/etc/passwd")
    refused(saved, "link")


def test_one_name_twice(saved: Path):
    with zipfile.ZipFile(saved, "a") as target, pytest.warns(UserWarning, match="Duplicate"):
        target.writestr("trace.json", "{}")
    refused(saved, "one name")


def test_media_that_no_part_names_are_not_unpacked(saved: Path, tmp_path: Path):
    rewrite(saved, {**entries(saved), "media/0007.html": b"<script>alert(1)</script>"})
    Trace.load(saved, tmp_path / "visitor")
    assert not list((tmp_path / "visitor").rglob("*.html"))


def test_too_many_entries(saved: Path):
    many = {f"media/{n:04d}.png": b"" for n in range(archive.MAX_ENTRIES)}
    refused(rewrite(saved, {**entries(saved), **many}), "entries; at most")


def test_a_bomb_is_refused_before_it_is_unpacked(saved: Path):
    bomb = {**entries(saved), "media/0009.png": bytes(archive.HARMLESS + 1)}
    refused(rewrite(saved, bomb), "packed too tightly")


def test_a_file_that_would_fill_the_disk(saved: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_TOTAL", 1_000)
    refused(saved, "would unpack to .* at most 1000")


def test_a_huge_document(saved: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_DOCUMENT", 100)
    refused(saved, "larger than 100 bytes")


def test_a_document_of_nothings_is_not_parsed(saved: Path):
    """Four million empty lists pack into a few kilobytes, and would take 250 MB."""
    nothings = b"[" + b"[]," * archive.MAX_VALUES + b"[]]"
    refused(rewrite(saved, {**entries(saved), "trace.json": nothings}), "values")


def test_a_table_of_contents_is_not_read_beyond_its_bound(saved: Path):
    """Its entries are counted after all are in memory, half a kilobyte each."""
    names = {f"media/{n:04d}.png": b"" for n in range(10_000)}
    rewrite(saved, {**entries(saved), **names})
    tracemalloc.start()
    refused(saved, "not a trace file")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_size_that_lies(saved: Path):
    """The table of contents says one byte; no more than that is ever taken."""
    data = bytearray(saved.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"scores.safetensors"))
    data[at + 24 : at + 28] = (1).to_bytes(4, "little")
    saved.write_bytes(data)
    refused(saved, "damaged")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(saved: Path, compression: int):
    refused(rewrite(saved, entries(saved), compression), "unknown way")


def test_an_encrypted_entry(saved: Path):
    data = bytearray(saved.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark)
        data[at + offset] |= 1
    saved.write_bytes(data)
    refused(saved, "cannot be opened")


def test_damaged_media_leave_nothing_behind(saved: Path):
    data = bytearray(saved.read_bytes())
    data[data.index(b"c.mp4c.mp4") + 5] ^= 1
    saved.write_bytes(data)
    refused(saved, "media are damaged")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04"])
def test_files_that_are_something_else(tmp_path: Path, content: bytes):
    (tmp_path / "x.omnitrace").write_bytes(content)
    refused(tmp_path / "x.omnitrace", "not a trace file")


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path):
    refused(tmp_path / "gone.omnitrace", "no such file")
    (tmp_path / "d.omnitrace").mkdir()
    refused(tmp_path / "d.omnitrace", "not a trace file")


FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def opens_or_is_refused(path: Path, folder: Path) -> None:
    try:
        Trace.load(path, folder)
    except TraceFileError as error:
        assert str(folder) not in str(error)


@FUZZ
@given(data=st.data())
def test_flipped_bytes_never_raise_anything_else(saved: Path, tmp_path: Path, data):
    damaged = bytearray(saved.read_bytes())
    flips = st.tuples(st.integers(0, len(damaged) - 1), st.integers(1, 255))
    for at, mask in data.draw(st.lists(flips, min_size=1, max_size=4)):
        damaged[at] ^= mask
    (tmp_path / "f.omnitrace").write_bytes(damaged)
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


@FUZZ
@given(data=st.data())
def test_truncation_and_noise_never_raise_anything_else(saved: Path, tmp_path: Path, data):
    whole = saved.read_bytes()
    end = data.draw(st.integers(0, len(whole)))
    tail = data.draw(st.binary(max_size=40))
    (tmp_path / "f.omnitrace").write_bytes(whole[:end] + tail)
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


@FUZZ
@given(data=st.data())
def test_damage_inside_sound_zips_never_raises_anything_else(saved: Path, tmp_path: Path, data):
    """The checksums of the zip are right, so the damage reaches JSON and safetensors."""
    content = entries(saved)
    name = data.draw(st.sampled_from(["trace.json", "scores.safetensors"]))
    damaged = bytearray(content[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(damaged) - 1, 700)))
        damaged[at] = data.draw(st.integers(0, 255))
    rewrite(tmp_path / "f.omnitrace", {**content, name: bytes(damaged)})
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@FUZZ
@given(data=st.data(), value=JSON)
def test_any_json_anywhere_never_raises_anything_else(saved: Path, tmp_path: Path, data, value):
    content = entries(saved)
    document = json.loads(content["trace.json"])
    holder, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = data.draw(st.sampled_from(keys))
    holder[key] = value
    plain = json.dumps(document).encode()
    rewrite(tmp_path / "f.omnitrace", {**content, "trace.json": plain})
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


def test_the_hand_made_prompt_has_no_files_and_is_no_problem(tmp_path: Path):
    back = Trace.load(trace_of(np.ones((1, len(ROWS))), "Yes.").save(tmp_path / "x.omnitrace"))
    assert [part.kind for part in back.prompt.parts] == [part.kind for part in PROMPT.parts]
