"""What may come in, asked of the real gradio server behind the real guards."""

from __future__ import annotations

import http.client
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest

from omnitrace_ui.allowance import Allowance
from omnitrace_ui.intake import FIELD_BYTES, MOST_BYTES
from omnitrace_ui.server import Serving, launch
from omnitrace_ui.session import Store

MEGABYTE = 10**6


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("visitors")


@pytest.fixture(scope="module")
def store(root: Path) -> Store:
    return Store(root, Allowance(upload_megabytes=1))


@pytest.fixture(scope="module")
def url(store: Store) -> Iterator[str]:
    """An app with one event, served as ours is; files up to 1 MB."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(store.root)
    with gr.Blocks() as app:
        box = gr.Textbox()
        box.submit(lambda text: text.upper(), box, box, queue=False)
    try:
        yield launch(app, Serving(allowance=Allowance(upload_megabytes=1)), store)
    finally:
        app.close()
        del os.environ["GRADIO_TEMP_DIR"]
        if before is not None:
            os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(autouse=True)
def nothing_is_left(root: Path) -> Iterator[None]:
    """A refused upload leaves nothing behind."""
    before = set(root.rglob("*"))
    yield
    left = {path for path in root.rglob("*") if path.is_file()} - before
    assert left == set()


def upload(url: str, **files) -> httpx.Response:
    return httpx.post(f"{url}gradio_api/upload", files=files)


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/deep_link?session_hash=a",
        "gradio_api/file=http://127.0.0.1:1/x",
        "gradio_api/file=https://example.org/x",
        "gradio_api/file=ftp://example.org/x",
        "gradio_api/file/etc/passwd",
        "gradio_api/proxy=https://x.hf.space/",
        "gradio_api/custom_component/a/client/b/c",
        "gradio_api/vibe-code/",
        "gradio_api/runs",
        "gradio_api/token",
        "monitoring",
        "monitoring/summary",
    ],
)
def test_doors_that_nobody_needs_are_not_there(url, path):
    assert httpx.get(url + path).status_code == 404


@pytest.mark.parametrize(
    "path", ["component_server", "process_recording", "vibe-edit/", "stream/a"]
)
def test_nor_those_that_are_posted_to(url, path):
    assert httpx.post(f"{url}gradio_api/{path}", json={}).status_code == 404


def test_those_that_the_page_needs_are(url):
    assert httpx.get(url).status_code == 200
    assert httpx.get(url + "config").status_code == 200
    assert httpx.get(url + "theme.css").status_code == 200
    assert httpx.get(f"{url}gradio_api/startup-events").status_code == 200
    called = httpx.post(
        f"{url}gradio_api/run/predict", json={"data": ["a"], "fn_index": 0, "session_hash": "s"}
    )
    assert called.json()["data"] == ["A"]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", "/../etc/passwd", "//etc/passwd"]
)
def test_files_of_the_machine_are_not_served(url, path):
    answer = httpx.get(f"{url}gradio_api/file={path}")
    assert answer.status_code in (403, 404) and "root:" not in answer.text


def test_a_file_is_taken_and_served_as_what_it_is_and_no_page(url, root):
    content = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    path = Path(upload(url, files=("a.svg", content)).json()[0])
    served = httpx.get(f"{url}gradio_api/file={path}")
    assert served.content == content
    assert served.headers["content-disposition"].startswith("attachment")
    assert served.headers["x-content-type-options"] == "nosniff"
    path.unlink()


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(url):
    answer = upload(url, files=("a.png", bytes(2 * MEGABYTE)))
    assert answer.status_code == 413 and "maximum allowed size of 1.1 MB" in answer.text


def test_a_file_that_does_not_say_how_large_it_is(url):
    def drip() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(40):
            yield bytes(100_000)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{url}gradio_api/upload", content=drip(), headers=headers)
    assert answer.status_code == 413


def test_many_files_in_one_upload_together(url):
    files = [("files", (f"{n}.png", bytes(300_000))) for n in range(5)]
    assert httpx.post(f"{url}gradio_api/upload", files=files).status_code == 413


@pytest.mark.parametrize("name", ["files", "filename", "x"])
def test_a_field_that_is_no_file_is_not_collected_in_memory(url, name):
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
    body = head + bytes(FIELD_BYTES + 1) + b"\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{url}gradio_api/upload", content=body, headers=headers)
    assert answer.status_code == 413


def test_any_other_request_is_bounded_too(url):
    big = {"data": ["x" * MOST_BYTES], "fn_index": 0, "session_hash": "s"}
    for path in ("run/predict", "queue/join", "call/predict"):
        assert httpx.post(f"{url}gradio_api/{path}", json=big).status_code == 413


def test_a_broken_connection_leaves_no_half_file(url, root):
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as wire:
        wire.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
            + bytes(200_000)
        )
        _wait_for(lambda: any(root.glob("tmp*")))
    _wait_for(lambda: not any(root.glob("tmp*")))


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"{", b"[" * 100_000, b'{"data": null}'])
def test_malformed_bodies_are_refused(url, raw):
    for path in ("run/predict", "queue/join", "cancel", "upload"):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.request("POST", f"/gradio_api/{path}", raw, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert 400 <= answer.status < 500, (path, answer.read())
        connection.close()
    assert httpx.get(url).status_code == 200


def test_no_room_is_told_before_anything_is_written(url, store):
    hog = store.root / "hog"
    hog.touch()
    os.truncate(hog, 30 * 10**9)  # A hole: it takes no place, but has a size.
    try:
        _wait_for(lambda: not store.has_room(0))
        answer = upload(url, files=("a.png", b"x"))
        assert answer.status_code == 507 and "no room" in answer.text
    finally:
        hog.unlink()


def _wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
