"""What the Review page sends, checked: anybody who is signed in can send anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from core.errors import InputError, TraceFileError
from core.review import Change, Place
from core.tracefile.checks import array, boolean, exactly, integer, number, one_of, text

MOST_EVENTS = 200
_ID = re.compile(r"[0-9a-f]{32}")
_MOST_VERSION = 2**31 - 1


@dataclass(frozen=True)
class GivenEvent:
    """One change that the browser asks for; whether it fits the sentence, ``core.review`` says.

    Attributes:
        id: 32 hexadecimal digits that the browser chose once for this change.
        version: of the sentence as the browser had it.
    """

    id: str
    place: Place
    version: int
    change: Change


@dataclass(frozen=True)
class GivenPerson:
    """Somebody whom the lead lets in."""

    name: str
    role: str
    password: str


@dataclass(frozen=True)
class GivenProject:
    """A project that the lead makes; ``upload`` names the folder of its files."""

    upload: str
    name: str
    annotators: tuple[str, ...]
    overlap: float
    seed: int
    blind: bool
    password: str


def _event_id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        _refuse(where, "is not 32 hexadecimal digits")
    return value


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(where, "is not an object")
    return value


def _refuse(where: str, why: str) -> NoReturn:
    raise TraceFileError(f"{where} {why}.")


_NAME, _PASSWORD = text(200), text(1000)
_EVENTS = exactly(
    events=array(
        exactly(
            id=_event_id,
            item=text(200),
            sentence=integer(0, 1_000_000),
            version=integer(0, _MOST_VERSION),
            kind=text(40),
            payload=_mapping,
        ),
        MOST_EVENTS,
    )
)
_SIGN_IN = exactly(project=_NAME, name=_NAME, password=_PASSWORD)
_PERSON = exactly(name=_NAME, role=one_of("annotator", "lead"), password=_PASSWORD)
_PROJECT = exactly(
    upload=_event_id,
    name=text(80),
    annotators=array(_NAME, 1000),
    overlap=number(0, 1),
    seed=integer(0, _MOST_VERSION),
    blind=boolean,
    password=_PASSWORD,
)


def read_events(payload: object) -> list[GivenEvent]:
    """The body of ``events``.

    Raises:
        InputError: it is not what our page sends.
    """
    return [
        GivenEvent(
            one["id"],
            Place(one["item"], one["sentence"]),
            one["version"],
            Change(one["kind"], one["payload"]),
        )
        for one in _read(_EVENTS, payload)["events"]
    ]


def read_sign_in(payload: object) -> tuple[str, str, str]:
    """``project, name, password``; raises as ``read_events``."""
    said = _read(_SIGN_IN, payload)
    return said["project"], said["name"], said["password"]


def read_person(payload: object) -> GivenPerson:
    """The body of ``lead/people``; raises as ``read_events``."""
    return GivenPerson(**_read(_PERSON, payload))


def read_project(payload: object) -> GivenProject:
    """The body of ``lead/projects``; raises as ``read_events``."""
    return GivenProject(**_read(_PROJECT, payload))


def _read(check: Any, payload: object) -> dict[str, Any]:
    try:
        return check(payload, "The request")
    except TraceFileError as error:
        raise InputError(f"{error} Reload the page.") from error
