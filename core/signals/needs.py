"""What a signal needs recorded: a run pays for what its signals need, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Literal

Target = Literal["logit", "logprob"]
"""What a gradient is of: the logit, or the log-probability in nats, of the token that follows."""

Depth = Literal["none", "last", "all"]
_DEPTHS: tuple[Depth, ...] = ("none", "last", "all")


@dataclass(frozen=True)
class Needs:
    """Beside the rows averaged over heads, which are always recorded.

    Attributes:
        heads: the layers whose rows are kept for every head.
        gradients: targets whose gradient with respect to those rows is taken.
        norms: lengths of the transformed value vectors.
        chosen: heads that somebody chose for the model.
    """

    heads: Depth = "none"
    gradients: frozenset[Target] = frozenset()
    norms: bool = False
    chosen: bool = False

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            max(self.heads, other.heads, key=_DEPTHS.index),
            self.gradients | other.gradients,
            self.norms or other.norms,
            self.chosen or other.chosen,
        )

    @classmethod
    def all_of(cls, needs: Iterable[Needs]) -> Needs:
        """What several signals need together."""
        return reduce(cls.__or__, needs, cls())


ROWS_ONLY = Needs()
