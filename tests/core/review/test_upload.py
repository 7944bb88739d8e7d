"""Scheduled uploads, against a hub of this machine that speaks what huggingface_hub asks."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.errors import AccessError, StoreError
from core.evaluation.labels import read_labels
from core.review import Place, Project, commit, select
from core.review.upload import schedule_exports
from tests.core.review.making import desk_of, lead_of, write

ROOT = Path(__file__).resolve().parents[3]
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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    kept = type("Kept", (Hub,), {"created": [], "files": {}, "committed": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kept)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def test_exports_reach_a_private_data_set(project: Project, tmp_path: Path, hub: type[Hub]):
    place = Place(desk_of(project).queue[0], 0)
    with schedule_exports(lead_of(project), tmp_path / "out", "team/labels", minutes=60):
        write(desk_of(project), place, select("p1.0"), commit())
    assert [(one["type"], one["visibility"]) for one in hub.created] == [("dataset", "private")]
    assert {"labels.jsonl", "verdicts.parquet"} <= set(hub.files)
    (tmp_path / "got.jsonl").write_bytes(hub.files["labels.jsonl"])
    (label,) = read_labels(tmp_path / "got.jsonl")
    assert (label.answer_id, label.units, label.name) == (place.item, ("p1.0",), "anna")


def test_a_hub_that_refuses_is_told(project: Project, tmp_path: Path, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "wrong")
    with pytest.raises(StoreError, match="work goes on"):
        schedule_exports(lead_of(project), tmp_path / "out", "team/labels")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(AccessError, match="HF_TOKEN"):
        schedule_exports(lead_of(project), tmp_path / "out", "team/labels")


def test_the_command_uploads_until_it_is_interrupted(project: Project, tmp_path: Path, hub):
    write(desk_of(project), Place(desk_of(project).queue[0], 0), select("p1.0"), commit())
    command = [sys.executable, "-m", "core", "review", "upload", project.folder]
    options = ["--dataset", "team/labels", "--out", tmp_path / "out"]
    process = subprocess.Popen(
        [*command, *options],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # Another test's wish to stay offline is not this one's.
        env={**os.environ, "HF_HUB_OFFLINE": "0"},
        # Who runs the tests in the background has interrupts ignored, and children inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert hub.committed.wait(120) and process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in told
    assert b"p1.0" in hub.files["labels.jsonl"]
