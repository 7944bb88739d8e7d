"""The held-out set: ``python -m core.world.heldout --out assets/heldout``.

Facts, voices and placements that training never uses, from a seed. Written in the published
sample format (``core.samples``) with one key more: ``sentences``, the truth.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.world.compose import FAMILIES, Stock, compose
from core.world.render import save_film, save_picture, save_recording, utterance
from core.world.scenario import Film, Picture, Piece, Recording, Scenario
from core.world.words import COLOURS, THINGS, draw_fact

SEED = 2026
PER_TASK = {
    "choice-text": 3, "summary-text": 4, "select-person": 3,
    "choice-picture": 5, "which-pictures": 4, "describe-pictures": 3, "select-pictures": 3,
    "summary-conversation": 4, "choice-speech": 5, "summary-speech": 4, "select-speech": 3,
    "choice-film": 4, "describe-film": 4, "select-film": 2, "describe-narrated": 3,
    "summary-everything": 6,
}  # fmt: skip


def stock(
    *, pictures: int = 400, utterances: int = 120, seed: int = SEED, held_out: bool = True
) -> Stock:
    """Pictures, and facts spoken by voices, that training never meets; or else of those it may."""
    rng = random.Random(seed)
    base = 2 * 10**9 + seed * 10**5
    return Stock(
        tuple(
            Picture(rng.choice(THINGS), rng.choice(tuple(COLOURS)), base + index)
            for index in range(pictures)
        ),
        tuple(
            utterance(draw_fact(rng, held_out=held_out), base + index, held_out=held_out)
            for index in range(utterances)
        ),
        held_out=held_out,
    )


def scenarios(source: Stock, counts: dict[str, int], seed: int = SEED) -> list[Scenario]:
    """So many scenarios of each task, in the tasks' order."""
    rng = random.Random(seed)
    found: dict[str, list[Scenario]] = {task: [] for task in counts}
    while any(len(found[task]) < count for task, count in counts.items()):
        scenario = compose(rng, source, rng.choice(FAMILIES))
        if len(found.get(scenario.task, ())) < counts.get(scenario.task, 0):
            found[scenario.task].append(scenario)
    return [scenario for task in counts for scenario in found[task]]


def write(made: Sequence[Scenario], folder: Path, *, held_out: bool = True) -> None:
    """Write ``samples.json`` and ``media/`` into a folder, replacing what was there."""
    shutil.rmtree(folder / "media", ignore_errors=True)
    (folder / "media").mkdir(parents=True)
    entries = [_entry(index, scenario, folder, held_out) for index, scenario in enumerate(made)]
    text = json.dumps(entries, ensure_ascii=False, indent=1)
    (folder / "samples.json").write_text(f"{text}\n", encoding="utf-8")


def _entry(index: int, scenario: Scenario, folder: Path, held_out: bool) -> dict[str, Any]:
    return {
        "id": index,
        "task": scenario.task,
        "source_dataset": "miniature world",
        "prompt": scenario.instruction,
        "question": list(_question(index, scenario, folder, held_out)),
        "answer": scenario.answer,
        "sentences": [
            {"text": sentence.text, "sources": [vars(source) for source in sentence.sources]}
            for sentence in scenario.sentences
        ],
    }


def _question(
    index: int, scenario: Scenario, folder: Path, held_out: bool
) -> Iterator[dict[str, str]]:
    for at, piece in enumerate(scenario.pieces):
        if isinstance(piece, str):
            yield {"text": piece}
        else:
            kind, suffix = _file_kind(piece)
            path = Path("media") / f"{index:03d}-{at}{suffix}"
            _save(piece, folder / path, held_out)
            yield {kind: path.as_posix()}


def _file_kind(piece: Piece) -> tuple[str, str]:
    if isinstance(piece, Picture):
        return "image", ".webp"
    return ("audio", ".ogg") if isinstance(piece, Recording) else ("video", ".mp4")


def _save(piece: Picture | Recording | Film, path: Path, held_out: bool) -> None:
    if isinstance(piece, Picture):
        save_picture(piece, path)
    elif isinstance(piece, Recording):
        save_recording(piece, path, held_out=held_out)
    else:
        save_film(piece, path, held_out=held_out)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("assets/heldout"))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--times", type=int, default=1, help="so many times as many prompts")
    parser.add_argument(
        "--training", action="store_true", help="of the part that may be trained on: to pick by"
    )
    args = parser.parse_args(argv)
    held_out = not args.training
    counts = {task: count * args.times for task, count in PER_TASK.items()}
    source = stock(utterances=120 * args.times, seed=args.seed, held_out=held_out)
    write(scenarios(source, counts, args.seed), args.out, held_out=held_out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
