"""Failures → words, in one place: what was written for people is shown, the rest is logged."""

from __future__ import annotations

import errno
import functools
import html
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gradio as gr

from core.errors import OmniTraceError
from omnitrace_ui.actions.memory import is_out_of_memory

logger = logging.getLogger("omnitrace")

P = ParamSpec("P")
R = TypeVar("R")

UNEXPECTED = (
    "Something went wrong on our side, and was written to the server's log. "
    "What you had is still here; try again, or reload the page."
)


OUT_OF_MEMORY = (
    "There was not enough memory for this. What was written so far stays. Give fewer or smaller "
    "pictures and shorter recordings, or ask for a shorter answer; then try again."
)
DISK_FULL = (
    "The server's disk is full, so nothing could be kept. What you had is still here; try again "
    "in some minutes."
)


def message(error: BaseException) -> str:
    """What a person may read of a failure: plain text, never markup."""
    if isinstance(error, OmniTraceError):
        return str(error)
    if is_out_of_memory(error):
        logger.warning("out of memory: %s", error)
        return OUT_OF_MEMORY
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        logger.warning("the disk is full: %s", error)
        return DISK_FULL
    logger.error("unexpected failure", exc_info=error)
    return UNEXPECTED


def told(handler: Callable[P, R]) -> Callable[P, R]:
    """A handler whose failures become a toast. Toasts render markup, so the text is escaped."""

    @functools.wraps(handler)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handler(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(
                html.escape(message(error)), duration=None, print_exception=False
            ) from None

    return wrapped
