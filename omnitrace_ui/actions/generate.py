"""Trace: the form → a model → an answer that is explained while it grows."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from core.cancel import Cancelled, cancellable
from core.decoding import Step
from core.errors import InputError, OmniTraceError
from core.trace import Generation, Trace
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.line import LOOK, spoken, standing
from omnitrace_ui.actions.memory import give_back, is_out_of_memory
from omnitrace_ui.actions.messages import message
from omnitrace_ui.actions.present import finished_to, show
from omnitrace_ui.actions.prompts import RefusedPartsError, read_prompt
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views import GivenPart, Status
from omnitrace_ui.views.wire import JSON, clean

STAGES = {
    "reading": "Reading your files",
    "encoding": "Reading the prompt",
    "decoding": "Answering",
    "done": "Answering",
}
"""Stage of a step → words."""

GIVEN_STAGES = STAGES | {"decoding": "Reading the given answer"}
"""The same where nothing is generated."""

PAUSE = 0.1
"""Seconds between two frames at least: the browser's cost of one is about 10 ms."""


@dataclass(frozen=True)
class Request:
    """What is to be traced, as the page sends it.

    Attributes:
        address: the network it comes from.
        response: an answer written elsewhere.
        gone: nobody waits for the answer any more.
    """

    instruction: str
    form: Sequence[GivenPart]
    model: str
    signals: tuple[str, ...]
    generation: Generation
    address: str = ""
    response: str = ""
    gone: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Frame:
    """What the page is to show now.

    Attributes:
        view: TraceView's value.
        running: the answer is still growing.
        refused: part's id → why it cannot be used.
    """

    view: JSON
    running: bool
    refused: dict[str, str]


class Generator:
    """Runs traces for visitors; see ``run``."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store

    def wait(self, visitor: Visitor) -> Frame:
        """Say at once that a trace was asked for: another visitor's may have to end first."""
        if not visitor.running:
            visitor.stopping = False
            visitor.status = Status("busy", "Waiting for the model")
        return Frame(show(visitor), True, {})

    def give_up(self, visitor: Visitor) -> Frame:
        """The server could not even begin: say so."""
        visitor.status = Status("error", "The server is too busy just now. Try again in a minute.")
        return Frame(show(visitor), visitor.running, {})

    def run(self, visitor: Visitor, request: Request) -> Iterator[Frame]:
        """Trace a request, a frame at a time; never raises but when it is closed early.

        What the visitor had stays until the first token of the new answer is there. When the
        visitor asks to stop, what there is by then is kept, as it is if the generation fails.
        """
        if visitor.running:
            return
        visitor.running = True
        refused: dict[str, str] = {}
        full = False
        try:
            yield from self._frames(visitor, request)
        except Cancelled:
            pass
        except RefusedPartsError as error:
            refused = error.by_part
            visitor.status = Status("error", message(error))
        except Exception as error:
            full = is_out_of_memory(error)
            visitor.status = Status("error", message(error))
        finally:
            visitor.running = False
            if visitor.status.phase == "busy":
                visitor.status = settled(visitor)
            if full:
                give_back()  # Not before here: the failure itself holds what filled the memory.
        yield Frame(show(visitor), False, refused)

    def _frames(self, visitor: Visitor, request: Request) -> Iterator[Frame]:
        def stopping() -> bool:
            return visitor.stopping or request.gone()

        with closing(self._engine.line.join(request.address)) as place:
            while not place.wait(LOOK):
                if stopping():
                    return
                yield self._busy(visitor, standing(place))
            yield from self._turn(visitor, request, stopping)

    def _turn(
        self, visitor: Visitor, request: Request, stopping: Callable[[], bool]
    ) -> Iterator[Frame]:
        yield self._busy(visitor, "Checking what you gave")
        folder = self._store.fresh_folder(visitor)
        with cancellable(stopping):
            prompt = read_prompt(
                request.instruction, request.form, visitor, self._store,
                folder=folder, limits=self._engine.limits,
            )  # fmt: skip
        response = _given(request.response)
        if not request.signals:
            raise InputError(
                "No signal is recorded. Choose at least one under “Model and generation”."
            )
        for progress in self._engine.loading(request.model):
            if stopping():
                return
            yield self._busy(visitor, f"{progress.text} · {progress.seconds:.0f} s")
        if stopping():
            return
        steps = self._engine.stream(
            request.model,
            prompt,
            signals=request.signals,
            generation=self._engine.within(request.generation),
            response=response,
            stopping=stopping,
        )
        with closing(steps):
            yield from self._follow(visitor, steps, folder, request)

    def _follow(
        self, visitor: Visitor, steps: Iterator[Step], folder: Path, request: Request
    ) -> Iterator[Frame]:
        """Show the steps of a generation; keeps what there is when it is stopped or fails."""
        name = f"{visitor.runs}-{secrets.token_hex(4)}"
        shown = 0.0
        last: Step | None = None
        most = self._engine.seconds
        late = time.monotonic() + most
        try:
            for last in steps:
                begins = self._take(visitor, last, name, folder)
                if visitor.stopping:
                    break
                if time.monotonic() > late and last.stage != "done":
                    raise TooLongError(most)
                if begins or time.monotonic() - shown >= PAUSE:
                    yield self._busy(visitor, self._words(last, request), last.done, last.total)
                    shown = time.monotonic()
        finally:
            if last is not None and visitor.trace_key == name:
                self._finish(visitor, last)

    def _words(self, step: Step, request: Request) -> str:
        """What is going on; before the prompt is read, also what it will take."""
        stages = GIVEN_STAGES if request.response.strip() else STAGES
        expected = ""
        if step.stage == "encoding":
            expected = self._engine.expected(
                request.model, step.total, request.signals, request.generation
            )
        return " · ".join(filter(None, (stages[step.stage], expected)))

    def _take(self, visitor: Visitor, step: Step, name: str, folder: Path) -> bool:
        """Make the newest step the visitor's trace, if a sentence more stands by now.

        Returns whether a stage begins, which is worth showing at once.
        """
        if step.stage == "reading":
            return True
        fresh = visitor.trace_key != name
        visitor.growing = step.answer
        if fresh or finished_to(step.answer) > finished_to(visitor.trace.answer):
            visitor.trace = step.snapshot()
        if fresh:
            visitor.trace_key, visitor.folder, visitor.selected = name, folder, None
        return fresh

    def _finish(self, visitor: Visitor, last: Step) -> None:
        trace = last.snapshot()
        if trace.stopped == "running":
            trace = replace(trace, stopped="cancelled")
        visitor.trace = trace
        visitor.status = done(trace)

    def _busy(self, visitor: Visitor, text: str, count: int = 0, total: int | None = None) -> Frame:
        visitor.status = Status("busy", text, count, total)
        return Frame(show(visitor), True, {})


class TooLongError(OmniTraceError):
    """An answer took longer than this server allows; what there is by then stays."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This answer was stopped after {spoken(seconds)}, the longest that one may take here. "
            "What was written stays. Ask for a shorter answer, give less, or record fewer signals."
        )


def _given(response: object) -> str | None:
    """An answer written elsewhere; ``None`` if the field was left empty."""
    if not isinstance(response, str):
        raise InputError("The given answer must be text. Reload the page.")
    return clean(response) if response.strip() else None


def settled(visitor: Visitor) -> Status:
    """What to say when nothing is going on."""
    return done(visitor.trace) if visitor.trace else Status()


def done(trace: Trace) -> Status:
    """What to say of a trace that grows no more."""
    count = len(trace.tokens)
    seconds = sum(trace.timings.values())
    took = f" in {seconds:.1f} s" if seconds else ""
    short = f" · {trace.shortage}" if trace.shortage else ""
    return Status("done", f"{count} token{'s' * (count != 1)}{took} · {trace.model.name}{short}")
