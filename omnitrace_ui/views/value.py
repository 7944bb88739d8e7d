"""The whole value of TraceView, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omnitrace_ui.views.wire import JSON, clean


@dataclass(frozen=True)
class Status:
    """What is going on, in words for the person.

    Attributes:
        phase: ``empty``: nothing yet; ``busy``: loading or tracing; ``done``; ``error``.
        text: the stage, or what went wrong and what to do.
        done, total: progress in whatever ``text`` names; ``total`` ``None``: no end is known.
    """

    phase: Literal["empty", "busy", "done", "error"] = "empty"
    text: str = ""
    done: int = 0
    total: int | None = None


def view_value(
    status: Status,
    *,
    trace: str = "",
    key: str = "",
    parts: list[JSON] | None = None,
    units: JSON | None = None,
    answer: JSON | None = None,
) -> JSON:
    """The value of TraceView; see the contract in ``omnitrace_ui.views``.

    Args:
        status: shown above the answer.
        trace: any name that changes with the prompt and its media.
        key: any name that changes with the cut into units.
        parts: ``parts_model``; give it once a trace.
        units: ``units_model``; give it once a cut.
        answer: ``answer_model``.
    """
    value: JSON = {
        "status": {
            "phase": status.phase,
            "text": clean(status.text),
            "done": status.done,
            "total": status.total,
        },
        "trace": trace,
        "key": key,
        "answer": answer,
    }
    if parts is not None:
        value["parts"] = parts
    if units is not None:
        value["units"] = units
    return value
