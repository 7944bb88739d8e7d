"""Tracing in several processes, each with a model of its own, by Ray Data on this machine.

A task is a block of a data set that ``map_batches`` carries to a pool of actors. An actor loads the
model once and attempts tasks one by one, leaving traces and failures in the folder itself
(``core.batch.task``); only the number of a finished task comes back. When an actor's process ends
in the middle, Ray starts another and gives it that task again.

The cluster is private: it lives as long as the batch, listens on 127.0.0.1 alone and only to who
knows a key made for it, keeps its files in a folder that is removed afterwards, and sends nothing
home. This knows no signals, and of models only how to have one loaded.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.batch.run import ModelChoice
from core.batch.task import TRIES, Task, attempt
from core.errors import InputError, MissingExtraError, ModelError, OmniTraceError
from core.models.base import TracedModel

if TYPE_CHECKING:
    import numpy as np

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    # Its name misleads: 0 keeps a cluster on 127.0.0.1, on Linux too.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    # One for all clusters of this process: Ray remembers the first.
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    # Deaths of actors are told by the batch, in its own words.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # As nice as the command that started them; Ray would make actors nicer by 15.
    "RAY_worker_niceness": "0",
}
"""Read from the environment by Ray when it is imported and when it starts."""

STORE_BYTES = 128 * 2**20
"""Memory for what passes between processes: task numbers, and the tasks once."""


@dataclass(frozen=True)
class Share:
    """What each actor gets: ``cpus`` are threads; ``gpus`` may be a fraction of one."""

    cpus: int
    gpus: float


def share(actors: int, *, threads: int, gpus: int, spread: bool) -> Share:
    """Divide the machine: together the actors use as much as one process would.

    Args:
        actors: how many there are to be.
        threads: of one process that has the machine to itself.
        gpus: how many the machine has.
        spread: a model is laid over all GPUs that its process sees, else it is on one.
    """
    cpus = max(1, threads // actors)
    if not gpus:
        return Share(cpus, 0)
    if spread and gpus >= actors:
        return Share(cpus, gpus // actors)
    # A share must not straddle two GPUs: where actors outnumber them, the fullest one decides.
    return Share(cpus, 1 / math.ceil(actors / gpus))


def trace_on_ray(
    choice: ModelChoice, tasks: Sequence[Task], *, actors: int | None = None
) -> Generator[Task, None, None]:
    """The ``Runner`` that has ``actors`` processes (default: one a GPU) trace side by side.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: the device is one that actors cannot share.
        ModelError: the model cannot be loaded.
        OmniTraceError: Ray does not start here.
    """
    import torch

    gpus = 0 if choice.device == "cpu" else torch.cuda.device_count()
    if choice.device not in (None, "cpu"):
        raise InputError(
            f"The device {choice.device!r} cannot be shared: with Ray each process has "
            "GPUs of its own. Leave the device out, or give cpu."
        )
    actors = min(actors or max(1, gpus), len(tasks))
    part = share(
        actors,
        threads=torch.get_num_threads(),
        gpus=gpus,
        spread=choice.device_map is not None,
    )
    with _cluster(actors * part.cpus, gpus) as folder:
        loads = Loads(folder / "loads", most=actors + TRIES)
        finished = _finished((choice, tuple(tasks), loads), len(tasks), actors, part)
        with closing(finished):
            for number in finished:
                yield tasks[number]


@contextmanager
def _cluster(cpus: int, gpus: int) -> Iterator[Path]:
    """A private cluster on this machine, up for the block; yields the folder of its files."""
    with (
        _environment(SETTINGS),
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
    ):
        try:
            import ray.data
        except ImportError as error:
            raise MissingExtraError(
                "Tracing in several processes needs Ray. Install it with: "
                "pip install -r core/batch/requirements.txt"
            ) from error
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        try:
            _start(cpus, gpus, folder)
            yield Path(folder)
        finally:
            ray.shutdown()


def _start(cpus: int, gpus: int, folder: str) -> None:
    import ray

    try:
        ray.init(
            address="local",
            num_cpus=cpus,
            num_gpus=gpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            object_store_memory=STORE_BYTES,
            _temp_dir=folder,
        )
    except Exception as error:  # Whatever stopped it, the remedy is the same.
        raise OmniTraceError(
            "Ray did not start on this machine in time. Try again when the machine is less busy, "
            "or trace without Ray."
        ) from error


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _finished(
    arguments: tuple[ModelChoice, tuple[Task, ...], Loads], count: int, actors: int, part: Share
) -> Iterator[int]:
    """The numbers of the tasks, as they are finished."""
    import ray.data

    numbers = ray.data.from_items(
        [{"task": number} for number in range(count)], override_num_blocks=count
    )
    context = numbers.context
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = -1  # A film may take its time.
    done = numbers.map_batches(
        _Actor,
        fn_constructor_args=arguments,
        batch_size=1,
        # One at a time: a task that waits behind another could be with an idle actor.
        compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=1),
        num_cpus=part.cpus,
        num_gpus=part.gpus or None,
    )
    for batch in done.iter_batches(batch_size=None, prefetch_batches=0):
        for number, problem in zip(batch["task"], batch["problem"], strict=True):
            if problem:
                raise ModelError(str(problem))
            yield int(number)


@dataclass(frozen=True)
class Loads:
    """The loads of the model that have begun and not ended, as marks in ``folder``.

    Ray starts a process anew however often it ends; one that never gets past loading must not
    start for ever. ``most`` marks are believable: of loads in progress, and of a few dead.
    """

    folder: Path
    most: int

    def load(self, choice: ModelChoice) -> TracedModel:
        """Load the model.

        Raises:
            ModelError: as ``load_model``, or process after process ended while loading.
        """
        self.folder.mkdir(exist_ok=True)
        if len([*self.folder.iterdir()]) >= self.most:
            raise ModelError(
                f"The model {choice.title!r} cannot be loaded: process after process ends while "
                "loading it, most often because memory runs out. Use fewer processes, or a smaller "
                "model."
            )
        with tempfile.NamedTemporaryFile(dir=self.folder):
            return choice.load()


class _Actor:
    """One process's model. It is called with a batch of one task's number."""

    def __init__(self, choice: ModelChoice, tasks: tuple[Task, ...], loads: Loads) -> None:
        self._tasks = tasks
        self._problem = ""
        try:
            self._model = loads.load(choice)
        except OmniTraceError as error:
            # Raised here, it would reach the person as the tale of an actor's death.
            self._problem = str(error)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """Attempt the task; ``problem`` says why none can be."""
        if not self._problem:
            attempt(self._tasks[batch["task"].item()], self._model)
        return {"task": batch["task"], "problem": [self._problem]}
