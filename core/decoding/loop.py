"""Traced decoding (Algorithm 1, lines 4–10): a generator of tokens, each with its scores.

1. Read the prompt: decode its media, lay it out, know where every position comes from.
2. Encode it; the row of the last prompt query belongs to the first token.
3. Choose a token, or take the next one of a given answer; keep what each signal says of the prompt
   positions, and how much fell on the answer's own earlier tokens; read the token; its row belongs
   to the next one. Repeat. Of a given answer many tokens are read in one pass where the signals
   need rows only.

Everything recorded is a row a token; no step holds a model call open while the caller looks. Where
memory runs out on the way, what was traced until then stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch

from core.decoding.choice import Chooser
from core.decoding.reader import Reader
from core.decoding.rows import Rows
from core.decoding.shortage import (
    advice,
    after_tokens,
    before_the_answer,
    is_shortage,
    while_verifying,
)
from core.decoding.text import AnswerText
from core.decoding.untraced import untraced
from core.errors import InputError, LimitError, ModelError
from core.media import Limits
from core.models.base import Prepared, TracedModel
from core.prompt import Prompt
from core.signals.needs import ROWS_ONLY, Needs
from core.signals.recorder import Recorder, StepRecord
from core.signals.registry import Signal, signals_named
from core.timeline import Timeline
from core.trace import Generation, MediaInfo, StopReason, Trace

Stage = Literal["reading", "encoding", "decoding", "done"]
DEFAULT_SIGNALS = ("attmean", "rawatt")
DEFAULT_GENERATION = Generation()
DEFAULT_LIMITS = Limits()
_AT_ONCE = 32
"""Tokens of a given answer that are read in one pass: so many queries' rows are held."""


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
    response: str | None = None,
    verify: bool = False,
    compiled: bool = False,
) -> Iterator[Step]:
    """Trace one generation, step by step; closing the generator cancels it.

    Args:
        model: from ``load_model``; runs in several threads may share it.
        prompt: instruction and parts.
        signals: names from ``core.signals.registry``; recorded in one run.
        generation: how tokens are chosen, and how many at most.
        limits: bounds on the media.
        response: an answer written elsewhere, traced as if the model had said it (teacher
            forcing), token by token of the model's own tokenizer; ``generation`` then says
            nothing. The trace's answer is what those tokens spell, so a tokenizer that composes
            accents shows them composed.
        verify: answer once more without tracing, and state whether the answers are equal
            (``Trace.as_untraced``); costs a plain generation.
        compiled: read the answer's tokens by one compiled graph over a static cache
            (``core.models.graph``). Where model or signals cannot, a warning says why, and the
            plain way is gone.

    Yields:
        One step before each stage and one after every token; the last has stage ``done``.

    Raises:
        InputError: a setting, a part or the given answer cannot be used.
        LimitError: a part, or all together, are too large, or memory ran out before the first
            token; after it, the trace ends there and says so (``Trace.shortage``).
        ModelError: the model lacks what a signal needs, or its numbers overflow.
    """
    named = signals_named(signals)
    tracing = _Tracing(model, prompt, named, generation, response, verify, compiled)
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
    response: str | None = None,
    verify: bool = False,
    compiled: bool = False,
    on_step: Callable[[Step], None] | None = None,
) -> Trace:
    """Trace one generation to its end; arguments and errors as ``stream``.

    ``max_new_tokens`` overrides that of ``generation``; ``on_step`` is called with every step.
    """
    if max_new_tokens is not None:
        generation = replace(generation, max_new_tokens=max_new_tokens)
    for step in stream(
        model,
        prompt,
        signals=signals,
        generation=generation,
        limits=limits,
        response=response,
        verify=verify,
        compiled=compiled,
    ):
        if on_step is not None:
            on_step(step)
    return step.snapshot()


class _Tracing:
    """The state of one generation."""

    def __init__(
        self,
        model: TracedModel,
        prompt: Prompt,
        signals: tuple[Signal, ...],
        generation: Generation,
        response: str | None,
        verify: bool,
        compiled: bool,
    ) -> None:
        _check_response(response, verify)
        self._model = model
        self._prompt = prompt
        self._signals = signals
        self._generation = generation
        self._response, self._given = response, ()
        self._verify, self._as_untraced = verify, None
        self._compiled = compiled
        self._needs = Needs.all_of(signal.needs for signal in signals)
        self._chooser = Chooser(generation)
        self._text = AnswerText()
        self._timeline = Timeline.structural(0)
        self._media = (MediaInfo(),) * len(prompt.parts)
        self._rows = {signal.name: Rows(0, 0) for signal in signals}
        self._timings: dict[str, float] = {}
        self._count = self._most = 0
        self._stopped: StopReason = "running"
        self._shortage: str | None = None
        if self._needs.chosen and not model.chosen_heads:
            raise ModelError(
                f"No heads have been chosen for the model {model.info.name!r}, which the signal "
                "'heads' needs. Pick them with `python -m core bench heads`, or choose "
                "another signal."
            )

    def run(self, limits: Limits) -> Iterator[Step]:
        short = False
        try:
            yield from self._stages(limits)
        except Exception as error:
            short = is_shortage(error)
            if not short:
                raise
        if short:  # Here the error is gone, and with it all that its frames held in memory.
            self._break_off()
        yield self._step("done", self._count, self._most)

    def _stages(self, limits: Limits) -> Iterator[Step]:
        parts = len(self._prompt.media)
        yield self._step("reading", 0, parts)
        with self._timed("reading"):
            prepared = self._model.prepare(self._prompt, limits=limits)
        self._open(prepared)
        yield self._step("encoding", 0, len(self._timeline))
        yield from self._decode(prepared)
        if self._verify:
            with self._timed("verifying"):
                plain = untraced(self._model, prepared, self._generation, self._most)
                self._as_untraced = plain == self._text.ids

    def _break_off(self) -> None:
        """Memory ran out: keep what there is.

        Raises:
            LimitError: there is no token.
        """
        less = advice(self._prompt, self._needs)
        if not self._count:
            raise LimitError(before_the_answer(len(self._timeline), less))
        if self._stopped == "running":
            self._stopped = "memory"
            self._shortage = after_tokens(self._count, less)
            self._text.finish()
        else:
            self._shortage = while_verifying(less)

    def close(self) -> None:
        if self._stopped == "running":
            self._stopped = "cancelled"

    def _open(self, prepared: Prepared) -> None:
        self._timeline, self._media = prepared.timeline, prepared.media
        positions = len(self._timeline)
        room = self._model.context - positions
        self._most = min(self._generation.max_new_tokens, room)
        if self._response is not None:
            self._given = tuple(self._model.tokens_of(self._response))
            self._most = _fitting(len(self._given), room)
        self._rows = {signal.name: Rows(self._most, positions) for signal in self._signals}
        self._chooser.hear(prepared.inputs["input_ids"][0].tolist())

    def _decode(self, prepared: Prepared) -> Iterator[Step]:
        chosen = self._model.chosen_heads if self._needs.chosen else ()
        recorder = Recorder(self._model.text_model, self._needs, chosen)
        reader = Reader(self._model, prepared, recorder, self._needs)
        if self._compiled:
            reader.compile(len(self._timeline) + self._most)
        with self._timed("encoding"), recorder.listen():
            logits = reader.run.read_prompt()[None]
        while True:
            for query, row in enumerate(logits):
                with self._timed("decoding"):
                    token = self._next(row)
                    read = len(self._timeline) + self._count
                    record = recorder.step(read, query=query, logits=row, token=token)
                    self._keep(token, record)
                yield self._step("decoding", self._count, self._most)
                if self._stopped != "running":
                    return
            ahead = self._ahead(token)
            with self._timed("decoding"), recorder.listen(len(ahead)):
                logits = reader.read(ahead)

    def _next(self, logits: torch.Tensor) -> int:
        return self._given[self._count] if self._given else self._chooser.choose(logits.detach())

    def _ahead(self, token: int) -> Sequence[int]:
        """What is read next: the token, and of a given answer what may be read along with it."""
        if not self._given:
            return [token]
        at_once = _AT_ONCE if self._needs == ROWS_ONLY else 1
        # Nothing follows the last token, so nobody asks for its row.
        return self._given[self._count - 1 : -1][:at_once]

    def _keep(self, token: int, record: StepRecord) -> None:
        for signal in self._signals:
            self._rows[signal.name].put(self._count, signal.score(record))
        self._text.add(token, self._model.token_bytes(token))
        self._count += 1
        self._stopped = self._reason_to_stop(token)
        if self._stopped != "running":
            self._text.finish()

    def _reason_to_stop(self, token: int) -> StopReason:
        full = self._count == self._most
        if self._given:
            return "end" if full else "running"
        if token in self._model.stop_tokens:
            return "end"
        return "length" if full else "running"

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
            given=self._response is not None,
            as_untraced=self._as_untraced,
            shortage=self._shortage,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._timings[stage] = self._timings.get(stage, 0.0) + time.perf_counter() - start


def _check_response(response: str | None, verify: bool) -> None:
    if response is not None and not response.strip():
        raise InputError("The given answer is empty. Write one, or leave it out.")
    if response is not None and verify:
        raise InputError(
            "A given answer cannot be verified: the model did not choose it. Leave out one of both."
        )


def _fitting(tokens: int, room: int) -> int:
    """The number of tokens of a given answer.

    Raises:
        LimitError: there is no room for them.
    """
    if tokens > room:
        raise LimitError(
            f"The given answer has {tokens:,} tokens; beside this prompt the model reads at most "
            f"{room:,}. Give a shorter answer or a shorter prompt."
        )
    return tokens
