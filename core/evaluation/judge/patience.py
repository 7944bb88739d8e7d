"""Waiting for a service that is busy: exponential backoff with jitter, or as long as it asks.

How to wait is an argument, so that tests wait no time at all.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from core.errors import ModelError
from core.evaluation.judge.service import TryAgain

T = TypeVar("T")


class ServiceDownError(ModelError):
    """The service did not answer, however often it was asked."""


class Patience:
    """How often and how long; shared by all that ask one service.

    Args:
        tries: in all.
        first, longest: seconds before the second try, doubled from try to try, at most ``longest``;
            each is shortened by up to a half at random, so that many do not come back at once.
        longest_asked: seconds; a service that asks for a longer wait is given up.
        sleep, chance: how to wait some seconds (default: until then, or ``stop``), and random
            numbers in [0, 1).
    """

    def __init__(
        self,
        *,
        tries: int = 6,
        first: float = 1.0,
        longest: float = 60.0,
        longest_asked: float = 600.0,
        sleep: Callable[[float], object] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._tries, self._first, self._longest = tries, first, longest
        self._longest_asked = longest_asked
        self._stopped = threading.Event()
        self._sleep, self._chance = sleep or self._stopped.wait, chance
        self._reached = False

    def stop(self) -> None:
        """Wait for nothing any more: who waits, or asks from now on, gets ``ServiceDownError``."""
        self._stopped.set()

    def until_answered(self, ask: Callable[[], T]) -> T:
        """What ``ask`` returns, asked again while it raises ``TryAgain``.

        Raises:
            ServiceDownError: it did so to the end.
            ModelError: the service cannot be reached, and never was.
        """
        for attempt in range(1, self._tries + 1):
            if self._stopped.is_set():
                raise ServiceDownError("The judge's service is no longer asked.")
            try:
                answered = ask()
            except TryAgain as again:
                self._give_up(again, attempt)
                self._sleep(self._wait(again, attempt))
            else:
                self._reached = True
                return answered
        raise AssertionError("unreachable: the last attempt gives up")

    def _give_up(self, again: TryAgain, attempt: int) -> None:
        self._reached |= again.reached
        if not self._reached:
            raise ModelError(
                f"The judge's service {again.told}. Check the address and the network."
            )
        if again.wait is not None and again.wait > self._longest_asked:
            raise ServiceDownError(
                f"The judge's service {again.told}; it asks to wait for {again.wait:.0f} s. "
                "What was answered is kept: start again then."
            )
        if attempt == self._tries:
            raise ServiceDownError(
                f"The judge's service {again.told}, {attempt} times in a row. "
                "What was answered is kept: start again later."
            )

    def _wait(self, again: TryAgain, attempt: int) -> float:
        if again.wait is not None:
            return again.wait
        return min(self._longest, self._first * 2 ** (attempt - 1)) * (1 - self._chance() / 2)
