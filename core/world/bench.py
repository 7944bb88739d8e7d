"""How right the embedded model is, and how right its attribution: ``python -m core bench world``.

The model answers every held-out prompt freely and greedily; ``core.world.score`` says what counts.
``--compare`` adds signals × assignments × lane policies: the defaults were chosen by that table.
"""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean

from tqdm import tqdm

from core.curation import ASSIGNMENTS, DEFAULT_CURATION, LANE_POLICIES
from core.decoding import trace
from core.explain import explain
from core.models.registry import load_model
from core.samples import Sample, read_samples
from core.signals.registry import BEST
from core.sources import Granularity
from core.trace import Trace
from core.world.score import Scored, score

HELD_OUT = Path(__file__).parents[2] / "assets" / "heldout" / "samples.json"
SENTENCES = ("text", "speech", "picture", "film")
LANES = ("text", "image", "time")
SIGNALS = (BEST, "attmean", "rawatt")

BINS = Granularity(time="bins")

Traced = Sequence[tuple[Sample, Trace]]


def run(
    *,
    json: bool,
    model: str = "embedded",
    limit: int | None = None,
    compare: bool = False,
    samples: Path = HELD_OUT,
) -> int:
    """Print the table; with ``json`` the same as numbers in percent."""
    loaded = load_model(model)
    chosen = read_samples(samples)[:limit]
    traced = [
        (sample, trace(loaded, sample.prompt(), signals=SIGNALS, max_new_tokens=200))
        for sample in tqdm(chosen, unit="prompt", file=sys.stderr)
    ]
    results = [one for sample, made in traced for one in _scored(sample, made)]
    table = summary(results)
    table["f1_in_bins"] = in_bins(traced)
    table |= {"compare": comparison(traced)} if compare else {}
    print(json_module.dumps(table, indent=1) if json else _printed(table, results))
    return 0


def summary(results: Sequence[Scored]) -> dict[str, object]:
    """Percent: sentences right by what they are about, choices right, F1 by lane.

    ``f1_letters`` is the part of ``f1.text`` that is "The answer is B.": its source is the option,
    but a model may have found the letter while it wrote the reason, and then reads its own words.
    """
    return {
        "sentences": {kind: _right(results, kind) for kind in SENTENCES},
        "choice": _right(results, "choice"),
        "f1": {lane: _f1(results, lane) for lane in LANES},
        "f1_letters": _percent([one.f1 for one in results if _is_letter(one)]),
    }


def in_bins(traced: Traced) -> float | None:
    """F1 by time where it is cut into 1-s bins, instead of where it divides by itself."""
    results = [
        one
        for sample, made in traced
        for one in score(sample.extra["sentences"], explain(made, granularity=BINS))
    ]
    return _f1(results, "time")


def comparison(traced: Traced) -> list[dict[str, object]]:
    """F1 by lane for every signal, assignment and lane policy."""
    rows = []
    for signal, assignment, lanes in product(SIGNALS, ASSIGNMENTS, LANE_POLICIES):
        curation = replace(DEFAULT_CURATION, assignment=assignment, lanes=lanes)
        results = [
            one
            for sample, made in traced
            for one in score(
                sample.extra["sentences"], explain(made, signal=signal, curation=curation)
            )
        ]
        f1 = {lane: _f1(results, lane) for lane in LANES}
        known = [value for value in f1.values() if value is not None]
        average = round(mean(known), 1) if known else None
        named = {"signal": signal, "assignment": assignment, "lanes": lanes}
        rows.append({**named, "f1": f1, "mean": average})
    return rows


def _scored(sample: Sample, made: Trace) -> Iterable[Scored]:
    return score(sample.extra["sentences"], explain(made))


def _right(results: Sequence[Scored], kind: str) -> float | None:
    return _percent([one.right for one in results if one.kind == kind])


def _f1(results: Sequence[Scored], lane: str) -> float | None:
    return _percent([one.f1 for one in results if one.lane == lane and one.f1 is not None])


def _is_letter(one: Scored) -> bool:
    return one.kind == "choice" and one.f1 is not None


def _percent(values: Sequence[float]) -> float | None:
    return round(100 * mean(values), 1) if values else None


def _printed(table: dict[str, object], results: Sequence[Scored]) -> str:
    lines = ["right, % (of so many)"]
    for kind in (*SENTENCES, "choice"):
        count = sum(one.kind == kind for one in results)
        lines.append(f"  {kind:<10}{_cell(_right(results, kind))}  ({count})")
    lines.append("attribution F1 of right sentences, % (of so many)")
    for lane in LANES:
        count = sum(one.lane == lane and one.f1 is not None for one in results)
        lines.append(f"  {lane:<10}{_cell(_f1(results, lane))}  ({count})")
    letters = [one for one in results if _is_letter(one)]
    lines.append(
        f"    letters {_cell(_percent([one.f1 for one in letters]))}  ({len(letters)} of text)"
    )
    lines.append(f"    in bins {_cell(table['f1_in_bins'])}  (time, cut into 1-s bins)")
    if rows := table.get("compare"):
        lines.append(f"{'signal':<14}{'assigned':<10}{'lanes':<11}  text  image   time   mean")
        for row in rows:
            cells = " ".join(_cell(row["f1"][lane]) for lane in LANES)
            named = f"{row['signal']:<14}{row['assignment']:<10}{row['lanes']:<11}"
            lines.append(f"{named}{cells} {_cell(row['mean'])}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "     –" if value is None else f"{value:6.1f}"
