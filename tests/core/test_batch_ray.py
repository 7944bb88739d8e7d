"""A batch on a real local cluster of two CPU actors, one of which is killed in the middle.

Ray is started once: one batch holds everything that may happen to a sample.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.batch import ModelChoice, Outcome, Recipe, Task, trace_samples
from core.batch.on_ray import SETTINGS, Loads, Share, share, trace_on_ray
from core.cli import main
from core.errors import InputError, ModelError
from core.samples import read_samples
from core.trace import Generation, Trace
from tests.core.mortal import MortalChoice, noted

RECIPE = Recipe(("attmean", "rawatt"), Generation(max_new_tokens=4))
TEXTS = ["Tom sold hats.", "Fall once.", "Anna lost a cat.", "Ben has a dog."]
EARLIER = 1
"""So many samples are traced by a plain run before Ray takes over."""


def write_samples(folder: Path) -> Path:
    questions = [[{"text": text}] for text in TEXTS] + [[{"image": "missing.png"}]]
    entries = [{"prompt": "Summarise the text.", "question": question} for question in questions]
    path = folder / "samples.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Batch:
    """``stamp``: when the trace of the earlier run was written."""

    folder: Path
    out: Path
    stamp: int
    finished: list[Task]
    outcome: Outcome


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("batch")
    samples, out = read_samples(write_samples(folder)), folder / "out"
    trace_samples(ModelChoice(), samples[:EARLIER], out, RECIPE)
    (earlier,) = out.glob("*.omnitrace")
    stamp = earlier.stat().st_mtime_ns
    finished: list[Task] = []

    def watched(choice, tasks):
        for task in trace_on_ray(choice, tasks, actors=2):
            finished.append(task)
            yield task

    before = dict(os.environ)
    outcome = trace_samples(MortalChoice(folder=folder), samples, out, RECIPE, runner=watched)
    assert all(os.environ.get(name) == before.get(name) for name in SETTINGS)
    return Batch(folder, out, stamp, finished, outcome)


def test_nothing_is_lost(batch: Batch):
    assert (batch.outcome.traced, batch.outcome.present) == (3, EARLIER)
    ((name, message),) = batch.outcome.failed
    assert name == "sample 5 (id 5)" and "missing.png" in message


def test_nothing_is_traced_twice(batch: Batch):
    begun = noted(batch.folder / "begun")
    assert sorted(begun) == sorted([*TEXTS[EARLIER:], "Fall once."])
    names = [task.name for task in batch.finished]
    assert sorted(names) == [f"sample {entry} (id {entry})" for entry in range(2, 6)]
    assert batch.stamp == min(p.stat().st_mtime_ns for p in batch.out.glob("*.omnitrace"))


def test_the_model_is_loaded_once_a_process(batch: Batch):
    loads = noted(batch.folder / "loads")
    assert len(loads) == len(set(loads))
    assert len(loads) == 2 + 1  # Two actors, and the one that took a dead one's place.


def test_traces_and_records_are_those_of_a_plain_run(batch: Batch, tmp_path: Path):
    trace_samples(ModelChoice(), read_samples(batch.folder / "samples.json"), tmp_path, RECIPE)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in batch.out.iterdir()) and len(names) == 5
    for name in names:
        ours, plain = batch.out / name, tmp_path / name
        if name.endswith(".failed.json"):
            assert ours.read_text() == plain.read_text()
        else:
            assert_equal(Trace.load(ours), Trace.load(plain))


def assert_equal(ours: Trace, plain: Trace) -> None:
    assert ours.tokens == plain.tokens
    np.testing.assert_array_equal(ours.timeline.chars, plain.timeline.chars)
    assert ours.signals == plain.signals
    for signal in ours.signals:
        # Another number of threads adds in another order.
        np.testing.assert_allclose(ours.scores[signal], plain.scores[signal], atol=1e-3)


def test_nothing_is_left_running(batch: Batch):
    names = [process.name() for process in psutil.Process().children(recursive=True)]
    assert not [name for name in names if "ray" in name or name == "gcs_server"]


@pytest.mark.parametrize(
    ("actors", "threads", "gpus", "spread", "each"),
    [
        (2, 8, 0, False, Share(4, 0)),
        (4, 2, 0, False, Share(1, 0)),
        (4, 16, 4, False, Share(4, 1)),
        (2, 16, 4, False, Share(8, 1)),
        (2, 16, 4, True, Share(8, 2)),
        (3, 16, 4, True, Share(5, 1)),
        (2, 16, 1, False, Share(8, 0.5)),
        (6, 16, 4, False, Share(2, 0.5)),
        (6, 16, 4, True, Share(2, 0.5)),
    ],
)
def test_actors_share_the_machine(actors, threads, gpus, spread, each):
    assert share(actors, threads=threads, gpus=gpus, spread=spread) == each


def test_a_device_of_ones_own_cannot_be_shared():
    with pytest.raises(InputError, match="cuda:1"):
        next(trace_on_ray(ModelChoice(device="cuda:1"), []))


def test_processes_that_end_while_loading_are_not_started_for_ever(tmp_path: Path):
    loads = Loads(tmp_path / "loads", most=2)
    assert loads.load(ModelChoice()).info.name == "embedded"
    for dead in "ab":
        (tmp_path / "loads" / dead).touch()
    with pytest.raises(ModelError, match="process after process"):
        loads.load(ModelChoice())


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--ray"], "pip install -r core/batch/requirements.txt"), (["--actors", "2"], "--ray")],
)
def test_what_is_missing_is_said_in_one_line(
    options, told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setitem(sys.modules, "ray", None)
    out = str(tmp_path / "out")
    assert main(["trace", str(write_samples(tmp_path)), "--out", out, *options]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and told in line
