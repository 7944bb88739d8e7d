"""What each position of one media item shows; a rule a family and kind, a fallback for the rest.

Rules are in ``pictures``, ``sounds`` and ``films``; ``families`` names them by ``model_type``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.media import Film, Picture, Sound


@dataclass(frozen=True, eq=False)
class Item:
    """One media part as the processor put it into the prompt.

    Attributes:
        decoded: the part itself.
        index: its number among the prompt's items of this kind.
        count: positions that hold it, in prompt order.
        expansion: the text that the processor put in the place of its placeholder.
        tensors: what the processor made of all parts.
        processor: settings of the encoders' input.
        config: of the whole model.
    """

    decoded: Picture | Sound | Film
    index: int
    count: int
    expansion: str
    tensors: Mapping[str, Any]
    processor: Any
    config: Any

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, or of the film's frames as stored, in pixels."""
        return self.decoded.info.width, self.decoded.info.height

    @property
    def duration(self) -> float:
        """Seconds of the recording."""
        return len(self.decoded.samples) / self.decoded.rate


@dataclass(frozen=True, eq=False)
class Places:
    """What an item's ``n`` positions show, in prompt order.

    Attributes:
        shown: bool ``(n,)``; false for line breaks, separators and padding.
        seconds: float32 ``(n, 2)``, half-open, NaN where none.
        box: float32 ``(n, 4)``, pixels of the original, NaN where none.
    """

    shown: np.ndarray
    seconds: np.ndarray
    box: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.shown)
        if self.seconds.shape != (n, 2) or self.box.shape != (n, 4):
            raise ValueError(f"places of {n} positions: {self.seconds.shape}, {self.box.shape}")

    @classmethod
    def of(
        cls,
        count: int,
        *,
        shown: np.ndarray | None = None,
        seconds: np.ndarray | None = None,
        box: np.ndarray | None = None,
    ) -> Places:
        """Places of ``count`` positions; what is not given is everywhere shown, or absent."""
        return cls(
            np.ones(count, bool) if shown is None else shown,
            np.full((count, 2), np.nan, np.float32) if seconds is None else seconds,
            np.full((count, 4), np.nan, np.float32) if box is None else box,
        )


Rule = Callable[[Item], Places]


def whole_item(item: Item) -> Places:
    """Every position stands for all of the item: the whole picture, recording or film."""
    if isinstance(item.decoded, Sound):
        return Places.of(item.count, seconds=_everywhere(item.count, 0, item.duration))
    width, height = item.size
    box = _everywhere(item.count, 0, 0, width, height)
    if isinstance(item.decoded, Film):
        return Places.of(item.count, seconds=_everywhere(item.count, 0, item.decoded.end), box=box)
    return Places.of(item.count, box=box)


def _everywhere(count: int, *values: float) -> np.ndarray:
    return np.tile(np.asarray(values, np.float32), (count, 1))
