"""What all tables share: results by model and task, and numbers as a report tells them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from core.evaluation.statistics import Interval95

Row = dict[str, Any]

ALL_TASKS = "all tasks"


class Grouped(Protocol):
    """What was found of one answer."""

    @property
    def model(self) -> str:
        """That answered."""

    @property
    def task(self) -> str:
        """That was set."""


R = TypeVar("R", bound=Grouped)


def groups(
    results: Sequence[R], task_of: Callable[[R], str] = lambda result: result.task
) -> Iterator[tuple[str, str, list[R]]]:
    """Per model: all tasks, then each by itself; a single task is not told twice."""
    for model, held in grouped(results, lambda result: result.model):
        by_task = grouped(held, task_of)
        if len(by_task) > 1:
            yield model, ALL_TASKS, held
        for task, some in by_task:
            yield model, task, some


def grouped(results: Sequence[R], key: Callable[[R], str]) -> list[tuple[str, list[R]]]:
    """Results by a key, in the order in which keys first occur."""
    found: Mapping[str, list[R]] = defaultdict(list)
    for result in results:
        found[key(result)].append(result)
    return list(found.items())


def interval_row(interval: Interval95 | None) -> Row:
    """``low`` and ``high``, in percent."""
    low, high = interval if interval else (None, None)
    return {"low": percent(low), "high": percent(high)}


def percent(value: float | None) -> float | None:
    """A share in percent, to two digits."""
    return None if value is None else round(100 * value, 2)
