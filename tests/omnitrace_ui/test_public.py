"""The whole app in public, in small; ``python -m tests.load`` is the same at full size."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import torch

from core.models.registry import load_model
from core.samples import read_samples
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.library import Library
from omnitrace_ui.allowance import Allowance
from omnitrace_ui.layout import build_app
from omnitrace_ui.server import Serving, launch, private_folder
from omnitrace_ui.session import Store
from tests.load.crowd import answers_alone, crowd
from tests.load.siege import besiege
from tests.load.visitor import Visitor, visiting

HELDOUT = Path(__file__).resolve().parents[2] / "assets" / "heldout" / "samples.json"
LONG = {"instruction": "Tell me everything about the stars. Go on and on.", "parts": []}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    before = os.environ.get("GRADIO_TEMP_DIR")
    root = private_folder()
    allowance = Allowance(waiting=2, per_address=4)
    engine = Engine({"embedded": partial(load_model, "embedded")}, allowance=allowance)
    yield Site(engine, Store(root, allowance), Library())
    shutil.rmtree(root, ignore_errors=True)
    del os.environ["GRADIO_TEMP_DIR"]
    if before is not None:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    app = build_app(site)
    yield launch(app, Serving(), site.store)
    app.close()


def begun(visitor: Visitor, phrase: str = "Answering") -> Iterator[dict]:
    """A generation that has got as far as to say so; keep it, or its connection is cut."""
    messages = visitor.run(**LONG)
    assert any(phrase in str(message) for message in messages)
    return messages


def wait_for(condition, seconds: float = 60) -> float:
    """Returns the seconds of work of this process, server and model included, meanwhile.

    Work, shared out over the model's threads, is the same on a busy machine; time is not.
    """
    start, worked = time.monotonic(), time.process_time()
    while not condition():
        assert time.monotonic() - start < seconds
        time.sleep(0.02)
    return (time.process_time() - worked) / torch.get_num_threads()


def is_free(site: Site) -> bool:
    place = site.engine.line.join()
    try:
        return place.wait(0)
    finally:
        place.close()


def test_visitors_at_once_get_their_own_and_all_of_it(url):
    prompts = [sample.prompt() for sample in read_samples(HELDOUT)[:3]]
    outcome = crowd(url, answers_alone(prompts), seconds=0)
    assert outcome.wrong == []
    assert outcome.answers == 3 and outcome.said["waited in line"] >= 1


def test_hostile_files_and_requests_break_nothing_and_reveal_nothing(url):
    siege = besiege(url, 20, each=1)
    assert siege.wrong == []
    assert siege.files == 20 and siege.told + siege.refused_uploads >= 12


def test_a_closed_tab_stops_its_answer_and_the_next_is_served(url, site):
    visitor = Visitor(url)
    messages = begun(visitor)
    assert not is_free(site)
    visitor.close()
    assert wait_for(lambda: is_free(site)) < 2
    messages.close()


def test_who_waits_knows_where_and_a_full_line_turns_away(url, site):
    with (
        closing(site.engine.line.join()) as held,
        visiting(url) as first,
        visiting(url) as second,
        visiting(url) as third,
    ):
        waiting = begun(first, "number 1 in line")
        last = begun(second, "number 2 in line")
        *_, _ = third.run(**LONG)
        status = third.view()["status"]
        assert status["phase"] == "error"
        assert "2 are waiting" in status["text"] and "number 3" in status["text"]
        held.close()
        assert list(waiting)[-1]["success"] and list(last)[-1]["success"]
        assert first.view()["status"]["phase"] == second.view()["status"]["phase"] == "done"


def test_closing_a_tab_that_waits_gives_its_place_up(url, site):
    with closing(site.engine.line.join()):
        first = Visitor(url)
        waiting = begun(first, "number 1 in line")
        with visiting(url) as second:
            behind = begun(second, "number 2 in line")
            first.close()
            assert any("number 1 in line" in str(message) for message in behind)
    waiting.close()
    wait_for(lambda: is_free(site))
