"""Who is asking: signed tokens in cookies, which outlive the server."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import AccessError, StoreError
from core.review import Account, new_id
from core.review.passwords import fits, of_nobody
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.actions.review.guesses import (
    AT_NAME,
    AT_NAME_FROM_ADDRESS,
    FROM_ADDRESS,
    KNOWN_BROWSER,
    Bound,
    Guesses,
    network,
)

KEY_FILE = ".session-key"
LIFETIME = 14 * 24 * 3600
"""Seconds until somebody has to sign in again."""

_KEY_BYTES = 32


@dataclass(frozen=True)
class Signed:
    """Somebody who has signed in to a project, by its folder's name."""

    project: str
    account: Account


class Tokens(NamedTuple):
    """What a browser keeps of a sign-in: the session, and that this person works there."""

    session: str
    known: str


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
        self._guesses = Guesses(clock)
        # Made now: whoever asks first for a name that is none must not wait longer for the answer.
        of_nobody()

    def sign_in(
        self, project: str, name: str, password: str, *, address: str = "", known: str | None = None
    ) -> Tokens:
        """Tokens for the browser's cookies.

        Args:
            project: its name; may be empty where the server has only one.
            name: of the account.
            password: empty where none is set.
            address: of the browser's network.
            known: a token of an earlier sign-in, whoever's.

        Raises:
            AccessError: name, password or project do not fit; or too many guesses.
        """
        project = project or self._bench.only or ""
        # As accounts are found: another way to write a name is not another name to guess at.
        name = unicodedata.normalize("NFC", name.strip())
        with self._guesses.guess(self._bounds(project, name, address, known)):
            account = self._account(project, name, password)
        return Tokens(
            self._token([project, account.name, int(self._clock()) + LIFETIME]),
            self._token([_KNOWN, project, account.name, new_id()]),
        )

    def _account(self, project: str, name: str, password: str) -> Account:
        try:
            found = self._bench.project(project)
        except AccessError as error:
            # Of an unknown project no more is told than of an unknown name, nor any sooner.
            fits(password, of_nobody())
            raise AccessError(_UNFIT) from error
        try:
            return found.sign_in(name, password)
        except AccessError as error:
            raise AccessError(_UNFIT) from error

    def _bounds(
        self, project: str, name: str, address: str, known: str | None
    ) -> dict[tuple[str, ...], Bound]:
        """What counts a guess."""
        if known and self._said(known, 4)[:3] == [_KNOWN, project, name]:
            return {("browser", known): KNOWN_BROWSER}
        here = network(address)
        return {
            ("at name from address", project, name, here): AT_NAME_FROM_ADDRESS,
            ("from address", here): FROM_ADDRESS,
            ("at name", project, name): AT_NAME,
        }

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

    def _token(self, said: list[Any]) -> str:
        packed = json.dumps(said).encode()
        return f"{base64.urlsafe_b64encode(packed).decode()}.{self._seal(packed)}"

    def _read(self, token: str) -> tuple[str, str]:
        said = self._said(token, 3)
        if not said or self._clock() >= said[2]:
            raise _NOBODY
        return said[0], said[1]

    def _said(self, token: str, length: int) -> list[Any]:
        """What a token of ours says; nothing, if it is none, or says more or less."""
        packed, _, seal = token.partition(".")
        try:
            said = base64.urlsafe_b64decode(packed.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            return []
        if not hmac.compare_digest(self._seal(said).encode(), seal.encode("utf-8", "replace")):
            return []
        values = json.loads(said)
        return values if len(values) == length else []

    def _seal(self, said: bytes) -> str:
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()


_KNOWN = "known"
_NOBODY = NobodyError("Sign in first.")
_UNFIT = "Name, password or project do not fit. Ask the lead of the project."


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
