"""Guards around the whole server: which names it answers to, who may call it, what a page may load.

Gradio answers to any ``Host`` and, on names other than localhost, allows any ``Origin``. A foreign
page could therefore upload and run things in a visitor's name, and a name that is pointed at
127.0.0.1 later (DNS rebinding) could read what a local user sees. Both are refused here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = "*"

_UNKNOWN_NAME = (
    "This server does not go by that name. Whoever runs it can allow it: --allow-host NAME"
)
_POLICY = (
    "default-src 'self'; "
    # gr.HTML compiles its template and script in the browser: without 'unsafe-eval' it stays empty.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
)


def guards(hosts: Collection[str] = (), *, frames: Collection[str] = ()) -> list[Middleware]:
    """The middleware of the app, outermost first.

    Args:
        hosts: names that the server answers to beside ``localhost`` and addresses; ``*`` for any.
        frames: origins that may show the page in a frame, beside the page's own.
    """
    policy = _POLICY.format(frames=" ".join(("'self'", *frames)))
    return [
        Middleware(HeadersGuard, policy=policy),
        Middleware(HostGuard, hosts=frozenset(hosts)),
        Middleware(OriginGuard, hosts=frozenset(hosts)),
    ]


class HostGuard:
    """Answers only to localhost, to addresses (they cannot be rebound), and to ``hosts``."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan" or self._knows(_hostname(_header(scope, b"host"))):
            await self._app(scope, receive, send)
        else:
            await _refuse(
                scope,
                receive,
                send,
                400,
                _UNKNOWN_NAME,
            )

    def _knows(self, host: str) -> bool:
        return ANY in self._hosts or host == "localhost" or host in self._hosts or _is_address(host)


class OriginGuard:
    """Refuses what a page of another origin asks for."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts - {ANY}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan" or self._is_own(scope):
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, receive, send, 403, "Requests from other sites are refused.")

    def _is_own(self, scope: Scope) -> bool:
        origin = _header(scope, b"origin")
        if not origin:
            # Browsers that tell say whether another site asked; a plain link to the page is fine.
            return _header(scope, b"sec-fetch-site") != "cross-site" or scope.get("method") == "GET"
        try:
            asked_by = urlsplit(origin).netloc
        except ValueError:
            return False
        return asked_by == _header(scope, b"host") or _hostname(asked_by) in self._hosts


class HeadersGuard:
    """Adds the headers that keep the browser from loading, guessing or framing what it must not."""

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def with_headers(sent: Message) -> None:
            if sent["type"] == "http.response.start":
                names = {name for name, _ in self._headers}
                kept = [header for header in sent["headers"] if header[0].lower() not in names]
                sent = {**sent, "headers": [*kept, *self._headers]}
            await send(sent)

        await self._app(scope, receive, with_headers)


def _header(scope: Scope, name: bytes) -> str:
    """A header's value; of a repeated one all, so that none can hide behind another."""
    return ",".join(v.decode("latin-1") for k, v in scope.get("headers", ()) if k.lower() == name)


def _hostname(host: str) -> str:
    """The name without port or brackets, in lower case; empty if it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse(text, status_code=status)(scope, receive, send)
