"""Who uses the model now, and who comes next: first come, first served.

It replaces gradio's own queue for what uses the model: that one cannot tell a visitor who was
turned away where they would have stood, and knows nothing of who asks.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque

from core.errors import LimitError
from omnitrace_ui.allowance import DEFAULT_ALLOWANCE, Allowance

LOOK = 0.5
"""Seconds between two looks at the line: a tab that was closed is noticed as often."""

_REMEMBERED = 20
"""Turns whose length tells how long the next ones will take."""


class Line:
    """The line for the model of one server; used from many threads.

    Args:
        allowance: how many may be served at once, wait, and come from one address.
    """

    def __init__(self, allowance: Allowance = DEFAULT_ALLOWANCE) -> None:
        self._allowance = allowance
        self._changed = threading.Condition()
        self._places: list[Place] = []
        self._lengths: deque[float] = deque(maxlen=_REMEMBERED)

    def join(self, address: str = "") -> Place:
        """Take the last place. Whoever takes one must ``close`` it.

        Args:
            address: of the visitor's network; empty for a caller that has none.

        Raises:
            LimitError: the line is full, or the address has enough places in it.
        """
        with self._changed:
            self._admit(address)
            place = Place(self, address)
            self._places.append(place)
            self._promote()
            return place

    def _admit(self, address: str) -> None:
        bound = self._allowance
        mine = Counter(place.address for place in self._places)[address] if address else 0
        if mine >= bound.per_address:
            raise LimitError(
                f"{mine} answers are already waiting or being written for your network address; "
                f"the limit is {bound.per_address}. Wait until one of them ends, or stop one."
            )
        waiting = len(self._places) - bound.at_once
        if waiting >= bound.waiting:
            raise LimitError(
                f"The line for the model is full: {waiting} are waiting, and you would be number "
                f"{waiting + 1}. A place is free {self._soon()}. Your prompt is still here: press "
                "Trace again then."
            )

    def _soon(self) -> str:
        seconds = self._turn_seconds()
        return "soon" if seconds is None else f"in about {spoken(seconds)}"

    def _turn_seconds(self) -> float | None:
        """How often somebody's turn ends, in seconds; ``None`` before the first has."""
        if not self._lengths:
            return None
        return sum(self._lengths) / len(self._lengths) / self._allowance.at_once

    def _promote(self) -> None:
        for place in self._places[: self._allowance.at_once]:
            place.begun = place.begun or time.monotonic()
        self._changed.notify_all()


class Place:
    """One visitor's place in a ``Line``.

    Attributes:
        address: of the visitor's network.
        begun: when the turn began (monotonic seconds); ``None`` while waiting.
    """

    def __init__(self, line: Line, address: str) -> None:
        self._line = line
        self.address = address
        self.begun: float | None = None

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether it is this one's turn."""
        with self._line._changed:
            return self._line._changed.wait_for(lambda: self.begun is not None, timeout=seconds)

    @property
    def number(self) -> int:
        """1 for the next to be served; 0 for those whose turn it is, and who gave it up."""
        with self._line._changed:
            places = self._line._places
            ahead = places.index(self) if self in places else 0
            return max(0, ahead - self._line._allowance.at_once + 1)

    @property
    def seconds(self) -> float | None:
        """About how long it will take until the turn; ``None`` while nothing is known."""
        with self._line._changed:
            turn = self._line._turn_seconds()
        return None if turn is None else turn * self.number

    def close(self) -> None:
        """Give the place up, before, in or after the turn."""
        with self._line._changed:
            if self not in self._line._places:
                return
            self._line._places.remove(self)
            if self.begun is not None:
                self._line._lengths.append(time.monotonic() - self.begun)
            self._line._promote()


def standing(place: Place) -> str:
    """Where a visitor stands, in words."""
    seconds = place.seconds
    about = f" · about {spoken(seconds)}" if seconds else ""
    return f"You are number {place.number} in line for the model{about}"


def spoken(seconds: float) -> str:
    """A rough time for people: ``40 s``, ``3 min``."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
