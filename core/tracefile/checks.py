"""Checks of JSON that a stranger wrote: each takes a value and where it stands, and returns it.

They compose: ``array(integer(0, 9), most=3)`` accepts a list of up to three digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from core.errors import TraceFileError

Check = Callable[[Any, str], Any]

_HALF = re.compile("[\ud800-\udfff]")
"""Half a character: half of a surrogate pair, which cannot be encoded."""


def integer(least: int, most: int) -> Check:
    """A whole number of that range; not ``true``."""

    def check(value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            _refuse(where, f"is not a whole number from {least} to {most}")
        return value

    return check


def number(least: float, most: float) -> Check:
    """A finite number of that range."""

    def check(value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            _refuse(where, "is not a number")
        if not least <= value <= most:  # NaN is never between
            _refuse(where, f"is not from {least:g} to {most:g}")
        return value

    return check


def text(most: int) -> Check:
    """A string of up to ``most`` characters that can be encoded."""

    def check(value: Any, where: str) -> str:
        if not isinstance(value, str) or len(value) > most:
            _refuse(where, f"is not a text of up to {most} characters")
        if _HALF.search(value):
            _refuse(where, "holds half a character")
        return value

    return check


def boolean(value: Any, where: str) -> bool:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        _refuse(where, "is neither true nor false")
    return value


def one_of(*known: Any) -> Check:
    """One of a few strings."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, str) or value not in known:
            _refuse(where, f"is not one of {', '.join(known)}")
        return value

    return check


def optional(inner: Check) -> Check:
    """``null``, or what ``inner`` accepts."""
    return lambda value, where: None if value is None else inner(value, where)


def array(inner: Check, most: int) -> Check:
    """A list of up to ``most`` such values; returned as a tuple."""

    def check(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            _refuse(where, f"is not a list of up to {most}")
        return tuple(inner(item, f"{where}[{index}]") for index, item in enumerate(value))

    return check


def table(inner: Check, most: int) -> Check:
    """An object with up to ``most`` free keys of up to 200 characters."""
    key = text(200)

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > most:
            _refuse(where, f"is not an object of up to {most} entries")
        return {key(name, where): inner(item, f"{where} entry") for name, item in value.items()}

    return check


def exactly(**fields: Check) -> Check:
    """An object with exactly these keys."""

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping) or set(value) != set(fields):
            _refuse(where, f"is not an object with exactly {', '.join(fields)}")
        return {name: inner(value[name], f"{where}.{name}") for name, inner in fields.items()}

    return check


def _refuse(where: str, why: str) -> NoReturn:
    raise TraceFileError(f"{where} {why}.")
