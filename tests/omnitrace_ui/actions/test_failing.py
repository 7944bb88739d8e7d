"""The machine or the model fails in the middle: who asked is told, the next is served."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from core.errors import LimitError, TraceFileError
from omnitrace_ui import session
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.keep import save_explanation, save_page, save_trace
from omnitrace_ui.actions.memory import give_back, is_out_of_memory
from omnitrace_ui.actions.messages import DISK_FULL, OUT_OF_MEMORY, UNEXPECTED, message
from omnitrace_ui.allowance import Allowance
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views import GivenPart
from tests.core.tiny import tiny_model

HELLO = GivenPart("t", "text", text="Hello there.")


def run(explore: Explore, visitor: Visitor, request) -> dict:
    """The status that a run ends with."""
    *_, last = explore.generator.run(visitor, request)
    return last.view["status"]


def fill_the_memory() -> None:
    torch.empty(2**46, dtype=torch.uint8)


def break_down() -> None:
    raise RuntimeError("/srv/models/secret: device-side assert")


@pytest.mark.parametrize(
    ("fault", "ends", "says"),
    [
        (fill_the_memory, ("done", "memory"), "Memory ran out after 5 tokens"),
        (break_down, ("error", "cancelled"), UNEXPECTED),
    ],
)
def test_a_fault_between_two_tokens_keeps_what_was_written(
    explore, request_of, monkeypatch, fault, ends, says
):
    model, tokens = tiny_model(), []
    list(explore.site.engine.loading("tiny"))
    spell = type(model).token_bytes

    def token_bytes(self, token):
        tokens.append(token)
        if len(tokens) == 6:
            fault()
        return spell(self, token)

    monkeypatch.setattr(type(model), "token_bytes", token_bytes)
    visitor, other = Visitor(), Visitor()
    status = run(explore, visitor, request_of(HELLO))
    assert (status["phase"], visitor.trace.stopped) == ends
    assert says in status["text"] and len(visitor.trace.tokens) == 5
    assert not visitor.running
    assert run(explore, other, request_of(HELLO))["phase"] == "done"
    assert len(other.trace.tokens) == 24


def test_what_the_lack_of_memory_looks_like():
    with pytest.raises(RuntimeError) as failure:
        fill_the_memory()
    caused = ValueError("wrapped")
    caused.__cause__ = failure.value
    for error in (failure.value, caused, MemoryError(), torch.OutOfMemoryError("CUDA")):
        assert is_out_of_memory(error) and message(error) == OUT_OF_MEMORY
    for error in (ValueError("out of memory"), RuntimeError("shape"), OSError(2, "gone")):
        assert not is_out_of_memory(error)
    give_back()


def test_a_picture_beyond_the_memory_is_not_called_damaged(explore, request_of, files, monkeypatch):
    def no_memory(self):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", no_memory)
    form = GivenPart("i", "image", path=files["image"], name="a.png")
    assert run(explore, Visitor(), request_of(form))["text"] == OUT_OF_MEMORY


def test_an_answer_that_takes_too_long_ends_and_says_so(tmp_path, request_of):
    root = tmp_path / "short"
    root.mkdir()
    allowance = Allowance(generation_seconds=0.1, answer_tokens=900)
    explore = Explore(Site(Engine({"tiny": tiny_model}, allowance=allowance), Store(root)))
    visitor = Visitor()
    status = run(explore, visitor, request_of(HELLO, tokens=100_000))
    assert len(visitor.trace.tokens) < 900
    assert status["phase"] == "error" and "after 1 s" in status["text"]
    assert "What was written stays" in status["text"] and visitor.trace.stopped == "cancelled"


def test_an_answer_is_no_longer_than_is_allowed(tmp_path, request_of):
    root = tmp_path / "few"
    root.mkdir()
    engine = Engine({"tiny": tiny_model}, allowance=Allowance(answer_tokens=3))
    visitor = Visitor()
    assert run(Explore(Site(engine, Store(root))), visitor, request_of(HELLO))["phase"] == "done"
    assert len(visitor.trace.tokens) == 3


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        (
            {"total_megapixels": 0.004},
            r"come to 4,704 pixels; the limit is 4,000.*fewer or smaller",
        ),
        ({"total_seconds": 0.5}, r"last 1 s together; the limit is 0.5 s.*shorter"),
    ],
)
def test_all_media_together_have_a_bound(tmp_path, request_of, bounds, says):
    import re

    engine = Engine({"tiny": tiny_model}, allowance=Allowance(**bounds))
    status = run(Explore(Site(engine, Store(tmp_path))), Visitor(), request_of())
    assert status["phase"] == "error" and re.search(says, status["text"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs a right that this user lacks")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_told_and_costs_nothing(small_disk, request_of, monkeypatch):
    explore = Explore(Site(Engine({"tiny": tiny_model}), Store(small_disk)))
    store, visitor = explore.site.store, Visitor()
    with pytest.raises(LimitError, match=r"no room.*Try again"):
        store.fresh_folder(visitor)
    monkeypatch.setattr(session, "_KEPT_FREE", 0)  # As if it filled up in this moment.
    assert run(explore, visitor, request_of(HELLO))["phase"] == "done"
    kept = visitor.trace
    store.folder(visitor).joinpath("saved").mkdir()
    filler = small_disk / "filler"
    with pytest.raises(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(4096))
            file.flush()
    with pytest.raises(TraceFileError, match="No space left"):
        save_trace(visitor, store)
    for save in (save_explanation, save_page):
        with pytest.raises(OSError) as failure:
            save(visitor, store)
        assert message(failure.value) == DISK_FULL
    assert not store.has_room(1)
    assert visitor.trace is kept
    filler.unlink()
    assert save_trace(visitor, store).is_file()
    assert run(explore, Visitor(), request_of(HELLO))["phase"] == "done"
