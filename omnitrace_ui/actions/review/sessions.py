"""Who is asking: signed tokens in a cookie, which outlive the server; guessers have to wait."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import AccessError, StoreError
from core.review import Account
from omnitrace_ui.actions.review.bench import Bench

KEY_FILE = ".session-key"
LIFETIME = 14 * 24 * 3600
"""Seconds until somebody has to sign in again."""

TRIES, WAIT = 5, 60
"""So many wrong passwords for one name, then so many seconds of rest."""

_KEY_BYTES = 32


@dataclass(frozen=True)
class Signed:
    """Somebody who has signed in to a project, by its folder's name."""

    project: str
    account: Account


class NobodyError(AccessError):
    """No session, or one that is over: the browser shows the door."""


class Sessions:
    """Signs people in and knows them again.

    The token says who, where and since when; the project says at every request whether that
    account still exists and what its role is.
    """

    def __init__(self, bench: Bench, *, clock: Callable[[], float] = time.time) -> None:
        self._bench, self._clock = bench, clock
        self._key = _kept_key(bench.root)
        self._guesses = _Guesses(clock)

    def sign_in(self, project: str, name: str, password: str) -> str:
        """A token for the cookie.

        Args:
            project: its name; may be empty where the server has only one.
            name: of the account.
            password: empty where none is set.

        Raises:
            AccessError: name, password or project do not fit; or too many guesses.
        """
        # Of an unknown project no more is told than of an unknown name.
        project = project or self._bench.only or ""
        self._guesses.check(project, name)
        try:
            account = self._bench.project(project).sign_in(name, password)
        except AccessError as error:
            self._guesses.wrong(project, name)
            raise AccessError(
                "Name, password or project do not fit. Ask the lead of the project."
            ) from error
        self._guesses.right(project, name)
        return self._token(project, account.name)

    def signed(self, token: str | None) -> Signed:
        """Who a cookie's token stands for.

        Raises:
            NobodyError: nobody.
        """
        project, name = self._read(token or "")
        try:
            accounts = self._bench.project(project).accounts()
        except AccessError as error:
            raise _NOBODY from error
        account = next((one for one in accounts if one.name == name), None)
        if account is None:
            raise _NOBODY
        return Signed(project, account)

    def _token(self, project: str, name: str) -> str:
        said = json.dumps([project, name, int(self._clock()) + LIFETIME]).encode()
        return f"{base64.urlsafe_b64encode(said).decode()}.{self._seal(said)}"

    def _read(self, token: str) -> tuple[str, str]:
        packed, _, seal = token.partition(".")
        try:
            said = base64.urlsafe_b64decode(packed.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error) as error:
            raise _NOBODY from error
        if not hmac.compare_digest(self._seal(said).encode(), seal.encode("utf-8", "replace")):
            raise _NOBODY
        project, name, until = json.loads(said)
        if self._clock() >= until:
            raise _NOBODY
        return project, name

    def _seal(self, said: bytes) -> str:
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()


_NOBODY = NobodyError("Sign in first.")


class _Guesses:
    """Wrong passwords of late; forgotten when the server stops."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: dict[tuple[str, str], list[float]] = {}
        self._lock = threading.Lock()

    def check(self, project: str, name: str) -> None:
        """Refuse who has guessed too often."""
        with self._lock:
            # Whoever tries thousands of names must not fill the memory with them.
            since = self._clock() - WAIT
            self._wrong = {k: t for k, times in self._wrong.items() if (t := _after(since, times))}
            if len(self._wrong.get((project, name), ())) >= TRIES:
                raise AccessError(f"Too many wrong passwords. Wait {WAIT} s, then try again.")

    def wrong(self, project: str, name: str) -> None:
        with self._lock:
            self._wrong.setdefault((project, name), []).append(self._clock())

    def right(self, project: str, name: str) -> None:
        with self._lock:
            self._wrong.pop((project, name), None)


def _after(since: float, times: list[float]) -> list[float]:
    return [at for at in times if at > since]


def _kept_key(root: Path) -> bytes:
    """The key that tokens are sealed with, made once: a restarted server knows its people."""
    path = root / KEY_FILE
    try:
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(_KEY_BYTES)
            with os.fdopen(file, "wb") as opened:
                opened.write(key)
    except OSError as error:
        raise StoreError(
            f"The key of sessions, {KEY_FILE!r} in {root.name!r}, cannot be kept: "
            f"{error.strerror}. Make the folder writable."
        ) from error
    if len(key) != _KEY_BYTES:
        raise StoreError(f"{KEY_FILE!r} in {root.name!r} is damaged: delete it; all sign in again.")
    return key
