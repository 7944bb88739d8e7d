"""Span F1 and Time-F1 (section 4.1, "Evaluation metrics").

    "For visual-text tasks, each source unit corresponds to a discrete text span or image span.
    Attribution is evaluated as a multi-label prediction problem, and we report span-level F1. …
    We discretize time into 1-second bins and compute Time-F1, treating each time bin as a binary
    label and F1 is computed in the standard way."

Both are the F1 of two sets of elements, what a sentence cites and what its label names: a text or
picture unit is one element, and so is each 1-second bin that a stretch of sound or film touches.
Scores are averaged over sentences. Decided here, where the paper says nothing:

- Neither cited nor labelled: 1 over all modalities (they agree that nothing supports it); for one
  modality alone the sentence says nothing and is not counted. Only one of both: 0.
- A bin is touched if the stretch overlaps it by more than a thousandth of a second; every stretch
  touches at least one.
- A stretch that ends after its recording is cut at the end. One that begins after it stays: nothing
  can match it, so a label that is wrong costs recall and does not vanish. It costs as much as the
  whole recording at most, and one bin in a part that is none.
- A label that names no stream of a film is compared on the film's clock, where frames and sound of
  one second are one bin (the paper's union); one that names the stream asks for that stream.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from core.evaluation.labels import TIMED_LANES, Interval
from core.sources import SourceUnit
from core.trace import MediaInfo

MODALITIES = ("text", "image", "time")
_TOUCH = 1e-3
"""Seconds: timelines are float32 in 40 ms steps; a smaller overlap is rounding."""

_LONGEST = 86_400.0
"""Seconds that a stretch lasts at most where nobody says how long its recording is."""


class Element(NamedTuple):
    """One binary label: ``at`` is a unit's id, or a second of part ``part`` on ``lane``."""

    modality: str
    part: int
    lane: str | None
    at: str | int


class Agreement(NamedTuple):
    """Two sets compared: sizes of what both hold, of the cited and of the labelled set."""

    both: int
    cited: int
    labelled: int

    @property
    def precision(self) -> float:
        """Share of the cited that is labelled; 1 if both sets are empty, 0 if only this one is."""
        return self.both / self.cited if self.cited else float(not self.labelled)

    @property
    def recall(self) -> float:
        """Share of the labelled that is cited; 1 if both sets are empty, 0 if only this one is."""
        return self.both / self.labelled if self.labelled else float(not self.cited)

    @property
    def f1(self) -> float:
        """Their harmonic mean, 0 to 1."""
        size = self.cited + self.labelled
        return 2 * self.both / size if size else 1.0


def agreement(cited: Collection[Element], labelled: Collection[Element]) -> Agreement:
    """Compare two sets of elements."""
    return Agreement(len(set(cited) & set(labelled)), len(set(cited)), len(set(labelled)))


def bins(start: float, end: float) -> range:
    """The 1-second bins that ``[start, end)`` touches, named by the second they begin with."""
    first = math.floor(start + _TOUCH)
    return range(first, max(math.ceil(end - _TOUCH), first + 1))


def unclocked(intervals: Iterable[Interval]) -> frozenset[int]:
    """The parts whose intervals name no stream: to be compared on the part's clock."""
    return frozenset(one.part for one in intervals if one.lane is None)


def cited_elements(
    units: Iterable[SourceUnit], on_clock: Collection[int] = ()
) -> frozenset[Element]:
    """What citing these units claims; ``on_clock``: parts whose streams are not told apart."""
    found: set[Element] = set()
    for unit in units:
        if unit.lane in TIMED_LANES and unit.start is not None:
            lane = None if unit.part in on_clock else unit.lane
            found |= _seconds(unit.part, lane, unit.start, unit.end)
        else:
            found.add(_whole(unit))
    return frozenset(found)


def labelled_elements(
    named: Collection[str],
    intervals: Sequence[Interval],
    units: Iterable[SourceUnit],
    media: Sequence[MediaInfo] = (),
    on_clock: Collection[int] = (),
) -> frozenset[Element]:
    """What a label asks for.

    Args:
        named: ids of units, as in ``Label.units``; ids that no unit has are passed over here.
        intervals: stretches of sound and film.
        units: the prompt's units.
        media: one ``MediaInfo`` a part, for the ends of recordings; may be empty.
        on_clock: parts whose streams are not told apart, beside those where no stream is named.
    """
    named, units, clocks = set(named), tuple(units), unclocked(intervals) | set(on_clock)
    found = {_whole(unit) for unit in units if unit.id in named}
    timed = {unit.part for unit in units if unit.lane in TIMED_LANES}
    for one in intervals:
        lane = None if one.part in clocks else one.lane
        found |= _seconds(one.part, lane, one.start, _end(one, media, one.part in timed))
    return frozenset(found)


def _end(one: Interval, media: Sequence[MediaInfo], timed: bool) -> float:
    """Where a stretch ends as far as its part can tell; in one that has no time, at once."""
    if not timed:
        return one.start
    duration = media[one.part].duration if one.part < len(media) else None
    if duration is None:
        return min(one.end, one.start + _LONGEST)
    return min(one.end, duration if one.start < duration else one.start + duration)


def of_modality(elements: Iterable[Element], modality: str) -> frozenset[Element]:
    """Those of one modality."""
    return frozenset(element for element in elements if element.modality == modality)


def _whole(unit: SourceUnit) -> Element:
    """A unit that is one element; a recording without times is one too."""
    modality = unit.lane if unit.lane in ("text", "image") else "time"
    return Element(modality, unit.part, unit.lane, unit.id)


def _seconds(part: int, lane: str | None, start: float, end: float) -> set[Element]:
    return {Element("time", part, lane, second) for second in bins(start, end)}
