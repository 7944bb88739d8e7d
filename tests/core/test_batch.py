"""What done, failed and left mean, in one process and where processes are killed."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from core.batch import ModelChoice, Recipe, Task, trace_samples
from core.batch.task import TRIES, attempt, plan
from core.errors import InputError
from core.samples import Sample, read_samples
from core.trace import Generation, Trace
from tests.core.tiny import save_tiny

RECIPE = Recipe(("attmean",), Generation(max_new_tokens=3))
MEDIA = Path(__file__).parents[2] / "assets" / "heldout" / "media"


class Unloadable(ModelChoice):
    def load(self):
        raise AssertionError("loaded for nothing")


class Stub:
    """A model that never gets further than to the prompt."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end

    def prepare(self, prompt, **options):
        self.end()


def samples(folder: Path) -> tuple[Sample, ...]:
    """A text, and a picture that is missing."""
    entries = [
        {"id": "text", "prompt": "Summarise the text.", "question": [{"text": "Tom sold hats."}]},
        {"id": "picture", "prompt": "Describe the picture.", "question": [{"image": "late.webp"}]},
    ]
    path = folder / "samples.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return read_samples(path)


def task_in(folder: Path) -> Task:
    return plan(samples(folder), folder, RECIPE, model="embedded")[0]


def test_what_failed_is_recorded_and_traced_once_it_can_be(tmp_path: Path):
    out = tmp_path / "out"
    outcome = trace_samples(ModelChoice(), samples(tmp_path), out, RECIPE)
    (trace,), (record,) = out.glob("*.omnitrace"), out.glob("*.failed.json")
    told = json.loads(record.read_text(encoding="utf-8"))
    assert {"entry": 2, "id": "picture", "tries": 1}.items() <= told.items()
    assert outcome.failed == (("sample 2 (id picture)", told["message"]),)
    assert "late.webp" in told["message"] and str(tmp_path) not in told["message"]

    stamp = trace.stat().st_mtime_ns
    (tmp_path / "late.webp").write_bytes(min(MEDIA.glob("*.webp")).read_bytes())
    again = trace_samples(ModelChoice(), samples(tmp_path), out, RECIPE)
    assert (again.traced, again.present, again.failed) == (1, 1, ())
    assert {path.suffix for path in out.iterdir()} == {".omnitrace"}
    assert trace.stat().st_mtime_ns == stamp

    done = trace_samples(Unloadable(), samples(tmp_path), out, RECIPE)
    assert (done.traced, done.present) == (0, 2)


def test_a_task_that_is_done_is_not_attempted(tmp_path: Path):
    task = task_in(tmp_path)
    task.path.write_bytes(b"a trace")
    task.fail("It was said to have failed before.", tries=1)
    attempt(task, Stub(pytest.fail))
    assert task.path.read_bytes() == b"a trace" and task.failure is None


def test_an_unforeseen_error_is_kept_with_its_details(tmp_path: Path):
    def broken() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    task = task_in(tmp_path)
    attempt(task, Stub(broken))
    (record,) = tmp_path.glob("*.failed.json")
    told = json.loads(record.read_text(encoding="utf-8"))
    assert "RuntimeError" in task.failure and "CUDA" not in task.failure
    assert "broken" in told["details"] and "device-side assert" in told["details"]


def test_a_sample_that_ends_its_process_each_time_is_given_up(tmp_path: Path):
    task = task_in(tmp_path)
    killed = Stub(lambda: os.kill(os.getpid(), signal.SIGKILL))
    for tries in range(1, TRIES + 1):
        process = multiprocessing.get_context("fork").Process(target=attempt, args=(task, killed))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert task.tries == tries and f"{tries} of at most {TRIES}" in task.failure
    attempt(task, Stub(pytest.fail))
    assert task.tries == TRIES and not task.done
    # A new run gives it its tries again; here it lives.
    outcome = trace_samples(ModelChoice(), [task.sample], tmp_path, RECIPE)
    assert outcome.traced == 1 and Trace.load(task.path).tokens and task.failure is None


def test_what_a_person_stops_has_not_failed(tmp_path: Path):
    def stop() -> None:
        raise KeyboardInterrupt

    def stopped(choice: ModelChoice, tasks: Sequence[Task]) -> Generator[Task, None, None]:
        tasks[1].fail("It is.", tries=1)
        yield tasks[1]
        attempt(tasks[0], Stub(stop))

    with pytest.raises(KeyboardInterrupt):
        trace_samples(ModelChoice(), samples(tmp_path), tmp_path, RECIPE, runner=stopped)
    (record,) = tmp_path.glob("*.failed.json")
    assert json.loads(record.read_text())["message"] == "It is."


def test_what_is_wrong_for_all_is_said_before_a_model_is_loaded(tmp_path: Path):
    (tmp_path / "file").write_text("")
    unknown = Recipe(("attmode",), Generation())
    with pytest.raises(InputError, match="attmode"):
        trace_samples(Unloadable(), samples(tmp_path), tmp_path / "out", unknown)
    with pytest.raises(InputError, match="'file' cannot be made"):
        trace_samples(Unloadable(), samples(tmp_path), tmp_path / "file", RECIPE)


def test_a_folder_that_vanishes_is_named(tmp_path: Path):
    task = plan(samples(tmp_path), tmp_path / "gone", RECIPE, model="embedded")[0]
    with pytest.raises(InputError, match="'gone' cannot be written"):
        attempt(task, Stub(pytest.fail))


@pytest.mark.parametrize("written", ["{folder}", "{folder}/", "embedded"])
def test_a_choice_knows_the_name_that_its_traces_will_carry(written: str, tmp_path: Path):
    folder = save_tiny(tmp_path / "little")
    choice = ModelChoice(written.format(folder=folder))
    assert choice.title == choice.load().info.name
