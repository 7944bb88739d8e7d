"""What an annotator can do to a sentence; each is one event, one click or key.

    desk.write(place, select("p0.1"), version=view.state.version, event_id="…")

- ``unit``       {"id", "on"}                       choose a unit, or let it go
- ``intervals``  {"part", "lane", "intervals"}      all intervals of one part (and stream), anew
- ``note``       {"text"}
- ``flag``       {"name", "on"}                     one of ``FLAGS``
- ``replace``    {"units", "intervals", flags, "note"}   a whole verdict, e.g. somebody else's
- ``accept``     {}                                 the judge's verdict, committed (the store writes
                                                    into the event what the judge said)
- ``commit``     {}                                 the verdict as it stands is the owner's word
- ``undo``       {}                                 takes back the last change that still holds
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.review.records import FLAGS, Verdict


@dataclass(frozen=True)
class Change:
    """What an event is to do; JSON values only, so that a browser can send it."""

    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)


def select(unit: str, on: bool = True) -> Change:
    """Choose a unit of text or picture, or let it go. Choosing ends ``unsupported``."""
    return Change("unit", {"id": unit, "on": on})


def draw(part: int, intervals: Iterable[tuple[float, float]], lane: str | None = None) -> Change:
    """The intervals ``[start, end)`` of a part, in seconds, in place of those it had.

    Drawing, moving, trimming and deleting are all this. Overlapping ones are joined; what reaches
    over the recording's end is cut there. ``lane``: one stream of a film, or ``None``: its clock.
    """
    return Change(
        "intervals",
        {"part": part, "lane": lane, "intervals": [[start, end] for start, end in intervals]},
    )


def note(text: str) -> Change:
    """The note, in place of the one before."""
    return Change("note", {"text": text})


def flag(name: str, on: bool = True) -> Change:
    """Set or clear one of ``FLAGS``; ``unsupported`` lets all sources go."""
    return Change("flag", {"name": name, "on": on})


def replace(verdict: Verdict) -> Change:
    """A whole verdict, not committed."""
    return Change(
        "replace",
        {
            "units": list(verdict.units),
            "intervals": [asdict(one) for one in verdict.intervals],
            "note": verdict.note,
            **{name: getattr(verdict, name) for name in FLAGS},
        },
    )


def accept() -> Change:
    """Take over what the judge said, and commit it."""
    return Change("accept")


def commit() -> Change:
    """Say that the verdict is done. One that names nothing must be flagged, or it is refused."""
    return Change("commit")


def undo() -> Change:
    """Take back the owner's last change to this sentence that still holds."""
    return Change("undo")
