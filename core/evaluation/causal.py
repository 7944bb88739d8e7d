"""Causal faithfulness of every signal of a folder's traces: ``core evaluate --causal MODEL``.

Needs the model that answered and the media, so traces are opened whole, one at a time. What to
hide and what it says is ``core.evaluation.curves``; hiding is ``core.evaluation.faithfulness``, the
cheap way: out of sight of the answer, all ablations of an answer side by side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.curation import DEFAULT_CURATION
from core.errors import OmniTraceError
from core.evaluation.agreement import span_scores
from core.evaluation.curves import (
    RANDOM,
    CausalResult,
    Faithful,
    Units,
    ablations,
    faithful,
    orders,
    random_orders,
)
from core.evaluation.faithfulness import positions_of, span_drops
from core.evaluation.labels import answer_id
from core.evaluation.scoring import Problem
from core.explain import Cut, Prepared, prepare
from core.models.base import TracedModel
from core.trace import Trace

_AT_ONCE = 256
"""Ablations handed to the model together; it splits them further where memory asks for it."""


def causal_folder(
    model: TracedModel, files: Sequence[Path], task_of: Callable[[Trace, Cut], str]
) -> tuple[list[CausalResult], list[Problem]]:
    """Every trace's signals; one that cannot be judged is a problem. An answer counts once.

    Args:
        model: that answered.
        files: trace files.
        task_of: names the task of a trace.
    """
    results: list[CausalResult] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, str], str] = {}
    for path in tqdm(files, unit="answer", desc="causal"):
        try:
            with tempfile.TemporaryDirectory() as media:
                trace = Trace.load(path, media)
                identity = answer_id(trace), ",".join(trace.signals)
                if identity in seen:
                    why = f"left out: see {seen[identity]}"
                    problems.append(Problem("answer judged twice", path.name, why))
                    continue
                seen[identity] = path.name
                shared = Cut.of(trace)
                signals = causal_scores(model, trace, shared)
        except OmniTraceError as error:
            problems.append(Problem("no causal scores", path.name, str(error)))
            continue
        if not signals:
            why = "it has fewer than two sources, or no sentence"
            problems.append(Problem("no causal scores", path.name, why))
            continue
        named = path.name, identity[0], trace.model.name, task_of(trace, shared)
        results.append(CausalResult(*named, len(shared.spans), signals))
    return results, problems


def causal_scores(model: TracedModel, trace: Trace, shared: Cut) -> dict[str, Faithful]:
    """Every signal of a trace, and ``RANDOM``; none where there is nothing to choose from.

    Raises:
        InputError, LimitError: as ``faithfulness.span_drops``.
    """
    units, spans = len(shared.sources.units), shared.spans
    if units < 2 or not spans:
        return {}
    made = {}
    for signal in trace.signals:
        view = prepare(trace, signal=signal, shared=shared)
        ranked = orders(span_scores(_evidence(view), spans))
        made[signal] = [[ablations(order)] for order in ranked]
    drawn = [ablations(order) for order in random_orders(units, int(answer_id(trace), 16))]
    made[RANDOM] = [drawn] * len(spans)
    sets = {units for rows in made.values() for row in rows for one in row for units in one.sets()}
    lost = _lost(model, trace, shared, sorted(sets))
    return {name: faithful(rows, lost) for name, rows in made.items()}


def _evidence(view: Prepared) -> np.ndarray:
    return view.mass if DEFAULT_CURATION.assignment == "mass" else view.peak


def _lost(
    model: TracedModel, trace: Trace, shared: Cut, sets: Sequence[Units]
) -> dict[Units, list[float]]:
    """Sets of units → nats that every sentence loses without all of them."""
    found: dict[Units, list[float]] = {}
    for at in range(0, len(sets), _AT_ONCE):
        some = sets[at : at + _AT_ONCE]
        drops = span_drops(model, trace, shared.spans, positions_of(some, shared.sources))
        found |= dict(zip(some, drops.T.tolist(), strict=True))
    return found
