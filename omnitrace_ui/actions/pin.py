"""Pin the shown view as B: whatever is shown later, also another trace, is compared with it."""

from __future__ import annotations

from core.errors import InputError
from omnitrace_ui.actions.present import show, side
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.wire import JSON


def pin(visitor: Visitor) -> JSON:
    """Pin what is shown; what was pinned before is let go.

    Raises:
        InputError: there is no finished answer.
    """
    if visitor.trace is None or visitor.running:
        raise InputError("There is no finished answer to pin yet.")
    visitor.alongside.pinned = side(visitor.trace, visitor.settings)
    return show(visitor)


def unpin(visitor: Visitor) -> JSON:
    """Let go of view B."""
    visitor.alongside.pinned = None
    return show(visitor)
