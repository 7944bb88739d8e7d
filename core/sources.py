"""Timeline → source units at a chosen granularity; token scores → unit mass.

Rule 9 of the design: source text is cut as answers are (``core.spans.sentence_ranges``), so that
each option of a multiple-choice question is a unit of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Granularity:
    """How parts are cut into units.

    Attributes:
        text: ``sentence`` (list options apart) or ``part`` (each text part whole).
        bin_seconds: length of audio and film bins, 0.25–5 s.
        intervals: part index → ``[start, end)`` seconds to use instead of bins for that part; what they
            leave out becomes units too, so that no evidence is lost.
    """

    text: str = "sentence"
    bin_seconds: float = 1.0
    intervals: dict[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceUnit:
    """The smallest thing an answer can be attributed to.

    Attributes:
        id: stable name, e.g. ``p0.1``: part 0, second unit (``p2.s3``: sound of film 2, fourth).
        lane: one of ``timeline.LANES``.
        part: index into ``prompt.parts``.
        label: for people, e.g. ``Text 1 · sentence 2``, ``Image 3``, ``Audio 1 · 2.0–3.0 s``.
        start, end: characters (int) of the text part, or seconds; ``None`` for a picture.
        text: the unit's words, for text units; else empty.
    """

    id: str
    lane: str
    part: int
    label: str
    start: float | None = None
    end: float | None = None
    text: str = ""


@dataclass(frozen=True, eq=False)
class Sources:
    """All units of a prompt, in the prompt's order.

    Attributes:
        units: the units.
        unit_of: int32 ``(n_prompt,)``: the unit each position belongs to, −1 for none.
        lane_of: int8 ``(n_units,)``: index into ``LANES``.
    """

    units: tuple[SourceUnit, ...]
    unit_of: np.ndarray
    lane_of: np.ndarray
