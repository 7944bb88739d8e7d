"""Check one sentence: hide chosen sources, score it again, and compare with hiding others.

For each chosen source alone and for all of them together: how much log-probability the sentence
loses, and how much it loses when other sources of the same size are hidden instead
(``counterparts``). Two ways close the model's attention (``faithfulness``), two change the prompt
(``hiding``). The sentence is what the model was made to say: it is scored, never generated anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from core.errors import InputError
from core.evaluation.counterparts import counterparts
from core.evaluation.faithfulness import positions_of, prepare_same
from core.evaluation.hiding import WAYS, Way, without
from core.media import Limits
from core.models.base import Prepared, TracedModel
from core.sources import Sources
from core.trace import Trace

DEFAULT_LIMITS = Limits()
MOST_CHOSEN = 8
"""Sources that can be checked at once."""

DRAWS = 3
"""Sets of other sources that each drop is compared with, at most."""

AT_ONCE = 8
"""Ablations between two looks at whether anybody still waits."""

IMPOSSIBLE = -1e4
"""Log-probability that stands for none at all."""

Units = tuple[int, ...]


class Ablation(NamedTuple):
    """Some units, and the nats of log-probability that the sentence loses without them."""

    units: Units
    drop: float


@dataclass(frozen=True)
class Row:
    """One question of a check. ``others``: the stand-ins; empty where the prompt has none."""

    hidden: Ablation
    others: tuple[Ablation, ...]

    @property
    def usual(self) -> float | None:
        """What hiding another source of this size costs: the mean of the stand-ins' drops."""
        drops = [other.drop for other in self.others]
        return sum(drops) / len(drops) if drops else None


@dataclass(frozen=True)
class Check:
    """A sentence, checked.

    Attributes:
        way: how the sources were hidden.
        logprob: log-probability of the sentence with nothing hidden, in nats.
        tokens: how many the sentence has.
        rows: each chosen source alone, in the order of the choice; of several, then all together.
    """

    way: Way
    logprob: float
    tokens: int
    rows: tuple[Row, ...]


class Progress(NamedTuple):
    """``done`` of ``total`` readings of the answer; ``check`` comes with the last of them."""

    done: int
    total: int
    check: Check | None = None


def check_sentence(
    model: TracedModel,
    trace: Trace,
    sources: Sources,
    span: tuple[int, int],
    chosen: Sequence[int],
    *,
    way: Way = "attention",
    spared: Sequence[int] = (),
    limits: Limits = DEFAULT_LIMITS,
    seed: int = 0,
) -> Iterator[Progress]:
    """Check a sentence, a few readings at a time; close the iterator to give up.

    Args:
        model: the one that answered.
        trace: its prompt, whose media must still be there, and its answer's tokens.
        sources: the prompt's units.
        span: half-open range of the sentence's tokens.
        chosen: indices of the units to hide.
        way: how to hide them.
        spared: units that are no fair stand-ins, e.g. all that the sentence cites.
        limits: bounds on the media.
        seed: of the choice of stand-ins.

    Raises:
        InputError: nothing or too much was chosen, the media are gone, or the model is another.
        LimitError: the media are too large.
    """
    chosen = _checked(chosen, sources, span, trace, way)
    questions = [(unit,) for unit in chosen]
    if len(chosen) > 1:
        questions.append(tuple(sorted(chosen)))
    stand_ins = [
        counterparts(sources, units, spared=[*spared, *chosen], draws=DRAWS, seed=seed)
        for units in questions
    ]
    # Small prompts have few others: the same set need not be read twice.
    ablations = list(dict.fromkeys([(), *questions, *(s for some in stand_ins for s in some)]))
    prepared = prepare_same(model, trace, limits)
    logprobs: dict[Units, float] = {}
    for units, value in _read(model, trace, sources, prepared, ablations, span, way, limits):
        logprobs[units] = value
        if len(logprobs) < len(ablations):
            yield Progress(len(logprobs), len(ablations))
    whole = logprobs[()]
    lost = {units: Ablation(units, whole - value) for units, value in logprobs.items()}
    rows = [
        Row(lost[units], tuple(lost[other] for other in others))
        for units, others in zip(questions, stand_ins, strict=True)
    ]
    check = Check(way, whole, span[1] - span[0], tuple(rows))
    yield Progress(len(ablations), len(ablations), check)


def _checked(
    chosen: Sequence[int], sources: Sources, span: tuple[int, int], trace: Trace, way: str
) -> list[int]:
    chosen = list(dict.fromkeys(chosen))
    if not chosen:
        raise InputError("No source is chosen. Choose at least one to hide.")
    if len(chosen) > MOST_CHOSEN:
        raise InputError(f"{len(chosen)} sources are too many: choose at most {MOST_CHOSEN}.")
    if not all(0 <= unit < len(sources.units) for unit in chosen):
        raise InputError("A chosen source is none of this prompt's. Select the sentence again.")
    if not 0 <= span[0] < span[1] <= len(trace.tokens):
        raise InputError("There is no such sentence in this answer. Select it again.")
    if way not in WAYS:
        raise InputError(f"Hiding by {way!r} is unknown. Known: {', '.join(WAYS)}.")
    return chosen


def _read(
    model: TracedModel,
    trace: Trace,
    sources: Sources,
    prepared: Prepared,
    ablations: Sequence[Units],
    span: tuple[int, int],
    way: Way,
    limits: Limits,
) -> Iterator[tuple[Units, float]]:
    """The sentence's log-probability under each ablation, in their order."""
    # What follows the sentence cannot change how likely it was.
    tokens = [token.id for token in trace.tokens[: span[1]]]

    def scored(prepared: Prepared, hidden: np.ndarray) -> list[float]:
        run = model.start(prepared)
        rows = run.score(tokens, torch.from_numpy(hidden), reread=way == "prompt")
        return [_finite(one) for one in rows[:, span[0] :].sum(1).cpu().tolist()]

    if way in ("attention", "prompt"):
        step = AT_ONCE if way == "attention" else 1
        for at in range(0, len(ablations), step):
            some = ablations[at : at + step]
            yield from zip(some, scored(prepared, positions_of(some, sources)), strict=True)
        return
    for units in ablations:
        if units:
            changed = without(trace.prompt, sources, set(units), how=way)
            prepared = model.prepare(changed, limits=limits)
        nothing = np.zeros((1, len(prepared.timeline)), bool)
        yield units, scored(prepared, nothing)[0]


def _finite(logprob: float) -> float:
    """A model may hold a token for impossible; differences of endless numbers would say nothing."""
    return logprob if math.isfinite(logprob) else IMPOSSIBLE
