"""A local stand-in for ElevenLabs' speech-to-text, and the faults that a service has."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stand_in.asked.append(
                {
                    "path": self.path,
                    "key": self.headers["xi-api-key"],
                    **fields(self.headers["Content-Type"], body),
                }
            )
            self.send_response(stand_in.status)
            for name, value in stand_in.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(stand_in.body)))
            self.end_headers()
            self.wfile.write(stand_in.body[: stand_in.cut])

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand_in.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fields(content_type: str, body: bytes) -> Json:
    """The fields of a multipart form; a file as its bytes."""
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    named = {}
    for part in form.get_payload():
        name = re.search(r'name="(\w+)"', part["Content-Disposition"]).group(1)
        content = part.get_payload(decode=True)
        named[name] = content if part.get_filename() else content.decode()
    return named
