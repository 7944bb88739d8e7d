"""Other sources of the same size: what a drop must be compared with.

Hiding anything at all unsettles a model. Only where hiding the cited source costs more than hiding
some other piece of the same prompt was the source needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from core.sources import Sources

ALIKE = 1.5
"""Sizes whose ratio is at most this count as the same."""


def counterparts(
    sources: Sources,
    hidden: Sequence[int],
    *,
    spared: Collection[int],
    draws: int,
    seed: int = 0,
) -> tuple[tuple[int, ...], ...]:
    """Up to ``draws`` different sets of other units, each unit standing for one of ``hidden``.

    A unit's size is its number of prompt positions. Its stand-in is drawn among those of its own
    lane of about its size; else among all of about its size; else it is the one nearest in size.

    Args:
        sources: the units.
        hidden: those to be stood in for.
        spared: units that must not be drawn, e.g. all that the sentence cites.
        draws: most sets; fewer where there are no more, none where a stand-in is missing.
        seed: of the draws.
    """
    random = np.random.default_rng([seed, *sorted(hidden)])
    sizes = np.bincount(sources.unit_of[sources.unit_of >= 0], minlength=len(sources.units))
    found: dict[tuple[int, ...], None] = {}
    for _ in range(4 * draws):
        drawn = _draw(sources, sizes, hidden, set(spared) | set(hidden), random)
        if drawn:
            found[drawn] = None
        if len(found) == draws:
            break
    return tuple(found)


def _draw(
    sources: Sources,
    sizes: np.ndarray,
    hidden: Sequence[int],
    taken: set[int],
    random: np.random.Generator,
) -> tuple[int, ...] | None:
    drawn: list[int] = []
    for unit in hidden:
        others = np.array([u for u in range(len(sizes)) if u not in taken], int)
        if not len(others):
            return None
        apart = np.abs(np.log(sizes[others] / sizes[unit]))
        alike = others[apart <= np.log(ALIKE) + 1e-9]
        kin = alike[sources.lane_of[alike] == sources.lane_of[unit]]
        pool = kin if len(kin) else alike if len(alike) else others[[apart.argmin()]]
        chosen = int(random.choice(pool))
        taken.add(chosen)
        drawn.append(chosen)
    return tuple(sorted(drawn))
