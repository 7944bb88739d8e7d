"""What is saved comes back exactly, or is not written at all."""

import resource
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import TraceFileError
from core.explain import explain, to_json
from core.prompt import ImagePart, Prompt, TextPart
from core.timeline import Timeline
from core.trace import Token, Trace
from core.tracefile import archive
from tests.core.handmade import PROMPT, ROWS, timeline_of, trace_of


def same_arrays(one: Timeline, other: Timeline) -> bool:
    names = ("part", "lane", "chars", "seconds", "box")
    return all(
        getattr(one, n).dtype == getattr(other, n).dtype
        and np.array_equal(getattr(one, n), getattr(other, n), equal_nan=n in ("seconds", "box"))
        for n in names
    )


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
    wrong = replace(trace, tokens=(Token(0, "x", 5, 900),) * len(trace.tokens))
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


def test_the_hand_made_prompt_has_no_files_and_is_no_problem(tmp_path: Path):
    back = Trace.load(trace_of(np.ones((1, len(ROWS))), "Yes.").save(tmp_path / "x.omnitrace"))
    assert [part.kind for part in back.prompt.parts] == [part.kind for part in PROMPT.parts]
