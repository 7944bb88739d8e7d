"""Whoever guesses at passwords has to wait, the longer the more wrong guesses there were of late.

Three counts stand in the way of a browser that nobody knows: wrong guesses from its address at this
name, from its address at any name, and from everywhere at this name. The last is the loosest, and
one address alone, slowed down by the first, never fills it: nobody is locked out by one guesser. A
browser in which that person has signed in before has a count of its own and no other, so that not
even many guessers lock anybody out where they usually work.

It does not matter whether a name exists: all names are counted alike.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import AccessError


class Bound(NamedTuple):
    """What one count allows.

    Attributes:
        free: wrong guesses at first without a wait; the next wait 2, 4, 8, … seconds.
        longest: seconds of the longest wait; one guess is forgotten in every so many.
    """

    free: int
    longest: float

    @property
    def most(self) -> int:
        """Guesses that count: after so many the wait is the longest."""
        return self.free + math.ceil(math.log2(self.longest))

    def wait_after(self, wrong: float) -> float:
        """Seconds to wait after so many wrong guesses, part of one being forgotten perhaps."""
        over = round(wrong) - self.free
        return 0.0 if over < 0 else min(self.longest, 2.0 ** (over + 1))


AT_NAME_FROM_ADDRESS = Bound(5, 60)
FROM_ADDRESS = Bound(20, 30)
"""Looser: a whole office may share an address."""
AT_NAME = Bound(40, 15)
KNOWN_BROWSER = Bound(5, 60)

MOST_COUNTS = 20_000
"""Counts in memory; beyond, those with the fewest guesses are forgotten."""


@dataclass
class _Count:
    """``wrong``: guesses not yet forgotten, as of ``last``, the time of the last one."""

    wrong: float
    last: float


class Guesses:
    """Wrong guesses of late; forgotten when the server stops. Safe to share between threads.

    Args:
        clock: seconds.
        most: counts that are kept.
    """

    def __init__(self, clock: Callable[[], float], *, most: int = MOST_COUNTS) -> None:
        self._clock, self._most = clock, most
        self._counts: dict[Hashable, tuple[Bound, _Count]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Counts in memory."""
        return len(self._counts)

    @contextmanager
    def guess(self, bounds: Mapping[Hashable, Bound]) -> Iterator[None]:
        """One guess, made inside; an ``AccessError`` says that it was wrong.

        It counts as wrong while it is made: a hundred at once are not better than one by one.

        Args:
            bounds: what counts it → what that count allows.

        Raises:
            AccessError: it is too early for another guess; says how long to wait.
        """
        self._begin(bounds)
        try:
            yield
        except AccessError:
            raise
        except BaseException:
            self._take_back(bounds)
            raise
        self._take_back(bounds)

    def _begin(self, bounds: Mapping[Hashable, Bound]) -> None:
        with self._lock:
            now = self._clock()
            wait = max(self._wait(key, now) for key in bounds)
            if wait > 0:
                raise AccessError(
                    f"Too many wrong passwords. Wait {math.ceil(wait)} s, then try again."
                )
            for key, bound in bounds.items():
                wrong = min(self._wrong(key, now) + 1, bound.most)
                self._counts[key] = bound, _Count(wrong, now)
            if len(self._counts) > self._most:
                self._forget(now)

    def _take_back(self, bounds: Mapping[Hashable, Bound]) -> None:
        with self._lock:
            for key in bounds:
                if key in self._counts:
                    self._counts[key][1].wrong -= 1

    def _wrong(self, key: Hashable, now: float) -> float:
        """Guesses that are not forgotten yet; while somebody has to wait, none is."""
        if key not in self._counts:
            return 0.0
        bound, count = self._counts[key]
        idle = max(0.0, now - count.last - bound.wait_after(count.wrong))
        return max(0.0, count.wrong - idle / bound.longest)

    def _wait(self, key: Hashable, now: float) -> float:
        """Seconds until the next guess may be made."""
        if key not in self._counts:
            return 0.0
        bound, count = self._counts[key]
        return count.last + bound.wait_after(count.wrong) - now

    def _forget(self, now: float) -> None:
        """Drop what is forgotten anyway, and of many counts those with the fewest guesses."""
        left = {key: wrong for key in self._counts if (wrong := self._wrong(key, now)) > 0}
        kept = sorted(left, key=left.__getitem__)[-(self._most // 2) :]
        self._counts = {key: self._counts[key] for key in kept}


def network(address: str) -> str:
    """What counts as one address: of IPv6 the first half, which one household has to itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        # Behind a proxy, whatever that wrote.
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
