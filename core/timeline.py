"""Where every prompt position comes from (section 3.1: "each corresponds to a contiguous subset").

The timeline is exact and per position; what counts as one source unit is decided later, in
``core.sources``, so that granularity can change on an old trace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LANES = ("text", "image", "audio", "video_frames", "video_sound")
"""Lanes in display order; a position's lane is an index into this tuple."""

STRUCTURAL = -1
"""Part of a position that is never a source: role markers, begin/end of media, newlines."""

INSTRUCTION = -2
"""Part of a position that belongs to the instruction; never a source either."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Provenance of ``n`` prompt positions.

    Attributes:
        part: int16 ``(n,)``; index into ``prompt.parts``, or ``STRUCTURAL``, or ``INSTRUCTION``.
        lane: int8 ``(n,)``; index into ``LANES``; −1 where ``part`` is negative.
        chars: int32 ``(n, 2)``; ``[start, end)`` in characters of the text part (or of the
            instruction); −1 where there is none. Tokens that share a character share its range.
        seconds: float32 ``(n, 2)``; ``[start, end)`` in the recording or film; NaN where none.
        box: float32 ``(n, 4)``; ``x0, y0, x1, y1`` in pixels of the original picture or frame
            (after EXIF rotation); NaN where none.
    """

    part: np.ndarray
    lane: np.ndarray
    chars: np.ndarray
    seconds: np.ndarray
    box: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.part)
        for name, columns in (("lane", 0), ("chars", 2), ("seconds", 2), ("box", 4)):
            shape = getattr(self, name).shape
            if shape != ((n, columns) if columns else (n,)):
                raise ValueError(f"timeline.{name} has shape {shape} for {n} positions")

    def __len__(self) -> int:
        return len(self.part)

    @classmethod
    def structural(cls, n: int) -> Timeline:
        """``n`` structural positions, for a builder to fill."""
        return cls(
            part=np.full(n, STRUCTURAL, np.int16),
            lane=np.full(n, -1, np.int8),
            chars=np.full((n, 2), -1, np.int32),
            seconds=np.full((n, 2), np.nan, np.float32),
            box=np.full((n, 4), np.nan, np.float32),
        )
