"""The models that this server offers: each is loaded once, in the background, for all visitors."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from core.decoding import Step, stream
from core.errors import ModelError
from core.media import Limits
from core.models.base import TracedModel
from core.prompt import Prompt
from core.spans import sentence_ranges
from core.trace import Generation, Trace
from omnitrace_ui.actions.messages import logger, message

P = ParamSpec("P")
R = TypeVar("R")
DEFAULT_LIMITS = Limits()
Loader = Callable[[], TracedModel]
_TICK = 0.25
"""Seconds between two looks at a loading model."""
_PACKED_PAUSE = 0.3
"""Seconds between two traces that are sent from one process to another."""


class Engine:
    """Models by name, the first of them the default.

    Args:
        loaders: name → function that loads the model; called at most once at a time.
        limits: bounds on the media of a prompt.
        gpu_seconds: longest generation on a lent GPU (ZeroGPU), where there is one.
    """

    def __init__(
        self,
        loaders: Mapping[str, Loader],
        *,
        limits: Limits = DEFAULT_LIMITS,
        gpu_seconds: int = 120,
    ) -> None:
        self.limits = limits
        self._loadings = {name: _Loading(loader) for name, loader in loaders.items()}
        # ZeroGPU forks a worker for the decorated function, so the model must be loaded before.
        lent = _lent_gpu(gpu_seconds)
        self._lent = lent is not None
        self._generate = lent(self._packed) if lent else self._steps

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models, the default first."""
        return tuple(self._loadings)

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

    def loading(self, name: str) -> Iterator[float]:
        """Load a model if that has not been done; yields the seconds it has taken so far.

        Raises:
            ModelError: the model is not offered, or could not be loaded.
        """
        loading = self._known(name)
        loading.start()
        while not loading.wait(_TICK):
            yield loading.seconds
        loading.model()

    def model(self, name: str) -> TracedModel | None:
        """A model, if it is loaded by now."""
        loading = self._known(name)
        return loading.model() if loading.wait(0) else None

    def stream(
        self,
        name: str,
        prompt: Prompt,
        *,
        signals: tuple[str, ...],
        generation: Generation,
        response: str | None = None,
    ) -> Iterator[Step]:
        """Trace a prompt with a model for which ``loading`` has ended.

        ``response``: an answer written elsewhere, traced instead of one of the model's own.
        """
        return self._generate(name, prompt, signals, generation, response)

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

    def _packed(
        self,
        name: str,
        prompt: Prompt,
        signals: tuple[str, ...],
        generation: Generation,
        response: str | None = None,
    ) -> Iterator[Step]:
        """The steps, a few a second, as they can be sent from one process to another."""
        sent, stage = 0.0, ""
        with closing(self._steps(name, prompt, signals, generation, response)) as steps:
            for step in steps:
                now = time.monotonic()
                if step.stage != stage or now - sent >= _PACKED_PAUSE:
                    yield replace(step, snapshot=partial(_same, step.snapshot()))
                    sent, stage = now, step.stage

    def _known(self, name: str) -> _Loading:
        if name not in self._loadings:
            raise ModelError(f"No model {name!r} here. Offered: {', '.join(self._loadings)}.")
        return self._loadings[name]


class _Loading:
    """One model on its way; after a failure the next ``start`` tries again."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._begun = 0.0
        self._model: TracedModel | None = None
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def start(self) -> None:
        with self._lock:
            if self._model is not None or (self._thread and self._thread.is_alive()):
                return
            self._over.clear()
            self._failure = None
            self._begun = time.monotonic()
            self._thread = threading.Thread(target=self._load, name="model loading", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        return self._over.wait(seconds)

    def model(self) -> TracedModel:
        if self._failure is not None:
            raise ModelError(message(self._failure))
        if self._model is None:
            raise ModelError("The model is still loading. Try again in a moment.")
        return self._model

    def _load(self) -> None:
        try:
            self._model = self._loader()
        except Exception as error:
            self._failure = error
        finally:
            self._over.set()


def _silence(folder: Path) -> Path:
    """A recording of half a second in which nothing is heard."""
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(16_000))
    return path


def _same(trace: Trace) -> Trace:
    return trace


def _lent_gpu(seconds: int) -> Callable[[Callable[P, R]], Callable[P, R]] | None:
    """The decorator that lends a function a GPU, where the program is a ZeroGPU Space."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return None
    import spaces

    return spaces.GPU(duration=seconds)
