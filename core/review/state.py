"""Events → state: a pure fold, the only thing that says what a sentence's verdict is.

Payloads are those that ``core.review.checking`` let through; nothing is checked again here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from core.evaluation.labels import Interval
from core.review.records import FLAGS, Event, Place, SentenceState, Verdict


def replay(events: Iterable[Event]) -> SentenceState:
    """The state that one owner's events on one sentence amount to, in the order of versions."""
    history = [_Held(Verdict(), None)]
    first: Verdict | None = None
    version = 0
    for event in events:
        version = event.version
        if event.kind != "undo":
            history.append(_after(history[-1], event))
        elif len(history) > 1:
            history.pop()
        first = first or history[-1].committed
    verdict, committed = history[-1]
    return SentenceState(verdict, committed, first, version, len(history) - 1)


def replay_all(events: Iterable[Event]) -> dict[tuple[str, Place], SentenceState]:
    """``(owner, place)`` → state, of a log in which each sentence's events are in order."""
    threads: dict[tuple[str, Place], list[Event]] = defaultdict(list)
    for event in events:
        threads[event.owner, event.place].append(event)
    return {key: replay(thread) for key, thread in threads.items()}


def last_standing(events: Iterable[Event]) -> Event | None:
    """The last event of a log that is no undo and was not taken back; ``None`` if there is none."""
    standing: dict[tuple[str, Place], list[tuple[int, Event]]] = defaultdict(list)
    for order, event in enumerate(events):
        thread = standing[event.owner, event.place]
        if event.kind != "undo":
            thread.append((order, event))
        elif thread:
            thread.pop()
    tops = [thread[-1] for thread in standing.values() if thread]
    return max(tops, key=lambda top: top[0])[1] if tops else None


def joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Sorted by part, lane and start; those of one part and lane that touch are made one."""

    def line(one: Interval) -> tuple[int, str]:
        return one.part, one.lane or ""

    found: list[Interval] = []
    for _, group in groupby(sorted(intervals, key=lambda one: (*line(one), one.start)), line):
        first, *rest = group
        found.append(first)
        for one in rest:
            if one.start <= found[-1].end:
                found[-1] = replace(found[-1], end=max(found[-1].end, one.end))
            else:
                found.append(one)
    return tuple(found)


class _Held(NamedTuple):
    """What an undo goes back to."""

    verdict: Verdict
    committed: Verdict | None


def _after(held: _Held, event: Event) -> _Held:
    payload = event.payload
    if event.kind == "commit":
        return _Held(held.verdict, held.verdict)
    if event.kind == "accept":
        taken = replace(_whole(payload), accepted=True, note=held.verdict.note)
        return _Held(taken, taken)
    if event.kind == "note":
        noted = replace(held.verdict, note=payload["text"])
        # A remark on a finished sentence does not reopen it.
        done = held.committed == held.verdict
        return _Held(noted, noted if done else held.committed)
    return _Held(_CHANGES[event.kind](held.verdict, payload), held.committed)


def _unit(verdict: Verdict, payload: Mapping[str, Any]) -> Verdict:
    chosen = (
        {*verdict.units, payload["id"]} if payload["on"] else {*verdict.units} - {payload["id"]}
    )
    return _sourced(verdict, tuple(sorted(chosen)), verdict.intervals)


def _intervals(verdict: Verdict, payload: Mapping[str, Any]) -> Verdict:
    part, lane = payload["part"], payload["lane"]
    others = [one for one in verdict.intervals if (one.part, one.lane) != (part, lane)]
    drawn = [Interval(part, start, end, lane) for start, end in payload["intervals"]]
    return _sourced(verdict, verdict.units, joined([*others, *drawn]))


def _sourced(verdict: Verdict, units: tuple[str, ...], intervals: tuple[Interval, ...]) -> Verdict:
    """With these sources: what has one is not unsupported, and no longer simply the judge's."""
    unsupported = verdict.unsupported and not (units or intervals)
    return replace(
        verdict, units=units, intervals=intervals, unsupported=unsupported, accepted=False
    )


def _flag(verdict: Verdict, payload: Mapping[str, Any]) -> Verdict:
    name, on = payload["name"], payload["on"]
    if name == "unsupported":
        bare = _sourced(verdict, (), ()) if on else verdict
        return replace(bare, unsupported=on, accepted=False)
    return replace(verdict, **{name: on})


def _replaced(verdict: Verdict, payload: Mapping[str, Any]) -> Verdict:
    return _whole(payload)


def _whole(payload: Mapping[str, Any]) -> Verdict:
    return Verdict(
        tuple(sorted(set(payload["units"]))),
        joined(Interval(**one) for one in payload["intervals"]),
        note=payload["note"],
        **{name: payload[name] for name in FLAGS},
    )


_CHANGES = {"unit": _unit, "intervals": _intervals, "flag": _flag, "replace": _replaced}
