"""The review area over HTTP, below the Review page's address: ``/review/api/…``.

Why not gradio's events: an answer comes to the very request that asked, so that the page knows what
is saved; a session is a cookie, which outlives the server and guards the media too; and nothing
waits in a queue behind a generation. Everything but ``sign-in`` and ``sign-out`` needs a session.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from core.errors import (
    AccessError,
    InputError,
    LimitError,
    OmniTraceError,
    StoreError,
)
from omnitrace_ui.actions.messages import message
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.actions.review.desk import ReviewDesk
from omnitrace_ui.actions.review.lead import ReviewLead
from omnitrace_ui.actions.review.sessions import LIFETIME, NobodyError, Sessions, Signed
from omnitrace_ui.views.review_events import read_sign_in
from omnitrace_ui.views.wire import JSON

PREFIX = "/review/api"
COOKIE, KNOWN_COOKIE = "omnitrace-review", "omnitrace-review-known"
"""The session, and that somebody has signed in here before; see ``actions.review.guesses``."""

KNOWN_LIFETIME = 365 * 24 * 3600
MOST_BODY = 4 * 2**20
"""Bytes of a request that is no upload."""

_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
}
"""What may be shown in place; anything else could be a page, and is only to be saved."""

Handler = Callable[[Request], Any]


def review_routes(bench: Bench, *, upload_megabytes: int, framed: bool = False) -> list[BaseRoute]:
    """The routes, to stand before gradio's.

    Args:
        bench: the projects.
        upload_megabytes: size of one uploaded file.
        framed: other sites may show the page in a frame (a Space): the cookie must go along there.
    """
    area = _Area(bench, upload_megabytes, framed)
    desk, lead = area.desk, area.lead
    return [
        Mount(
            PREFIX,
            routes=[
                Route("/sign-in", _told(area.sign_in), methods=["POST"]),
                Route("/sign-out", _told(area.sign_out), methods=["POST"]),
                Route("/me", area.asking(desk.me)),
                Route("/last", area.asking(desk.last)),
                Route("/items/{item}", area.asking(desk.item, "item")),
                Route("/media/{item}/{part:int}", _told(area.media)),
                Route("/events", area.telling(desk.write), methods=["POST"]),
                Route("/lead/overview", area.asking(lead.overview)),
                Route("/lead/agreement", area.asking(lead.agreement)),
                Route("/lead/items/{item}", area.asking(lead.item, "item")),
                Route("/lead/export/{name}", _told(area.export)),
                Route("/lead/import/{name}", _told(area.bring_in), methods=["PUT"]),
                Route("/lead/people", area.telling(lead.add_person), methods=["POST"]),
                Route("/lead/uploads", _told(area.begin_upload), methods=["POST"]),
                Route("/lead/uploads/{upload}/{name}", _told(area.upload), methods=["PUT"]),
                Route("/lead/projects", area.telling(lead.create), methods=["POST"]),
            ],
        )
    ]


class _Area:
    def __init__(self, bench: Bench, upload_megabytes: int, framed: bool) -> None:
        self.sessions = Sessions(bench)
        self.desk, self.lead = ReviewDesk(bench), ReviewLead(bench)
        self._most_bytes = upload_megabytes * 2**20
        self._framed = framed

    def asking(self, action: Callable[..., JSON], *names: str) -> Handler:
        """A request that only asks: ``action(who, *path parameters)``."""

        async def handle(request: Request) -> Response:
            who = await self._who(request)
            found = [request.path_params[name] for name in names]
            return _json(await run_in_threadpool(action, who, *found))

        return _told(handle)

    def telling(self, action: Callable[[Signed, object], JSON]) -> Handler:
        """A request that changes something: ``action(who, body)``."""

        async def handle(request: Request) -> Response:
            who = await self._who(request)
            return _json(await run_in_threadpool(action, who, await _body(request)))

        return _told(handle)

    async def sign_in(self, request: Request) -> Response:
        tokens = await run_in_threadpool(
            self.sessions.sign_in,
            *read_sign_in(await _body(request)),
            address=request.client.host if request.client else "",
            known=request.cookies.get(KNOWN_COOKIE),
        )
        response = _json({})
        self._set_cookie(request, response, COOKIE, tokens.session, LIFETIME)
        self._set_cookie(request, response, KNOWN_COOKIE, tokens.known, KNOWN_LIFETIME)
        return response

    async def sign_out(self, request: Request) -> Response:
        response = _json({})
        self._set_cookie(request, response, COOKIE, "", 0)
        return response

    async def media(self, request: Request) -> Response:
        who = await self._who(request)
        item, part = request.path_params["item"], request.path_params["part"]
        path = await run_in_threadpool(self.desk.media, who, item, part)
        kind = _TYPES.get(path.suffix)
        return FileResponse(
            path,
            media_type=kind or "application/octet-stream",
            filename=None if kind else path.name,
            # An item's files never change, and they are nobody else's.
            headers={"cache-control": "private, max-age=3600"},
        )

    async def export(self, request: Request) -> Response:
        who = await self._who(request)
        path = await run_in_threadpool(self.lead.export, who, request.path_params["name"])
        return FileResponse(
            path,
            filename=path.name,
            headers=_UNKEPT,
            background=BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True),
        )

    async def bring_in(self, request: Request) -> Response:
        who = await self._who(request)
        name = request.path_params["name"]
        target = await run_in_threadpool(self.lead.import_target, who, name)
        try:
            await _store(_limited(request, self._most_bytes), target)
            return _json(await run_in_threadpool(self.lead.bring_in, who, target))
        finally:
            shutil.rmtree(target.parent, ignore_errors=True)

    async def begin_upload(self, request: Request) -> Response:
        return _json(await run_in_threadpool(self.lead.begin_upload, await self._who(request)))

    async def upload(self, request: Request) -> Response:
        who = await self._who(request)
        upload, name = request.path_params["upload"], request.path_params["name"]
        target = await run_in_threadpool(self.lead.upload_target, who, upload, name)
        await _store(_limited(request, self._most_bytes), target)
        return _json({})

    async def _who(self, request: Request) -> Signed:
        return await run_in_threadpool(self.sessions.signed, request.cookies.get(COOKIE))

    def _set_cookie(
        self, request: Request, response: Response, name: str, value: str, seconds: int
    ) -> None:
        # Written out: the standard library does not know "Partitioned" yet.
        ways = (
            "SameSite=None; Secure; Partitioned"
            if self._framed
            else "SameSite=Lax" + ("; Secure" if request.url.scheme == "https" else "")
        )
        response.headers.append(
            "set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; {ways}"
        )


_UNKEPT = {"cache-control": "no-store"}


def _json(value: JSON, status: int = 200) -> JSONResponse:
    return JSONResponse(value, status_code=status, headers=_UNKEPT)


def _told(handler: Callable[[Request], Any]) -> Handler:
    """A handler whose failures are answered as ``{"error"}``."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except Exception as error:
            return _json({"error": message(error)}, _status(error))

    return handle


def _status(error: Exception) -> int:
    """Most specific first."""
    for kind, status in (
        (NobodyError, 401),
        (AccessError, 403),
        (LimitError, 413),
        (StoreError, 503),
        (OmniTraceError, 400),
    ):
        if isinstance(error, kind):
            return status
    return 500


async def _body(request: Request) -> object:
    chunks = [chunk async for chunk in _limited(request, MOST_BODY)]
    try:
        return json.loads(b"".join(chunks))
    except (ValueError, RecursionError) as error:
        raise InputError("The request is not JSON. Reload the page.") from error


async def _limited(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body as it arrives, cut off with an error beyond ``most`` bytes."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise LimitError(
                f"More than {most / 2**20:g} MB at once is too much here. "
                "Whoever runs this server can allow more: --upload-megabytes"
            )
        yield chunk


async def _store(chunks: AsyncIterator[bytes], target: Path) -> None:
    try:
        with target.open("wb") as file:
            async for chunk in chunks:
                await run_in_threadpool(file.write, chunk)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"The upload cannot be kept: {error.strerror}.") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
