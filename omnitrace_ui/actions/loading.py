"""One model on its way into memory, in a thread of its own; whoever waits sees how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.errors import ModelError
from core.models.base import TracedModel
from core.models.registry import Stage
from omnitrace_ui.actions.messages import message

_STAGES: dict[Stage, str] = {
    "finding": "looking for its files",
    "fetching": "downloading its files",
    "reading": "reading its weights",
}


class Loader(Protocol):
    """Loads a model, and tells each stage as it begins."""

    def __call__(self, *, on_stage: Callable[[Stage], None]) -> TracedModel:
        """The model."""


@dataclass(frozen=True)
class LoadProgress:
    """Of loading a model: what goes on, in words, and the seconds since it began."""

    text: str
    seconds: float


class ModelLoading:
    """One model, not yet, on its way or in memory; after a failure ``start`` tries again.

    Args:
        name: for people.
        loader: called in a thread.
        make_room: called, with this, when its files are found and before its weights are read.
    """

    def __init__(
        self, name: str, loader: Loader, make_room: Callable[[ModelLoading], None] = lambda _: None
    ) -> None:
        self.name = name
        self._loader = loader
        self._make_room = make_room
        self._stage: Stage = "finding"
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._begun = 0.0
        self._model: TracedModel | None = None
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def progress(self) -> LoadProgress:
        """What goes on now."""
        seconds = time.monotonic() - self._begun
        return LoadProgress(f"Loading {self.name}: {_STAGES[self._stage]}", seconds)

    @property
    def ready(self) -> TracedModel | None:
        """The model, if it is in memory."""
        return self._model

    def goes_by(self, name: str) -> bool:
        """Whether it is meant: by the name it was asked for, or the one that its traces bear."""
        return name == self.name or (self._model is not None and name == self._model.info.name)

    def start(self) -> None:
        """Begin, if it is neither in memory nor on its way; returns at once."""
        with self._lock:
            if self._model is not None or (self._thread and self._thread.is_alive()):
                return
            self._over.clear()
            self._failure = None
            self._stage = "finding"
            self._begun = time.monotonic()
            self._thread = threading.Thread(target=self._load, name="model loading", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; returns whether it is in memory or has failed."""
        return self._over.wait(seconds)

    def model(self) -> TracedModel:
        """The model.

        Raises:
            ModelError: it failed, or is still on its way.
        """
        if self._failure is not None:
            raise ModelError(message(self._failure))
        if self._model is None:
            raise ModelError("The model is still loading. Try again in a moment.")
        return self._model

    def _load(self) -> None:
        try:
            self._model = self._loader(on_stage=self._hear)
        except Exception as error:
            self._failure = error
        finally:
            self._over.set()

    def _hear(self, stage: Stage) -> None:
        self._stage = stage
        if stage == "reading":
            self._make_room(self)
