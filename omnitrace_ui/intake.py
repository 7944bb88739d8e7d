"""What may come in: by which of gradio's doors, how much at once, and while there is room.

Gradio brings doors that this app has no use for. Some write files without bound (``deep_link``),
fetch what any address names (``file=http…``, ``proxy=``), or run a function of a component
(``component_server``). Only those that the page and the API need are open; the rest is not there.

Of an upload gradio bounds each file, but not their number, nor the plain fields beside them, which
it collects in memory; of any other request it bounds nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("omnitrace")

API = "/gradio_api/"
OPEN = frozenset(
    (
        "app_id",
        "call",
        "cancel",
        "heartbeat",
        "info",
        "login_check",
        "mcp",
        "openapi.json",
        "queue",
        "reset",
        "run",
        "startup-events",
        "theme.css",
        "upload",
        "upload_progress",
        "user",
    )
)
"""First part of a path below ``API``; files are let through by ``_is_open``."""

CLOSED = frozenset(("monitoring", "dev", "runs", "profiling"))
"""First part of a path elsewhere."""

MOST_BYTES = 8 * 2**20
"""Of a request that is no upload: more than the longest texts that any model reads."""

FIELD_BYTES = 64 * 2**10
"""Of an upload's plain fields together, and of the frame around its files."""

_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What gradio's routes raise on values of the wrong kind."""

_NO_ROOM = "The server has no room for more files just now. Try again in some minutes."


def intake(upload_bytes: int, *, has_room: Callable[[int], bool]) -> list[Middleware]:
    """The middleware, outermost first.

    Args:
        upload_bytes: of all files of one upload.
        has_room: whether so many bytes more can be kept.
    """
    return [
        Middleware(FaultGuard),
        Middleware(DoorsGuard),
        Middleware(SizeGuard, upload_bytes=upload_bytes, has_room=has_room),
    ]


class FaultGuard:
    """Answers where gradio fails on values that no page sends; else the connection would be cut."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except _MALFORMED as error:
            if begun or scope["type"] != "http":
                raise
            logger.warning("malformed request for %s: %r", scope["path"], error)
            await _refuse(scope, receive, send, 400, "The request is malformed. Reload the page.")


class DoorsGuard:
    """Answers 404 where nothing of ours is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse("Not found.", status_code=404)(scope, receive, send)


def _is_open(path: str) -> bool:
    if not path.startswith(API):
        return path.split("/", 2)[1] not in CLOSED
    rest = path.removeprefix(API)
    if rest.startswith("file="):
        # A path of this machine, which gradio checks; an address would be fetched by the server.
        return rest.startswith("file=/")
    return rest.split("/", 1)[0] in OPEN


class SizeGuard:
    """Refuses what is too large, as soon as it is known to be."""

    def __init__(self, app: ASGIApp, *, upload_bytes: int, has_room: Callable[[int], bool]) -> None:
        self._app, self._upload_bytes, self._has_room = app, upload_bytes, has_room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        upload = scope["path"] == API + "upload"
        file = upload or scope["method"] == "PUT"  # Which carries one, by the word's meaning.
        most = self._upload_bytes + FIELD_BYTES if file else MOST_BYTES
        announced = _number(headers.get(b"content-length", b""))
        if announced is not None and announced > most:
            await _refuse(scope, receive, send, 413, _too_large(most))
        elif file and not self._has_room(announced or self._upload_bytes):
            await _refuse(scope, receive, send, 507, _NO_ROOM)
        else:
            fields = _Fields(headers.get(b"content-type", b"")) if upload else None
            await self._app(scope, _counted(receive, most, fields), send)


def _counted(receive: Receive, most: int, fields: _Fields | None) -> Receive:
    """``receive`` that ends in an error beyond a size; ``fields``: of an upload."""
    read, whole = 0, False

    async def counted() -> Message:
        nonlocal read, whole
        message = await receive()
        if fields is not None and not whole and message["type"] == "http.disconnect":
            # Gradio deletes what it has of an upload after this error, and after no other.
            raise MultiPartException("The connection broke.")
        whole = not message.get("more_body", False)
        body = message.get("body", b"")
        read += len(body)
        if read > most:
            raise MultiPartException(_too_large(most))
        if fields is not None:
            fields.take(body)
        return message

    return counted


class _Fields:
    """Counts what an upload holds beside its files."""

    def __init__(self, content_type: bytes) -> None:
        _, options = parse_options_header(content_type)
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._name,
            "on_header_value": self._value,
            "on_header_end": self._end,
            "on_part_data": self._data,
        }
        boundary = options.get(b"boundary")
        self._parser = MultipartParser(boundary, callbacks) if boundary else None
        self._header, self._content = b"", b""
        self._is_file, self._bytes = False, 0

    def take(self, body: bytes) -> None:
        """Read on; what cannot be parsed is left to gradio, which parses it the same way."""
        if self._parser is not None:
            self._parser.write(body)

    def _begin(self) -> None:
        self._is_file = False

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._is_file = b"filename" in parse_options_header(self._content)[1]
        self._header, self._content = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += 0 if self._is_file else end - start
        if self._bytes > FIELD_BYTES:
            raise MultiPartException(_too_large(FIELD_BYTES))


def _too_large(most: int) -> str:
    # "maximum allowed size" is what gradio takes for 413.
    return f"More than the maximum allowed size of {most / 1e6:,.1f} MB. Send less at once."


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    await PlainTextResponse(text, status_code=status)(scope, receive, send)
