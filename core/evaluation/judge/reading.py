"""A judge's reply → its word on every sentence, and what is wrong with the rest.

Nothing is guessed: what names an unknown source or a stretch outside its recording, or leaves a
sentence out, is told in words that can be sent back. Two liberties are taken, for they lose
nothing: what stands around the outermost braces is passed over (code fences, a courtesy), and an
end that was rounded up to a whole second is cut at the end of the recording.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from core.evaluation.judge.question import Question
from core.evaluation.labels import Interval

_SHOWN = 80
"""Characters of what was answered that a complaint repeats."""


@dataclass(frozen=True)
class Verdict:
    """The sources of one sentence, as ``Label`` holds them."""

    units: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A reply, read.

    Attributes:
        verdicts: index of a sentence → what was soundly said of it.
        faults: what is wrong, each in a line.
    """

    verdicts: Mapping[int, Verdict]
    faults: tuple[str, ...]

    @property
    def complaint(self) -> str:
        """What is sent back; empty if nothing is wrong."""
        if not self.faults:
            return ""
        return (
            "That cannot be used: "
            + " ".join(self.faults)
            + " Reply again with the whole JSON, in the form that was asked for, and nothing else."
        )


class _FaultError(Exception):
    """One thing that is wrong, in words."""


def read_reply(text: str, question: Question) -> Reading:
    """Read a reply to a question."""
    try:
        entries = _entries(text)
    except _FaultError as fault:
        return Reading({}, (str(fault),))
    verdicts: dict[int, Verdict] = {}
    faults: list[str] = []
    seen: set[int] = set()
    for entry in entries:
        try:
            number = _number(entry, len(question.sentences))
            if number in seen:
                verdicts.pop(number - 1, None)
                _fault(f"Sentence {number} occurs twice.")
            seen.add(number)
            verdicts[number - 1] = _verdict(entry, number, question)
        except _FaultError as fault:
            faults.append(str(fault))
    missing = [str(n) for n in range(1, len(question.sentences) + 1) if n not in seen]
    if missing:
        faults.append(f"Sentence {', '.join(missing)} is missing.")
    return Reading(verdicts, tuple(faults))


def _entries(text: str) -> list[Any]:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        _fault(f"It holds no JSON object: {_shown(text)}.")
    try:
        value = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        _fault(f"It is not valid JSON: {_shown(text)}.")
    entries = value.get("sentences")
    if not isinstance(entries, list):
        _fault('It has no list "sentences".')
    return entries


def _number(entry: Any, count: int) -> int:
    number = entry.get("sentence") if isinstance(entry, dict) else None
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= count:
        _fault(f'"sentence" must be a number from 1 to {count}, not {_shown(number)}.')
    return number


def _verdict(entry: Mapping[str, Any], number: int, question: Question) -> Verdict:
    where = f"Sentence {number}"
    units = _list(entry, "units", where) if question.units else []
    for unit in units:
        if unit not in question.units:
            _fault(f"{where} names a source that there is not: {_shown(unit)}.")
    stretches = _list(entry, "intervals", where) if question.timed else []
    return Verdict(
        tuple(dict.fromkeys(units)),
        tuple(dict.fromkeys(_interval(one, where, question) for one in stretches)),
    )


def _list(entry: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = entry.get(key)
    if not isinstance(value, list):
        _fault(f'{where} has no list "{key}".')
    return value


def _interval(value: Any, where: str, question: Question) -> Interval:
    if not isinstance(value, dict):
        _fault(f"{where} has an interval that is no object: {_shown(value)}.")
    source, start, end = (value.get(key) for key in ("source", "start", "end"))
    if not isinstance(source, str) or source not in question.timed:
        _fault(f"{where} gives a time in what is no recording or film: {_shown(source)}.")
    part, duration = question.timed[source]
    for second in (start, end):
        if isinstance(second, bool) or not isinstance(second, int | float):
            _fault(f"{where} has a time that is no number of seconds: {_shown(second)}.")
    limit = math.inf if duration is None else duration
    # Not-a-number fails every comparison, so it is refused here too.
    if not (0 <= start < end and start < limit and end <= _rounded_up(limit)):
        length = "" if duration is None else f", which lasts {duration:.2f} s"
        _fault(f"{where} names {start}–{end} s of {source}{length}.")
    return Interval(part, float(start), float(min(end, limit)))


def _rounded_up(seconds: float) -> float:
    return math.ceil(seconds) if math.isfinite(seconds) else 1e7


def _shown(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _fault(told: str) -> NoReturn:
    raise _FaultError(told)
