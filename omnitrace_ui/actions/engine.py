"""The models of this server: each is loaded once, in the background, for all visitors.

Those that it was started with stay in memory once they are loaded. Where the operator allows any
other, one of them is kept at a time: the one before makes room for it.
"""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from core.cancel import cancellable
from core.cost import estimate_of
from core.decoding import Step, stream
from core.errors import ModelError
from core.evaluation.check import Progress, check_sentence
from core.evaluation.hiding import Way
from core.models.base import TracedModel
from core.prompt import Prompt
from core.sources import Sources
from core.spans import sentence_ranges
from core.trace import Generation, Trace
from omnitrace_ui.actions.line import Line
from omnitrace_ui.actions.loading import Loader, LoadProgress, ModelLoading
from omnitrace_ui.actions.messages import logger, message
from omnitrace_ui.allowance import DEFAULT_ALLOWANCE, Allowance

P = ParamSpec("P")
R = TypeVar("R")
_TICK = 0.25
"""Seconds between two looks at a loading model."""
_PACKED_PAUSE = 0.3
"""Seconds between two traces that are sent from one process to another."""


class Engine:
    """Models by name, the first of them the default.

    Args:
        loaders: name → function that loads the model; called at most once at a time.
        any_model: name → loader of a model that is none of these; ``None``: there is no other.
        allowance: bounds on a prompt, on an answer, and on the line for the models.
        gpu_seconds: longest generation on a lent GPU (ZeroGPU), where there is one.
    """

    def __init__(
        self,
        loaders: Mapping[str, Loader],
        *,
        any_model: Callable[[str], Loader] | None = None,
        allowance: Allowance = DEFAULT_ALLOWANCE,
        gpu_seconds: int = 120,
    ) -> None:
        self.line = Line(allowance)
        self.limits = allowance.limits
        self._allowance = allowance
        self._offered = {name: ModelLoading(name, loader) for name, loader in loaders.items()}
        self._any_model = any_model
        self._coming: ModelLoading | None = None
        self._guest: ModelLoading | None = None
        # ZeroGPU forks a worker for the decorated function, so the model must be loaded before.
        lent = _lent_gpu(gpu_seconds)
        self._lent = lent is not None
        self._generate = lent(_packed(self._steps)) if lent else self._steps
        self._check = lent(self._checked) if lent else self._checked

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models that this server was started with, the default first."""
        return tuple(self._offered)

    @property
    def takes_any(self) -> bool:
        """Whether a visitor may name a model that is none of these."""
        return self._any_model is not None

    @property
    def loaded(self) -> tuple[TracedModel, ...]:
        """The models in memory."""
        loadings = (*self._offered.values(), *filter(None, (self._guest,)))
        return tuple(model for loading in loadings if (model := loading.ready) is not None)

    @property
    def seconds(self) -> float:
        """The longest time that one answer may take."""
        return self._allowance.generation_seconds

    def within(self, generation: Generation) -> Generation:
        """The same, with no longer an answer than is allowed."""
        most = min(generation.max_new_tokens, self._allowance.answer_tokens)
        return replace(generation, max_new_tokens=most)

    def warm_up(self) -> None:
        """Load the default model and use it once, in the background; returns at once.

        The first use of a model loads half a dozen libraries, which nobody should wait for.
        """
        threading.Thread(target=self._warm_up, name="warm up", daemon=True).start()

    def _warm_up(self) -> None:
        name = self.names[0]
        try:
            for _ in self.loading(name):
                pass
            sentence_ranges("Warm up.")
            with tempfile.TemporaryDirectory(prefix="omnitrace-") as folder:
                prompt = Prompt.of("Warm up.", [_silence(Path(folder))])
                if not self._lent:
                    for _ in self._steps(name, prompt, ("attmean",), Generation(max_new_tokens=2)):
                        pass
        except Exception as error:
            logger.warning("The model %s is not ready: %s", name, message(error))

    def loading(self, name: str) -> Iterator[LoadProgress]:
        """Load a model if that has not been done; yields how far it is.

        Raises:
            ModelError: the model is not offered, or could not be loaded.
        """
        if self._any_model is None or not name or name in self._offered:
            loading = self._known(name)
        else:
            loading = yield from self._invited(name, self._any_model)
        loading.start()
        while not loading.wait(_TICK):
            yield loading.progress
        loading.model()

    def _invited(
        self, name: str, any_model: Callable[[str], Loader]
    ) -> Generator[LoadProgress, None, ModelLoading]:
        """A model that is none of those offered: the one in memory, or one that takes its place."""
        if self._guest is not None and self._guest.goes_by(name):
            return self._guest
        coming = self._coming
        if coming is None or coming.name != name:
            # Loading cannot be broken off, and two would not fit.
            while coming is not None and not coming.wait(_TICK):
                yield coming.progress
            self._coming = coming = ModelLoading(name, any_model(name), self._make_room)
        return coming

    def _make_room(self, coming: ModelLoading) -> None:
        self._guest = None
        _free_memory()
        self._guest = coming

    def model(self, name: str) -> TracedModel | None:
        """A model, if it is loaded by now."""
        return self._known(name).ready

    def stream(
        self,
        name: str,
        prompt: Prompt,
        *,
        signals: tuple[str, ...],
        generation: Generation,
        response: str | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Step]:
        """Trace a prompt with a model for which ``loading`` has ended.

        ``response``: an answer written elsewhere, traced instead of one of the model's own.
        ``stopping`` is asked often, also while a film or a long prompt is read.

        Raises:
            Cancelled: it said so.
        """
        with closing(self._generate(name, prompt, signals, generation, response)) as steps:
            while True:
                # Anew for every step: each may run in another thread.
                with cancellable(stopping):
                    step = next(steps, None)
                if step is None:
                    return
                yield step

    def check(
        self,
        name: str,
        trace: Trace,
        sources: Sources,
        span: tuple[int, int],
        chosen: tuple[int, ...],
        *,
        way: Way,
        spared: tuple[int, ...],
    ) -> Iterator[Progress]:
        """Check a sentence with a model for which ``loading`` has ended; see ``check_sentence``."""
        return self._check(name, trace, sources, span, chosen, way, spared)

    def _checked(
        self,
        name: str,
        trace: Trace,
        sources: Sources,
        span: tuple[int, int],
        chosen: tuple[int, ...],
        way: Way,
        spared: tuple[int, ...],
    ) -> Iterator[Progress]:
        model = self._known(name).model()
        yield from check_sentence(
            model, trace, sources, span, chosen, way=way, spared=spared, limits=self.limits
        )

    def expected(
        self, name: str, positions: int, signals: tuple[str, ...], generation: Generation
    ) -> str:
        """What a trace with a loaded model will take, in words; none on a GPU that is only lent."""
        if self._lent:
            return ""
        model = self._known(name).model()
        return estimate_of(model, positions, generation.max_new_tokens, signals).told()

    def _steps(
        self,
        name: str,
        prompt: Prompt,
        signals: tuple[str, ...],
        generation: Generation,
        response: str | None = None,
    ) -> Iterator[Step]:
        return stream(
            self._known(name).model(),
            prompt,
            signals=signals,
            generation=generation,
            limits=self.limits,
            response=response,
        )

    def _known(self, name: str) -> ModelLoading:
        if name in self._offered:
            return self._offered[name]
        guest = self._guest
        if guest is None or not guest.goes_by(name):
            raise ModelError(f"No model {name!r} here. Offered: {', '.join(self._offered)}.")
        return guest


def _free_memory() -> None:
    """Give back what a model that nobody holds any more has taken."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _silence(folder: Path) -> Path:
    """A recording of half a second in which nothing is heard."""
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(16_000))
    return path


def _packed(steps: Callable[P, Iterator[Step]]) -> Callable[P, Iterator[Step]]:
    """The same steps, a few a second, as they can be sent from one process to another."""

    def packed(*args: P.args, **named: P.kwargs) -> Iterator[Step]:
        sent, stage = 0.0, ""
        with closing(steps(*args, **named)) as made:
            for step in made:
                now = time.monotonic()
                if step.stage != stage or now - sent >= _PACKED_PAUSE:
                    yield replace(step, snapshot=partial(_same, step.snapshot()))
                    sent, stage = now, step.stage

    return packed


def _same(trace: Trace) -> Trace:
    return trace


def _lent_gpu(seconds: int) -> Callable[[Callable[P, R]], Callable[P, R]] | None:
    """The decorator that lends a function a GPU, where the program is a ZeroGPU Space."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return None
    import spaces

    return spaces.GPU(duration=seconds)
