"""A check of one sentence, for the panel Check (``core.evaluation.check``).

::

    check = {"span": int, "way": way, "phase": "busy"|"done"|"error", "text": str,
             "done": int, "total": int | null, "chosen": [id, …],
             "sentence": str, "rows": [row, …]}                # rows of a finished one
    row   = {"units": [unit, …], "drop": nats, "words": str,
             "usual": {"drop": nats, "words": str} | null,     # hiding others of the same size
             "others": [[[unit, …], nats], …]}
    unit  = [id, lane, label]      # by id: the browser may show another cut by now
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.evaluation.check import Ablation, Check, Row
from core.sources import SourceUnit
from omnitrace_ui.views.wire import JSON, clean, rounded

SAME = 0.1
"""Nats: less is as good as nothing."""

_SCALES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))


@dataclass(frozen=True)
class Asked:
    """What is checked: sentence, ids of the chosen units, and how they are hidden."""

    span: int
    chosen: tuple[str, ...]
    way: str


def check_model(
    asked: Asked, phase: str, text: str = "", *, done: int = 0, total: int | None = None
) -> JSON:
    """A check that is under way or has failed."""
    return {
        "span": asked.span,
        "way": asked.way,
        "chosen": list(asked.chosen),
        "phase": phase,
        "text": clean(text),
        "done": done,
        "total": total,
        "sentence": "",
        "rows": [],
    }


def checked_model(asked: Asked, check: Check, units: Sequence[SourceUnit]) -> JSON:
    """A finished check."""
    each = 100 * math.exp(check.logprob / check.tokens)
    chance = "less than 0.01" if each < 0.01 else f"{each:.2g}" if each < 10 else f"{each:.0f}"
    sentence = (
        f"Nothing hidden, the model gives each of the sentence's {check.tokens} tokens a "
        f"probability of {chance} % (geometric mean)."
    )
    rows = [_row(row, units) for row in check.rows]
    return {**check_model(asked, "done"), "sentence": sentence, "rows": rows}


def in_words(drop: float) -> str:
    """What a loss of log-probability means: ``2.7 times less likely``."""
    if abs(drop) < SAME:
        return "about as likely as before"
    return f"{_times(abs(drop))} times {'less' if drop > 0 else 'more'} likely"


def _times(nats: float) -> str:
    if nats >= math.log(1e15):
        return "over a thousand trillion"
    factor = math.exp(nats)
    for scale, name in _SCALES:
        if factor >= scale:
            return f"{factor / scale:.0f} {name}"
    return f"{factor:.1f}" if factor < 10 else f"{factor:.0f}"


def _row(row: Row, units: Sequence[SourceUnit]) -> JSON:
    usual = row.usual
    return {
        "units": _named(row.hidden, units),
        "drop": rounded(row.hidden.drop, 2),
        "words": in_words(row.hidden.drop),
        "usual": None if usual is None else {"drop": rounded(usual, 2), "words": in_words(usual)},
        "others": [[_named(other, units), rounded(other.drop, 2)] for other in row.others],
    }


def _named(ablation: Ablation, units: Sequence[SourceUnit]) -> list[list[str]]:
    return [[u.id, u.lane, clean(u.label)] for u in (units[index] for index in ablation.units)]
