"""Every signal side by side: ``python -m core bench signals [--json] [--model NAME] [--limit N]``.

All signals are recorded in one run, so they speak of the same words. For each:

- F1 against the known sources of the held-out prompts (``core.world.score``), default curation.
- ρ: Spearman's rank correlation, over the units of a sentence, with the cheap causal reference
  (``core.evaluation.faithfulness``), mean over sentences.
- top 1, top 3: nats of log-probability that a sentence loses without its first, its first three
  units, mean over sentences; ``random`` is the same for units drawn at random, ``reference`` for
  those that the causal reference itself puts first (single effects: three are not the best three).
- time and memory beside plain ``generate`` on a random model of 24 layers, each signal recorded
  alone (``core.benchmarks.decoding``).

``--real FOLDER`` adds a table for another model, over written prompts whose sources nobody knows.
"""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from tqdm import tqdm

from core.benchmarks.decoding import deep_model, peak_bytes, time_ratio
from core.benchmarks.written import WRITTEN
from core.curation import DEFAULT_CURATION
from core.decoding import trace
from core.evaluation.agreement import rank_correlation, span_scores, top_units
from core.evaluation.faithfulness import leave_one_out, positions_of, span_drops
from core.explain import Prepared, explain, prepare
from core.models.base import TracedModel
from core.models.registry import load_model
from core.prompt import Prompt
from core.samples import read_samples
from core.signals.registry import SIGNALS
from core.trace import Trace
from core.world.bench import HELD_OUT
from core.world.score import score

LANES = ("text", "image", "time")
KS = (1, 3)
RANDOM, REFERENCE = "random", "reference"
DRAWS = 5
"""Random sets of units a sentence."""
COST_PAIRS = 3

Sentences = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Agreement:
    """One sentence under one signal; ``rho`` is ``None`` where there is nothing to rank.

    ``drops``: k → nats lost without the first k units.
    """

    rho: float | None
    drops: Mapping[int, float]


def run(
    *,
    json: bool,
    model: str = "embedded",
    limit: int | None = None,
    real: str | None = None,
    costs: bool = True,
    samples: Path = HELD_OUT,
) -> int:
    """Print the tables; with ``json`` the same as numbers."""
    loaded = load_model(model)
    chosen = read_samples(samples)[:limit]
    known = [(sample.prompt(), sample.extra["sentences"]) for sample in chosen]
    report: dict[str, Any] = {"model": loaded.info.name, "rows": table(loaded, known)}
    if costs:
        spent = cost(usable(loaded))
        report["rows"] = [row | spent.get(row["signal"], {}) for row in report["rows"]]
    if real is not None:
        other = load_model(real)
        written = [(prompt, ()) for prompt in WRITTEN[:limit]]
        report["real"] = {"model": other.info.name, "rows": table(other, written)}
    print(json_module.dumps(report, indent=1) if json else _printed(report))
    return 0


def usable(model: TracedModel) -> tuple[str, ...]:
    """The signals that can be recorded of a model."""
    return tuple(n for n, s in SIGNALS.items() if model.chosen_heads or not s.needs.chosen)


def table(model: TracedModel, prompts: Sequence[tuple[Prompt, Sentences]]) -> list[dict[str, Any]]:
    """One row a signal, and two to compare with; ``sentences`` says of how many."""
    names = usable(model)
    found: dict[str, list[Agreement]] = {n: [] for n in (*names, RANDOM, REFERENCE)}
    f1: dict[str, list[tuple[str, float]]] = {name: [] for name in names}
    for prompt, truth in tqdm(prompts, unit="prompt", file=sys.stderr):
        made = trace(model, prompt, signals=names, max_new_tokens=200)
        for name in names:
            scored = score(truth, explain(made, signal=name))
            f1[name] += [(one.lane, one.f1) for one in scored if one.f1 is not None]
        for name, agreements in agreement(model, made).items():
            found[name] += agreements
    return [
        {"signal": name, "f1": _by_lane(f1.get(name, ())), **_summary(found[name])}
        for name in found
    ]


def agreement(model: TracedModel, made: Trace) -> dict[str, list[Agreement]]:
    """Every sentence of an answer under every signal of its trace, and under the two others."""
    views = {name: prepare(made, signal=name) for name in made.signals}
    first = next(iter(views.values()))
    units = len(first.sources.units)
    if units < 2 or not first.spans:
        return {}
    drops = leave_one_out(model, made, first.sources, first.spans)
    scores = {name: span_scores(_evidence(view), view.spans) for name, view in views.items()}
    wanted = {
        (name, span, k): [top_units(of[span], k)]
        for name, of in {**scores, REFERENCE: drops}.items()
        for span in range(len(first.spans))
        for k in KS
    }
    draw = np.random.default_rng(0)
    for span in range(len(first.spans)):
        for k in KS:
            wanted[RANDOM, span, k] = [
                tuple(draw.choice(units, min(k, units), replace=False).tolist())
                for _ in range(DRAWS)
            ]
    lost = _lost(model, made, first, [one for sets in wanted.values() for one in sets])
    spread = {**scores, REFERENCE: drops, RANDOM: None}
    return {
        name: [
            Agreement(
                None if of is None else rank_correlation(of[span], drops[span]),
                {k: mean(lost[_key(one)][span] for one in wanted[name, span, k]) for k in KS},
            )
            for span in range(len(first.spans))
        ]
        for name, of in spread.items()
    }


def cost(names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Signal → time ratio and added megabytes, each recorded alone on a model of 24 layers."""
    model, plain = deep_model(), peak_bytes(())
    return {
        name: {
            "ratio": time_ratio(model, (name,), COST_PAIRS),
            "added_mb": round((peak_bytes((name,)) - plain) / 1e6, 1),
        }
        for name in tqdm(names, unit="signal", file=sys.stderr)
    }


def _evidence(view: Prepared) -> np.ndarray:
    return view.mass if DEFAULT_CURATION.assignment == "mass" else view.peak


def _lost(
    model: TracedModel, made: Trace, view: Prepared, sets: Sequence[tuple[int, ...]]
) -> dict[tuple[int, ...], list[float]]:
    """Sets of units, in order → nats that every sentence loses without all of them."""
    distinct = sorted({_key(one) for one in sets})
    drops = span_drops(model, made, view.spans, positions_of(distinct, view.sources))
    return {one: drops[:, index].tolist() for index, one in enumerate(distinct)}


def _key(units: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(units))


def _by_lane(scored: Sequence[tuple[str, float]]) -> dict[str, float | None]:
    """Percent by lane, and the mean of the lanes that there are."""
    lanes = {lane: [value for of, value in scored if of == lane] for lane in LANES}
    known = {lane: round(100 * mean(values), 1) for lane, values in lanes.items() if values}
    average = round(mean(known.values()), 1) if known else None
    return {**{lane: known.get(lane) for lane in LANES}, "mean": average}


def _summary(agreements: Sequence[Agreement]) -> dict[str, Any]:
    ranked = [one.rho for one in agreements if one.rho is not None]
    drops = {
        f"top{k}": round(mean(one.drops[k] for one in agreements), 3) if agreements else None
        for k in KS
    }
    rho = round(mean(ranked), 3) if ranked else None
    return {"sentences": len(agreements), "rho": rho, **drops}


def _printed(report: Mapping[str, Any]) -> str:
    lines = _lines(report["model"], report["rows"])
    if "real" in report:
        lines += ["", *_lines(report["real"]["model"], report["real"]["rows"])]
    return "\n".join(lines)


def _lines(model: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    heads = "".join(f"{lane:>7}" for lane in (*LANES, "mean"))
    lines = [
        f"{model}: F1 in %, {rows[0]['sentences']} sentences for ρ and nats lost",
        f"{'signal':<15}{heads}{'ρ':>8}{'top 1':>8}{'top 3':>8}{'time ×':>8}{'+MB':>7}",
    ]
    for row in rows:
        cells = "".join(_cell(row["f1"][lane], 7, 1) for lane in (*LANES, "mean"))
        cells += "".join(_cell(row[name], 8, 3) for name in ("rho", "top1", "top3"))
        cells += _cell(row.get("ratio"), 8, 2) + _cell(row.get("added_mb"), 7, 1)
        lines.append(f"{row['signal']:<15}{cells}")
    return lines


def _cell(value: float | None, width: int, digits: int) -> str:
    return f"{'–':>{width}}" if value is None else f"{value:>{width}.{digits}f}"
