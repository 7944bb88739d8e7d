"""A batch from start to outcome. Who traces (``Runner``) is exchangeable: the folder reports."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from core.batch.task import Recipe, Task, attempt, plan
from core.errors import InputError, OmniTraceError
from core.models.base import TracedModel
from core.models.registry import load_model
from core.samples import Sample
from core.segmenters import Segmenter
from core.segmenters.of_trace import transcribe_file
from core.signals.registry import signals_named
from core.trace import Trace


@dataclass(frozen=True)
class ModelChoice:
    """A model that is not loaded yet; arguments as ``load_model``."""

    name: str = "embedded"
    device: str | None = None
    device_map: str | None = None
    quantization: str | None = None
    trust_remote_code: bool = False

    def load(self) -> TracedModel:
        """Load it.

        Raises:
            ModelError: as ``load_model``.
        """
        return load_model(
            self.name,
            device=self.device,
            device_map=self.device_map,
            quantization=self.quantization,
            trust_remote_code=self.trust_remote_code,
        )

    @property
    def title(self) -> str:
        """``ModelInfo.name`` of the model once loaded: of a folder, its last part."""
        return Path(self.name).name if Path(self.name).is_dir() else self.name


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: counts, and ``(sample, message)`` for each that failed.

    ``differing``: samples whose answer was verified and is not the untraced one.
    """

    traced: int
    present: int
    failed: tuple[tuple[str, str], ...]
    differing: tuple[str, ...] = ()


Runner = Callable[[ModelChoice, Sequence[Task]], Generator[Task, None, None]]
"""Attempts every task, in any order, and yields each once when it is done or failed."""


def trace_here(choice: ModelChoice, tasks: Sequence[Task]) -> Generator[Task, None, None]:
    """The ``Runner`` that loads the model in this process and goes from task to task."""
    model = choice.load()
    for task in tasks:
        attempt(task, model)
        yield task


def trace_samples(
    choice: ModelChoice,
    samples: Sequence[Sample],
    folder: Path,
    recipe: Recipe,
    *,
    runner: Runner = trace_here,
    segmenter: Segmenter | None = None,
) -> Outcome:
    """Trace what is left of the samples into ``folder``, with a progress bar.

    The model is loaded only if something is left. What a sample cannot do is in the outcome and,
    as a record, in the folder. What a ``segmenter`` finds in a sample's sound is kept in its trace,
    also in those that were there before: no generation is needed for it.

    Raises:
        InputError: a signal is unknown, or the folder cannot be written.
        ModelError: the model cannot be loaded.
        MissingExtraError: the runner needs a package that is not installed.
    """
    signals_named(recipe.signals)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder.name!r} cannot be made: {error.strerror}.") from error
    tasks = plan(samples, folder, recipe, model=choice.title)
    left = [task for task in tasks if not task.done]
    present = len(tasks) - len(left)
    for task in tasks:  # Of earlier runs: all that is left gets its tries again.
        task.forget_failure()
    if left:
        # Shown from the first finished sample on: what goes wrong before that stands alone.
        with tqdm(
            desc="tracing", total=len(tasks), initial=present, unit="sample", delay=1e-3
        ) as bar:
            _attempt_all(left, runner(choice, left), bar)
    failed = tuple(
        (task.name, task.failure or "It was not attempted.") for task in left if not task.done
    )
    traced = [task for task in left if task.done]
    if segmenter is not None:
        failed += _transcribe_all([task for task in tasks if task.done], segmenter)
    differing = [task.name for task in traced if recipe.verify and _differs(task)]
    return Outcome(len(traced), present, failed, tuple(differing))


def _transcribe_all(tasks: Sequence[Task], segmenter: Segmenter) -> tuple[tuple[str, str], ...]:
    """Let every trace keep what the segmenter finds; ``(sample, message)`` where it cannot."""
    failed = []
    for task in tqdm(tasks, desc="transcribing", unit="sample"):
        try:
            transcribe_file(task.path, segmenter)
        except OmniTraceError as error:
            failed.append((task.name, str(error)))
    return tuple(failed)


def _differs(task: Task) -> bool:
    with TemporaryDirectory(prefix="omnitrace-") as folder:
        return Trace.load(task.path, folder).as_untraced is False


def _attempt_all(tasks: Sequence[Task], finishing: Generator[Task, None, None], bar: tqdm) -> None:
    unfinished = {task.path: task for task in tasks}
    try:
        with closing(finishing):
            for task in finishing:
                unfinished.pop(task.path)
                bar.update()
    except KeyboardInterrupt:
        # What was in progress has not failed: it is left for the next run.
        for task in unfinished.values():
            task.forget_failure()
        raise
