"""What a judge's service is, and the ways in which asking it fails.

A service asks one question once. It does not wait, repeat or remember: ``patience`` and ``run`` do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from types import ModuleType
from typing import NamedTuple, NoReturn, Protocol

from core.errors import InputError, MissingExtraError, ModelError
from core.evaluation.judge.question import Question

TIMEOUT = 600.0
"""Seconds for one reply: judges think, and films are large."""

CONNECT_SECONDS = 10.0
_TOLD = 200
"""Characters of the service's own words that a message repeats."""

_UNREACHABLE = ("ConnectError", "ConnectTimeout", "UnsupportedProtocol", "InvalidURL")
"""Names of transport errors that come before any word from the service."""


class Reply(NamedTuple):
    """What was answered (empty where the service refused to), and the tokens that it is paid by."""

    text: str
    tokens_in: int
    tokens_out: int


class Turn(NamedTuple):
    """An earlier reply to the same question, and what was wrong with it."""

    reply: str
    complaint: str


class Service(Protocol):
    """Asks a model.

    Attributes:
        model: its name, as labels give it.
        identity: which model at which address: what a cached reply is of.
    """

    model: str
    identity: str

    def ask(self, question: Question, turns: Sequence[Turn], *, structured: bool) -> Reply:
        """One reply; ``structured``: the service holds the model to the question's schema.

        Raises:
            TryAgain: it may answer later.
            RefusedError: it does not take this request as it is.
            InputError: it takes no such sources, or they cannot be read.
            ModelError: it will take none: the key, the name or the address is wrong.
        """


class TryAgain(Exception):  # noqa: N818 (an event, not an error: nobody sees it)
    """The service did not answer now.

    Attributes:
        told: why, to follow "The judge's service".
        wait: seconds that it asks for, if it does.
        reached: it can be reached at all.
    """

    def __init__(self, told: str, *, wait: float | None = None, reached: bool = True) -> None:
        super().__init__(told)
        self.told, self.wait, self.reached = told, wait, reached


def disconnected(error: BaseException, *, at: str = "") -> TryAgain:
    """What a transport's error means; ``at``: where the service was looked for."""
    name = type(error).__name__
    if name in _UNREACHABLE:
        return TryAgain(f"cannot be reached{at}", reached=False)
    return TryAgain(f"broke the connection before it answered ({name})")


def formless() -> TryAgain:
    """It answered, but not as its API says."""
    return TryAgain("answered in no form that is known")


class RefusedError(InputError):
    """The service does not take the request: its schema, its media, or its size."""


def package(module: str) -> ModuleType:
    """Import a service's SDK.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = {"google.genai": "google-genai"}.get(module, module)
        raise MissingExtraError(
            f"This judge needs the package {name}: "
            "pip install -r core/evaluation/judge/requirements.txt"
        ) from error


def key_from(variable: str) -> str:
    """The key that an environment variable holds; it is kept nowhere else. Empty if there is none.

    Raises:
        ModelError: what it holds is no key.
    """
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ModelError(f"{variable} holds characters that no key has. Copy the key anew.")
    return key


def raise_status(
    status: int, told: str, *, retry_after: float | None, model: str, key: str
) -> NoReturn:
    """Raise what an HTTP status means, as ``Service.ask`` lists it.

    Args:
        status: not a success.
        told: the service's own words.
        retry_after: seconds that it asks to wait.
        model: asked for.
        key: the environment variable of the key.
    """
    said = f": {' '.join(told.split()).rstrip('.')[:_TOLD]}" if told.strip() else ""
    if status in (408, 409, 425, 429) or status >= 500:
        kind = "is busy, or its quota is used up" if status == 429 else "failed"
        raise TryAgain(f"{kind} ({status}){said}", wait=retry_after)
    if status in (401, 403):
        raise ModelError(f"The judge's service refused the key in {key} ({status}){said}.")
    if status == 404:
        raise ModelError(
            f"The judge's service knows no model {model!r} at this address (404){said}. "
            "Check the name and the base URL."
        )
    if status in (400, 422):
        raise RefusedError(f"The judge's service refused the question ({status}){said}.")
    if status == 413:
        raise InputError(f"The media are too large for the judge's service (413){said}.")
    raise ModelError(f"The judge's service answered {status}{said}. Check the base URL.")


def seconds_to_wait(header: str | None) -> float | None:
    """A ``Retry-After`` header as seconds from now: a number, or a date; ``None`` if it is none."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
