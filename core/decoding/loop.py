"""Traced decoding (Algorithm 1, lines 4–10): a generator of tokens, each with its scores.

1. Read the prompt: decode its media, lay it out, know where every position comes from.
2. Encode it; the row of the last prompt query belongs to the first token.
3. Choose a token; keep what each signal says of the prompt positions, and how much fell on the
   answer's own earlier tokens; read the token; its row belongs to the next one. Repeat.

Everything recorded is a row a token; no step holds a model call open while the caller looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch

from core.decoding.choice import Chooser
from core.decoding.text import AnswerText
from core.errors import ModelError
from core.media import Limits
from core.models.base import Prepared, TracedModel
from core.prompt import Prompt
from core.signals.needs import Needs
from core.signals.recorder import Recorder, StepRecord
from core.signals.registry import Signal, signals_named
from core.timeline import Timeline
from core.trace import Generation, MediaInfo, StopReason, Trace

Stage = Literal["reading", "encoding", "decoding", "done"]
DEFAULT_SIGNALS = ("attmean", "rawatt")
DEFAULT_GENERATION = Generation()
DEFAULT_LIMITS = Limits()
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Step:
    """Progress of a trace.

    Attributes:
        stage: ``reading`` the files, ``encoding`` the prompt, ``decoding`` the answer, ``done``.
        done, total: how far the stage is: parts while reading, else tokens; ``total`` is the most
            tokens there can be.
        answer: the text so far; never half a character.
        snapshot: the trace so far. Cheap, and right however much later it is called.
    """

    stage: Stage
    done: int
    total: int
    answer: str
    snapshot: Callable[[], Trace]


def stream(
    model: TracedModel,
    prompt: Prompt,
    *,
    signals: Sequence[str] = DEFAULT_SIGNALS,
    generation: Generation = DEFAULT_GENERATION,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Step]:
    """Trace one generation, step by step; closing the generator cancels it.

    Args:
        model: from ``load_model``; runs in several threads may share it.
        prompt: instruction and parts.
        signals: names from ``core.signals.registry``; recorded in one run.
        generation: how tokens are chosen, and how many at most.
        limits: bounds on the media.

    Yields:
        One step before each stage and one after every token; the last has stage ``done``.

    Raises:
        InputError: a setting or a part cannot be used.
        LimitError: a part, or all together, are too large.
        ModelError: the model lacks what a signal needs.
    """
    tracing = _Tracing(model, prompt, signals_named(signals), generation)
    try:
        yield from tracing.run(limits)
    finally:
        tracing.close()


def trace(
    model: TracedModel,
    prompt: Prompt,
    *,
    signals: Sequence[str] = DEFAULT_SIGNALS,
    max_new_tokens: int | None = None,
    generation: Generation = DEFAULT_GENERATION,
    limits: Limits = DEFAULT_LIMITS,
    on_step: Callable[[Step], None] | None = None,
) -> Trace:
    """Trace one generation to its end; arguments and errors as ``stream``.

    ``max_new_tokens`` overrides that of ``generation``; ``on_step`` is called with every step.
    """
    if max_new_tokens is not None:
        generation = replace(generation, max_new_tokens=max_new_tokens)
    for step in stream(model, prompt, signals=signals, generation=generation, limits=limits):
        if on_step is not None:
            on_step(step)
    return step.snapshot()


class _Rows:
    """Scores of one signal; rows are written once, so views of earlier ones stay right."""

    def __init__(self, most: int, positions: int) -> None:
        # Untouched pages take no memory: room for the longest answer costs nothing.
        self._scores = np.empty((most, positions), np.float16)
        self._own = np.empty(most, np.float32)

    def put(self, index: int, scores: torch.Tensor) -> None:
        # A gradient may be larger than float16 can say; nothing else of a signal is.
        values = scores.clamp(max=_LARGEST).cpu().numpy()
        positions = self._scores.shape[1]
        self._scores[index] = values[:positions]
        self._own[index] = values[positions:].sum()

    def upto(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        return _read_only(self._scores[:count]), _read_only(self._own[:count])


class _Tracing:
    """The state of one generation."""

    def __init__(
        self,
        model: TracedModel,
        prompt: Prompt,
        signals: tuple[Signal, ...],
        generation: Generation,
    ) -> None:
        if any(signal.needs.chosen for signal in signals) and not model.chosen_heads:
            raise ModelError(
                f"No heads have been chosen for the model {model.info.name!r}, which the signal "
                "'heads' needs. Pick them with `python -m core.benchmarks.heads`, or choose "
                "another signal."
            )
        self._model = model
        self._prompt = prompt
        self._signals = signals
        self._generation = generation
        self._chooser = Chooser(generation)
        self._text = AnswerText()
        self._timeline = Timeline.structural(0)
        self._media = (MediaInfo(),) * len(prompt.parts)
        self._rows = {signal.name: _Rows(0, 0) for signal in signals}
        self._timings: dict[str, float] = {}
        self._count = self._most = 0
        self._stopped: StopReason = "running"

    def run(self, limits: Limits) -> Iterator[Step]:
        parts = len(self._prompt.media)
        yield self._step("reading", 0, parts)
        with self._timed("reading"):
            prepared = self._model.prepare(self._prompt, limits=limits)
        self._open(prepared)
        yield self._step("encoding", 0, len(self._timeline))
        yield from self._decode(prepared)
        yield self._step("done", self._count, self._most)

    def close(self) -> None:
        if self._stopped == "running":
            self._stopped = "cancelled"

    def _open(self, prepared: Prepared) -> None:
        self._timeline, self._media = prepared.timeline, prepared.media
        positions = len(self._timeline)
        self._most = min(self._generation.max_new_tokens, self._model.context - positions)
        self._rows = {signal.name: _Rows(self._most, positions) for signal in self._signals}
        self._chooser.hear(prepared.inputs["input_ids"][0].tolist())

    def _decode(self, prepared: Prepared) -> Iterator[Step]:
        needs = Needs.all_of(signal.needs for signal in self._signals)
        run = self._model.start(prepared, differentiable=bool(needs.gradients))
        chosen = self._model.chosen_heads if needs.chosen else ()
        recorder = Recorder(self._model.text_model, needs, chosen)
        with self._timed("encoding"), recorder.listen():
            logits = run.read_prompt()
        while True:
            with self._timed("decoding"):
                token = self._chooser.choose(logits.detach())
                read = len(self._timeline) + self._count
                self._keep(token, recorder.step(read, logits=logits, token=token))
                if token in self._model.stop_tokens:
                    self._end("end")
                elif self._count == self._most:
                    self._end("length")
            yield self._step("decoding", self._count, self._most)
            if self._stopped != "running":
                return
            with self._timed("decoding"), recorder.listen():
                logits = run.read_token(token)

    def _keep(self, token: int, record: StepRecord) -> None:
        for signal in self._signals:
            self._rows[signal.name].put(self._count, signal.score(record))
        self._text.add(token, self._model.token_bytes(token))
        self._count += 1

    def _end(self, reason: StopReason) -> None:
        self._text.finish()
        self._stopped = reason

    def _step(self, stage: Stage, done: int, total: int) -> Step:
        answer = self._text.text
        return Step(stage, done, total, answer, partial(self._snapshot, self._count, answer))

    def _snapshot(self, count: int, answer: str) -> Trace:
        kept = {name: rows.upto(count) for name, rows in self._rows.items()}
        return Trace(
            prompt=self._prompt,
            timeline=self._timeline,
            answer=answer,
            tokens=self._text.tokens(count, answer),
            scores={name: scores for name, (scores, _) in kept.items()},
            own={name: own for name, (_, own) in kept.items()},
            media=self._media,
            model=self._model.info,
            generation=self._generation,
            stopped=self._stopped if count == self._count else "running",
            timings=dict(self._timings),
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._timings[stage] = self._timings.get(stage, 0.0) + time.perf_counter() - start


def _read_only(view: np.ndarray) -> np.ndarray:
    view.flags.writeable = False
    return view
