"""Who checks what, in which order: fixed by the seed when the project is made."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Assignment(NamedTuple):
    """Item ids: what every annotator checks, and each annotator's whole queue in its order."""

    shared: tuple[str, ...]
    queues: Mapping[str, tuple[str, ...]]


def assign(
    tasks: Mapping[str, str], annotators: Sequence[str], *, overlap: float, seed: int
) -> Assignment:
    """Deal items to annotators.

    Of every task, ``overlap`` of its items (one at least, if ``overlap > 0``) go to everybody, so
    that agreement can be told for each; the others are dealt round, so that shares differ by one.

    Args:
        tasks: item id → task, in any order.
        annotators: names.
        overlap: 0..1.
        seed: equal inputs and seed give an equal assignment on any machine.
    """
    rng = random.Random(seed)
    by_task: dict[str, list[str]] = defaultdict(list)
    for item in sorted(tasks):
        by_task[tasks[item]].append(item)
    shared: list[str] = []
    single: list[str] = []
    for task in sorted(by_task):
        items = by_task[task]
        rng.shuffle(items)
        count = max(round(overlap * len(items)), 1 if overlap > 0 else 0)
        shared += items[:count]
        single += items[count:]
    return Assignment(
        tuple(shared),
        {
            name: ordered([*shared, *single[place :: len(annotators)]], name, seed)
            for place, name in enumerate(annotators)
        },
    )


def ordered(items: Sequence[str], name: str, seed: int) -> tuple[str, ...]:
    """Items in one annotator's order: everybody's differs, so that fatigue does not fall on one."""
    shuffled = list(items)
    random.Random(f"{seed}:{name}").shuffle(shuffled)
    return tuple(shuffled)
