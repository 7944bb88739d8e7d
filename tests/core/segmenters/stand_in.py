"""A local stand-in for ElevenLabs' speech-to-text, and the faults that a service has."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.serving import served

Json = dict[str, Any]


@dataclass
class StandIn:
    """What it will answer, and what it was asked.

    ``body`` is sent with ``status``; ``cut`` breaks the connection after so many bytes of it.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    address: str = ""
    asked: list[Json] = field(default_factory=list)

    def answer(self, value: Any, status: int = 200, **headers: str) -> None:
        self.status, self.body, self.headers = status, json.dumps(value).encode(), headers


@contextmanager
def serving() -> Iterator[StandIn]:
    stand_in = StandIn()

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        stand_in.asked.append(
            {
                "path": request.path,
                "key": request.headers["xi-api-key"],
                **fields(request.headers["Content-Type"], body),
            }
        )
        request.send_response(stand_in.status)
        for name, value in stand_in.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(stand_in.body)))
        request.end_headers()
        request.wfile.write(stand_in.body[: stand_in.cut])

    with served(answer) as stand_in.address:
        yield stand_in


def fields(content_type: str, body: bytes) -> Json:
    """The fields of a multipart form; a file as its bytes."""
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    named = {}
    for part in form.get_payload():
        name = re.search(r'name="(\w+)"', part["Content-Disposition"]).group(1)
        content = part.get_payload(decode=True)
        named[name] = content if part.get_filename() else content.decode()
    return named
