"""Stopping from outside what holds a thread for long: a prompt being read, a film being decoded.

Closing the generator of a trace stops it between two tokens. Between those lie seconds or minutes
where the prompt is long or the model large; there ``check`` is called every so often, and raises
once whoever set ``cancellable`` wants it to. Where nobody has, it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_WANTED: ContextVar[Callable[[], bool]] = ContextVar("cancelled", default=lambda: False)


class Cancelled(BaseException):
    """Somebody asked for the end; not an ``Exception``, so that nothing takes it for a failure."""


@contextmanager
def cancellable(wanted: Callable[[], bool]) -> Iterator[None]:
    """Let ``check`` in this thread raise as soon as ``wanted()`` is true."""
    token = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(token)


def check() -> None:
    """Raise ``Cancelled`` if the end is wanted.

    Raises:
        Cancelled: it is.
    """
    if _WANTED.get()():
        raise Cancelled
