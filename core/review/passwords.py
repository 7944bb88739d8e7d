"""Passwords are kept as scrypt hashes: ``scrypt$n$r$p$salt$hash``, both in hexadecimal."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cache

_N, _R, _P = 2**14, 8, 1
"""16 MB and some 50 ms a guess."""


def hashed(password: str) -> str:
    """What to keep of a password."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def fits(password: str, kept: str) -> bool:
    """Whether this password was kept; takes the same time either way."""
    _, n, r, p, salt, digest = kept.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(digest))


@cache
def of_nobody() -> str:
    """To be checked where there is no such account, so that time does not tell."""
    return hashed(secrets.token_hex())


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p)
