"""Choosing the heads of the signal ``heads``: ``python -m core bench heads --samples FILE``.

The true answers of samples with known sources are traced by teacher forcing, with the row of every
head. A head is right about a token if, of all positions that could be a source, it looks most at
one of the true source. Heads are taken one after another (greedy forward selection), each the one
that makes the sum of those taken right about the most tokens; tokens count by part of speech, as
votes do (rule 3). Pick on prompts that are not those reported on, made for instance by
``python -m core.world.heldout --seed 1 --out FOLDER``; ``--out`` writes the table beside weights.
"""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from core.curation import DEFAULT_CURATION
from core.decoding import trace
from core.media import Limits
from core.models.base import TracedModel
from core.models.heads import Head, write_heads
from core.models.registry import load_model
from core.samples import Sample, read_samples
from core.signals.needs import Needs
from core.signals.recorder import Recorder
from core.spans import parts_of_speech, spans
from core.timeline import LANES, Timeline
from core.trace import Trace


@dataclass(frozen=True, eq=False)
class Look:
    """Where every head looked for one token.

    Attributes:
        rows: float16 ``(n_layers · n_heads, n_sources)``: attention on positions of parts.
        right: bool ``(n_sources,)``: the true ones.
        weight: of the token, by its part of speech.
    """

    rows: np.ndarray
    right: np.ndarray
    weight: float


def run(
    *,
    json: bool,
    samples: Path,
    model: str = "embedded",
    limit: int | None = None,
    most: int = 12,
    out: Path | None = None,
) -> int:
    """Print the heads chosen, and how often they are right; ``out``: a model's folder."""
    loaded = load_model(model)
    chosen_samples = read_samples(samples)[:limit]
    looks = [
        look
        for sample in tqdm(chosen_samples, unit="prompt", file=sys.stderr)
        for look in observe(loaded, sample)
    ]
    config = loaded.text_model.config
    picked, accuracy = pick(looks, most)
    heads: list[Head] = [divmod(index, config.num_attention_heads) for index in picked]
    everyone = range(config.num_hidden_layers * config.num_attention_heads)
    how = {
        "picked_on": {"samples": len(chosen_samples), "tokens": len(looks)},
        "right": round(accuracy, 4),
        "right_of_all_heads": round(_accuracy(looks, everyone), 4),
    }
    if out is not None:
        write_heads(out, heads, how)
    report = {"heads": [list(head) for head in heads], **how}
    print(json_module.dumps(report, indent=1) if json else _printed(report))
    return 0


def observe(model: TracedModel, sample: Sample) -> Iterator[Look]:
    """One ``Look`` for every token of the sample's true sentences."""
    truth = sample.extra["sentences"]
    made = trace(model, sample.prompt(), response=sample.extra["answer"], signals=("attmean",))
    parts = made.timeline.part >= 0
    weights = DEFAULT_CURATION.pos_weights
    weight_of = [weights.of(tag) for tag in parts_of_speech(made.answer, made.tokens)]
    rows = _rows(model, made)
    for span, sentence in zip(spans(made.answer, made.tokens), truth, strict=False):
        right = true_positions(made.timeline, sentence["sources"])[parts]
        if span.text != sentence["text"] or not right.any():
            continue
        for token in range(span.first, span.last):
            if weight_of[token] > 0:
                yield Look(rows[token][:, parts], right, weight_of[token])


def true_positions(timeline: Timeline, sources: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The positions whose middle lies in a true source: bool ``(n_prompt,)``."""
    found = np.zeros(len(timeline), bool)
    for source in sources:
        held = (timeline.part == source["part"]) & (timeline.lane == LANES.index(source["lane"]))
        if source["start"] is not None:
            extents = timeline.chars if source["lane"] == "text" else timeline.seconds
            middle = extents.mean(axis=1)
            held &= (middle >= source["start"]) & (middle < source["end"])
        found |= held
    return found


def pick(looks: Sequence[Look], most: int) -> tuple[tuple[int, ...], float]:
    """Indices of at most ``most`` heads, in the order taken, and how often they are right (0–1).

    It stops as soon as no further head makes them right more often.
    """
    sums = [np.zeros(look.rows.shape[1], np.float32) for look in looks]
    chosen: list[int] = []
    best = 0.0
    while looks and len(chosen) < most:
        merit = np.zeros(len(looks[0].rows))
        for look, total in zip(looks, sums, strict=True):
            merit += look.weight * look.right[(look.rows + total).argmax(axis=1)]
        merit[chosen] = 0
        head = int(merit.argmax())
        if merit[head] <= best:
            break
        best = float(merit[head])
        chosen.append(head)
        for look, total in zip(looks, sums, strict=True):
            total += look.rows[head]
    return tuple(chosen), best / max(sum(look.weight for look in looks), 1e-9)


def _accuracy(looks: Sequence[Look], heads: Sequence[int]) -> float:
    """How often the sum of these heads is right."""
    hits = [
        look.weight * look.right[look.rows[list(heads)].sum(axis=0, dtype=np.float32).argmax()]
        for look in looks
    ]
    return float(sum(hits)) / max(sum(look.weight for look in looks), 1e-9)


def _rows(model: TracedModel, made: Trace) -> np.ndarray:
    """Attention of every head for every token: float16 ``(T, n_layers · n_heads, n_prompt)``."""
    tokens, n = [token.id for token in made.tokens], len(made.timeline)
    run = model.start(model.prepare(made.prompt, limits=Limits()))
    recorder = Recorder(model.text_model, Needs("all"))
    rows = []
    for at in range(len(tokens)):
        with recorder.listen():
            run.read_token(tokens[at - 1]) if at else run.read_prompt()
        rows.append(recorder.step(n + at).heads.flatten(0, 1)[:, :n].half().cpu().numpy())
    return np.stack(rows)


def _printed(report: Mapping[str, Any]) -> str:
    heads = ", ".join(f"{layer}.{head}" for layer, head in report["heads"])
    return (
        f"layer.head: {heads}\n"
        f"right about {report['right']:.1%} of {report['picked_on']['tokens']:,} tokens; "
        f"all heads together {report['right_of_all_heads']:.1%}"
    )
