"""The signals by name. A new one is a pure function of one step, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from core.errors import InputError
from core.signals.attention import att_mean, att_norm, chosen_heads, raw_att
from core.signals.gradient import att_grads_all, att_grads_last, grad_logprob, knockout
from core.signals.needs import ROWS_ONLY, Needs, Target
from core.signals.recorder import StepRecord

_LOGIT: frozenset[Target] = frozenset(["logit"])
_LOGPROB: frozenset[Target] = frozenset(["logprob"])


@dataclass(frozen=True)
class Signal:
    """A rule that scores positions for one generated token.

    Attributes:
        name: as in traces and on the command line.
        title: for people.
        score: what was recorded at one step → scores ≥ 0, ``(n_positions,)``.
        needs: what must have been recorded for it.
    """

    name: str
    title: str
    score: Callable[[StepRecord], torch.Tensor]
    needs: Needs = ROWS_ONLY


SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        Signal("attmean", "AttMean: attention over all layers", att_mean),
        Signal("rawatt", "RawAtt: attention of the last layer", raw_att),
        Signal(
            "attgrads_last",
            "AttGrads: attention × gradient, last layer",
            att_grads_last,
            Needs("last", gradients=_LOGIT),
        ),
        Signal(
            "attgrads_all",
            "Grad-SAM: attention × gradient, all layers",
            att_grads_all,
            Needs("all", gradients=_LOGIT),
        ),
        Signal(
            "gradlogprob",
            "Gradient × attention of the log-probability, all layers",
            grad_logprob,
            Needs("all", gradients=_LOGPROB),
        ),
        Signal(
            "knockout",
            "Knock-out, estimated: log-probability that the token owes",
            knockout,
            Needs("all", gradients=_LOGPROB),
        ),
        Signal(
            "attnorm",
            "Attention × length of what it moves, all layers",
            att_norm,
            Needs("all", norms=True),
        ),
        Signal(
            "heads",
            "Attention of heads chosen for the model",
            chosen_heads,
            Needs("all", chosen=True),
        ),
    )
}


BEST = "attgrads_all"
"""Shown where nobody chose one: by `python -m core bench signals` it beats AttMean
against known sources and against the causal reference, at about twice the decoding time."""


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
