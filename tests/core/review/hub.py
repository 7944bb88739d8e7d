"""A hub of this machine that speaks what huggingface_hub asks."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

TOKEN = "hf_of_this_test"


class Hub(BaseHTTPRequestHandler):
    """Makes a data set, and keeps the files of every commit."""

    created: list[dict]
    files: dict[str, bytes]
    committed: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        url = f"http://{self.headers['Host']}"
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.answer(401, {"error": "no"})
        if self.path == "/api/repos/create":
            self.created.append(json.loads(body))
            return self.answer(200, {"url": f"{url}/datasets/team/labels"})
        if self.path.endswith("/preupload/main"):
            modes = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for one in json.loads(body)["files"]
            ]
            return self.answer(200, {"files": modes})
        assert self.path == "/api/datasets/team/labels/commit/main"
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        self.committed.set()
        at = f"{url}/datasets/team/labels/commit/{'0' * 40}"
        return self.answer(200, {"commitUrl": at, "commitOid": "0" * 40, "success": True})

    def answer(self, status: int, document: dict) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def local_hub() -> Iterator[type[Hub]]:
    """The hub in place of the real one, with a token in the environment; yields what it keeps."""
    kept = type("Kept", (Hub,), {"created": [], "files": {}, "committed": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kept)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", url)
        patch.setenv("HF_ENDPOINT", url)
        patch.setenv("HF_TOKEN", TOKEN)
        yield kept
    server.shutdown()
    thread.join()
    server.server_close()
