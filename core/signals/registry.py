"""The signals by name. A new one is a pure function of one step, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from core.errors import InputError
from core.signals.attention import att_mean, raw_att
from core.signals.recorder import StepRecord


@dataclass(frozen=True)
class Signal:
    """A rule that scores positions for one generated token.

    Attributes:
        name: as in traces and on the command line.
        title: for people.
        score: what was recorded at one step → scores ≥ 0, ``(n_positions,)``.
    """

    name: str
    title: str
    score: Callable[[StepRecord], torch.Tensor]


SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        Signal("attmean", "AttMean: attention over all layers", att_mean),
        Signal("rawatt", "RawAtt: attention of the last layer", raw_att),
    )
}


def signals_named(names: Sequence[str]) -> tuple[Signal, ...]:
    """The signals asked for, in their order.

    Raises:
        InputError: none was named, or one is unknown.
    """
    unknown = [name for name in names if name not in SIGNALS]
    if unknown or not names:
        what = f"There is no signal {unknown[0]!r}" if unknown else "No signal was named"
        raise InputError(f"{what}. Known: {', '.join(SIGNALS)}.")
    return tuple(SIGNALS[name] for name in dict.fromkeys(names))
