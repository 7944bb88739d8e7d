"""One sample of a batch, and the one place that says what done, failed and left mean.

A task is a sample with the file that its trace goes to. The folder alone says how a batch stands:

* done: the trace file is there.
* failed: it is not, and a record ``NAME.failed.json`` is. One line of JSON: ``entry`` and ``id`` of
  the sample, ``message`` for people, ``tries``, and ``details`` (a traceback) of unforeseen errors.
  What was traced until memory ran out stands beside, as ``NAME.omnitrace.partial``.
* left: not done. A batch that is started again attempts exactly these, the failed ones too.

Both files are written whole or not at all, by whoever traces the sample. The record is written
before the attempt (failed until traced), so it is true even of a process that is killed in the
middle. A process may end at any moment: nothing that it finished is lost or traced twice, and a
sample that ends every process is given up after ``TRIES``.

A trace's file name carries a digest of what made it (sample, model, settings): a changed sample or
setting is another task, and is traced beside the earlier one.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.cost import estimate_of
from core.decoding import Step, trace
from core.errors import InputError, OmniTraceError
from core.models.base import TracedModel
from core.samples import Sample
from core.trace import Generation, Trace

TRIES = 3
"""How many processes a sample may end before a batch gives it up."""


@dataclass(frozen=True)
class Recipe:
    """How every sample of a batch is traced; each field but ``compiled`` makes another trace.

    Attributes:
        signals: names, recorded in one run.
        generation: how tokens are chosen.
        response_key: the samples' key that holds an answer to be traced as given.
        verify: answer again untraced, and keep in the trace whether it is equal.
        compiled: read tokens by one compiled graph where model and signals can.
    """

    signals: tuple[str, ...]
    generation: Generation
    response_key: str | None = None
    verify: bool = False
    compiled: bool = False

    def trace(self, model: TracedModel, sample: Sample) -> Trace:
        """Trace one sample.

        Raises:
            OmniTraceError: this sample, or these settings, cannot be used.
        """
        return trace(
            model,
            sample.prompt(),
            signals=self.signals,
            generation=self.generation,
            response=None if self.response_key is None else _response(sample, self.response_key),
            verify=self.verify,
            compiled=self.compiled,
            on_step=partial(self._warn, model, sample),
        )

    def _warn(self, model: TracedModel, sample: Sample, step: Step) -> None:
        """Say on stderr, before the prompt is read, that memory will not do for it."""
        if step.stage == "encoding":
            expected = estimate_of(model, step.total, self.generation.max_new_tokens, self.signals)
            if not expected.fits:
                name = "".join(filter(str.isprintable, _named(sample)))
                print(f"{name}: {expected.told()}", file=sys.stderr)


def _named(sample: Sample) -> str:
    return f"sample {sample.entry} (id {sample.id})"


def _response(sample: Sample, key: str) -> str:
    value = sample.extra.get(key)
    if not isinstance(value, str):
        known = ", ".join(k for k, v in sample.extra.items() if isinstance(v, str)) or "none"
        raise InputError(f"It has no answer under {key!r}. Its keys that hold text: {known}.")
    return value


@dataclass(frozen=True)
class Task:
    """A sample to trace: ``path`` is where its trace goes; ``name`` is for people."""

    sample: Sample
    recipe: Recipe
    path: Path

    @property
    def name(self) -> str:
        """The sample, as a person would look it up."""
        return _named(self.sample)

    @property
    def done(self) -> bool:
        """Whether the trace is there."""
        return self.path.exists()

    @property
    def failure(self) -> str | None:
        """Why there is no trace; ``None`` where nothing is recorded."""
        return self._recorded().get("message")

    @property
    def tries(self) -> int:
        """How often this batch has begun it, as far as is recorded."""
        return self._recorded().get("tries", 0)

    def fail(self, message: str, *, tries: int, details: str = "") -> None:
        """Record why there is no trace.

        Raises:
            InputError: the folder cannot be written.
        """
        record = {"entry": self.sample.entry, "id": self.sample.id, "message": message}
        record |= {"tries": tries, **({"details": details} if details else {})}
        _write_whole(self._record, json.dumps(record, ensure_ascii=False) + "\n")

    def forget_failure(self) -> None:
        """Remove the record of earlier attempts."""
        self._record.unlink(missing_ok=True)

    def keep(self, trace: Trace, *, tries: int) -> None:
        """Save what was traced; what memory cut short stands beside, and the task has failed.

        Raises:
            TraceFileError: it cannot be written.
            InputError: the folder cannot be written.
        """
        if trace.shortage is None:
            trace.save(self.path)
            self.partial.unlink(missing_ok=True)
            self.forget_failure()
            return
        trace.save(self.partial)
        self.fail(f"{trace.shortage} What was traced: {self.partial.name}", tries=tries)

    @property
    def partial(self) -> Path:
        """Where a trace goes that memory cut short; ``core explain`` opens it too."""
        return self.path.with_name(self.path.name + ".partial")

    def _recorded(self) -> dict[str, Any]:
        try:
            return json.loads(self._record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    @property
    def _record(self) -> Path:
        return self.path.with_suffix(".failed.json")


def plan(
    samples: Sequence[Sample], folder: Path, recipe: Recipe, *, model: str
) -> tuple[Task, ...]:
    """Every sample's task, in order; ``model`` is the name that traces will give it."""
    settings = {"model": model, **asdict(recipe)}
    del settings["compiled"]  # It makes no other trace.
    return tuple(Task(s, recipe, folder / file_name(s, settings)) for s in samples)


def file_name(sample: Sample, settings: dict[str, object]) -> str:
    """A sample's file: its place in the file, its id, and a digest of all that shapes the trace."""
    what = json.dumps([sample.to_json(), settings], sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    slug = re.sub(r"[^\w-]+", "-", str(sample.id))[:40].strip("-") or "sample"
    return f"{sample.entry - 1:05d}-{slug}-{digest}.omnitrace"


def attempt(task: Task, model: TracedModel) -> None:
    """Trace a task unless it is done; leave its trace, or the record of why there is none.

    Raises:
        InputError: the folder cannot be written.
    """
    if task.done:  # By a process that ended before it could report.
        task.forget_failure()
        return
    tries = task.tries + 1
    if tries > TRIES:
        return
    task.fail(
        f"Its process ended in the middle, {tries} of at most {TRIES} times; most often because "
        "memory ran out. Trace it with smaller media or fewer processes at a time.",
        tries=tries,
    )
    try:
        task.keep(task.recipe.trace(model, task.sample), tries=tries)
    except OmniTraceError as error:
        task.fail(str(error), tries=tries)
    except Exception as error:  # A bug, or memory that ran out; the other samples go on.
        task.fail(
            f"It ended in an unforeseen {type(error).__name__}; the record of this failure in the "
            "folder holds the details.",
            tries=tries,
            details=traceback.format_exc(),
        )


def _write_whole(path: Path, text: str) -> None:
    """Write beside ``path``, then move into place."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix=".", suffix=".part", dir=path.parent, delete=False
        ) as file:
            file.write(text)
        Path(file.name).replace(path)
    except OSError as error:
        raise InputError(
            f"The folder {path.parent.name!r} cannot be written: {error.strerror}."
        ) from error
