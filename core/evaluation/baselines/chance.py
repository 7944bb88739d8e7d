"""Post-hoc baselines (appendix C.2) that need no model.

"Random: This is a post-hoc method. Implementation is similar to Embedding-based heuristics
except that the matching is random instead of similarity-based."
"""

from __future__ import annotations

import numpy as np

DRAWS = 10
"""Random citations of a sentence; their scores are averaged, for one draw is mostly luck."""


def random_citations(
    counts: np.ndarray, n_units: int, seed: int, *, draws: int = DRAWS
) -> tuple[tuple[np.ndarray, ...], ...]:
    """Cite at random, as densely as another method: as many units for each sentence.

    Args:
        counts: int ``(n_spans,)``: how many units the other method cites, each ≤ ``n_units``.
        n_units: of the prompt.
        seed: the same seed, the same citations.
        draws: how many.

    Returns:
        For every draw and sentence, indices of distinct units.
    """
    rng = np.random.default_rng(seed)
    return tuple(
        tuple(rng.choice(n_units, size=count, replace=False) for count in counts)
        for _ in range(draws)
    )
