"""How far an annotator is, how fast, and where to go on: pure functions of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from core.review.records import Event, Place, Progress, SentenceState

PAUSE_SECONDS = 300.0
"""A longer gap between two commits is a pause, not work."""

_UNTOUCHED = SentenceState()


def progress(
    name: str,
    queue: Sequence[tuple[str, int]],
    states: Mapping[Place, SentenceState],
    events: Sequence[Event],
) -> Progress:
    """One annotator's progress.

    Args:
        name: whose.
        queue: item id and number of its sentences, in order.
        states: of this annotator's sentences; untouched ones may be left out.
        events: this annotator's, in the order of writing.
    """
    places = [[Place(item, index) for index in range(count)] for item, count in queue]
    flat = [place for item in places for place in item]
    done = {place for place in flat if states.get(place, _UNTOUCHED).done}
    own = [event for event in events if event.author == name]
    return Progress(
        name=name,
        done=len(done),
        total=len(flat),
        items_done=sum(done.issuperset(item) for item in places),
        items=len(places),
        seconds_each=_pace(own),
        resume=_resume(flat, done, own[-1].place if own else None),
    )


def _pace(events: Sequence[Event]) -> float | None:
    times = [event.time for event in events if event.kind in ("commit", "accept")]
    gaps = [after - before for before, after in pairwise(times)]
    worked = [gap for gap in gaps if 0 < gap <= PAUSE_SECONDS]
    return median(worked) if worked else None


def _resume(flat: Sequence[Place], done: set[Place], last: Place | None) -> Place | None:
    """The last touched sentence if it is not done, else the next after it, round the queue."""
    start = flat.index(last) if last in flat else 0
    return next((place for place in [*flat[start:], *flat[:start]] if place not in done), None)
