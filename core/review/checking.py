"""What a change may say of an item: a browser's JSON is checked before it becomes an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import InputError, TraceFileError
from core.evaluation.labels import TIMED_LANES
from core.review.changes import Change, replace
from core.review.records import FLAGS, KINDS, Item, SentenceState, Verdict
from core.tracefile.checks import (
    Check,
    array,
    boolean,
    exactly,
    integer,
    number,
    one_of,
    optional,
    text,
)

MOST_NOTE = 10_000
"""Characters of a note."""

_SECONDS = number(0, 1e7)
_PART = integer(0, 10_000)
_LANE = optional(one_of(*TIMED_LANES))
_SHAPES: dict[str, Check] = {
    "unit": exactly(id=text(200), on=boolean),
    "intervals": exactly(part=_PART, lane=_LANE, intervals=array(array(_SECONDS, 2), 10_000)),
    "note": exactly(text=text(MOST_NOTE)),
    "flag": exactly(name=one_of(*FLAGS), on=boolean),
    "replace": exactly(
        units=array(text(200), 100_000),
        intervals=array(exactly(part=_PART, start=_SECONDS, end=_SECONDS, lane=_LANE), 10_000),
        note=text(MOST_NOTE),
        **dict.fromkeys(FLAGS, boolean),
    ),
    "accept": exactly(),
    "commit": exactly(),
    "undo": exactly(),
}


def checked(
    change: Change, item: Item, state: SentenceState, judge: Verdict | None
) -> Mapping[str, Any]:
    """The payload that the event will hold.

    Args:
        change: what was asked for; untrusted.
        item: whose sentence it is.
        state: before the change.
        judge: what the judge said, if it may be accepted.

    Raises:
        InputError: it does not fit; the message says why.
    """
    if change.kind not in KINDS:
        raise InputError(f"A change {change.kind!r} is unknown. Known: {', '.join(KINDS)}.")
    try:
        payload = _SHAPES[change.kind](change.payload, "The change")
    except TraceFileError as error:
        raise InputError(str(error)) from error
    if change.kind == "unit":
        _check_unit(item, payload["id"])
    elif change.kind == "intervals":
        payload["intervals"] = [
            _within(item, payload["part"], payload["lane"], *_two(one))
            for one in payload["intervals"]
        ]
    elif change.kind == "replace":
        _check_whole(item, payload)
    elif change.kind == "accept":
        return _of_judge(judge)
    elif change.kind == "commit":
        _check_commit(state.verdict)
    elif change.kind == "undo" and not state.undoable:
        raise InputError("Nothing is left to undo on this sentence.")
    return payload


def _check_unit(item: Item, unit: str) -> None:
    if unit not in item.selectable:
        raise InputError(f"This item has no unit {unit[:40]!r} that could be chosen.")


def _check_whole(item: Item, payload: dict[str, Any]) -> None:
    for unit in payload["units"]:
        _check_unit(item, unit)
    for one in payload["intervals"]:
        one["start"], one["end"] = _within(item, one["part"], one["lane"], one["start"], one["end"])
    if payload["unsupported"] and (payload["units"] or payload["intervals"]):
        raise InputError("A sentence that has sources is not unsupported: choose one of both.")


def _two(edges: tuple[float, ...]) -> tuple[float, float]:
    if len(edges) != 2:
        raise InputError("An interval is [start, end) in seconds.")
    return edges


def _within(
    item: Item, part: int, lane: str | None, start: float, end: float
) -> tuple[float, float]:
    """The interval, cut at the recording's end."""
    lanes = item.timed.get(part)
    if lanes is None or (lane is not None and lane not in lanes):
        on = "" if lane is None else f" with the lane {lane}"
        raise InputError(f"Part {part + 1} of this item is no recording or film{on}.")
    duration = item.durations[part]
    if duration is not None and start < duration:
        end = min(end, duration)
    if start >= end or (duration is not None and start >= duration):
        raise InputError(f"An interval from {start:g} s to {end:g} s lies not in the recording.")
    return float(start), float(end)


def _of_judge(judge: Verdict | None) -> Mapping[str, Any]:
    if judge is None:
        raise InputError(
            "There is no judge's verdict to accept: it said nothing of this sentence, or is "
            "hidden until you commit your own."
        )
    return replace(judge).payload


def _check_commit(verdict: Verdict) -> None:
    if verdict.is_empty and not (verdict.unsure or verdict.bad):
        raise InputError(
            "Choose a source first, or say that nothing supports the sentence, that it is bad, or "
            "that you are unsure."
        )
