"""The endpoints for programs, called over the network on a really started app."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from core.trace import Trace
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.library import Library
from omnitrace_ui.layout import build_app
from omnitrace_ui.server import Serving, launch
from omnitrace_ui.session import VISITORS, Store
from tests.core.tiny import tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root").resolve()


@pytest.fixture(scope="module")
def url(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(root)
    gallery = tmp_path_factory.mktemp("gallery")
    from core import trace
    from core.prompt import Prompt

    trace(tiny_model(), Prompt.of("What?", ["A dog barks."]), max_new_tokens=8).save(
        gallery / "dog.omnitrace"
    )
    library = Library.read(gallery / "none", gallery)
    store = Store(root)
    app = build_app(Site(Engine({"tiny": tiny_model}), store, library))
    yield launch(app, Serving(), store)
    app.close()
    os.environ.pop("GRADIO_TEMP_DIR")
    if before is not None:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "a.png"
    Image.new("RGB", (84, 56), "teal").save(path)
    return path


def test_the_example_traces_and_explains(url: str, picture: Path):
    ran = subprocess.run(
        [sys.executable, "examples/client.py", url, "What do you see?", str(picture)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Image 1" in ran.stdout and "strongest source" in ran.stdout


def test_a_trace_comes_as_a_file_and_an_explanation(client, root: Path, picture, tmp_path: Path):
    parts = [{"text": "A dog barks. B. blue"}, {"file": handle_file(picture)}]
    file, explanation = client.predict("What?", parts, max_new_tokens=12, api_name="/trace")
    trace = Trace.load(file, tmp_path)
    assert [part.kind for part in trace.prompt.parts] == ["text", "image"]
    assert [unit["id"] for unit in explanation["units"]] == ["p0.0", "p0.1", "p1.0"]
    assert all(span["text"] in trace.answer for span in explanation["spans"])
    assert list((root / VISITORS).iterdir()) == [], "who only called leaves nothing behind"

    again = client.predict(handle_file(file), api_name="/explain")
    assert again["units"] == explanation["units"] and again["answer"] == trace.answer
    whole = client.predict(
        handle_file(file), signal="rawatt", text_units="part", api_name="/explain"
    )
    assert whole["signal"] == "rawatt"
    assert [unit["id"] for unit in whole["units"]] == ["p0.0", "p1.0"]


def test_saved_traces_are_explained_by_name(client):
    explained = client.predict("dog", sentence=1, preset="paper", api_name="/explain")
    assert len(explained["spans"]) == 1 and explained["units"][0]["text"] == "A dog barks."


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"trace": "../../etc/passwd"}, "No saved trace"),
        ({"trace": {"path": "/etc/passwd"}}, "uploaded"),
        ({"trace": "dog", "sentence": 99}, "use 1 to"),
        ({"trace": "dog", "coverage": 7}, "0 to 1"),
        ({"trace": "dog", "signal": "<b>"}, "Recorded"),
        ({"trace": "dog", "preset": "none"}, "Known"),
        ({"trace": "dog", "bin_seconds": "x"}, "number"),
        ({"trace": "dog", "bin_seconds": 99}, "0.25 to 5"),
    ],
)
def test_what_cannot_be_explained_is_told(client, arguments, says):
    # Raw, as any client might: gradio_client itself would refuse to upload some of these.
    names = ("trace", "sentence", "signal", "preset", "coverage", "bin_seconds")
    assert set(arguments) <= set(names)
    assert says in raw(client, "explain", arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"instruction": "", "parts": []}, "Nothing was given"),
        ({"instruction": 3}, "must be text"),
        ({"instruction": "x", "parts": [{"text": 1}]}, "Part 1 must be"),
        ({"instruction": "x", "parts": [{"file": "/etc/passwd"}]}, "uploaded"),
        ({"instruction": "x", "max_new_tokens": 10**9}, "1 to 2048"),
        ({"instruction": "x", "model": "gpt"}, "Offered: tiny"),
        ({"instruction": "x", "signals": ["nonsense"]}, "Known"),
    ],
)
def test_what_cannot_be_traced_is_told(client, arguments, says):
    assert says in raw(client, "trace", arguments)


def test_files_that_the_client_did_not_upload_are_refused(client, root: Path):
    others = root / VISITORS / "somebody" / "a.omnitrace"
    others.parent.mkdir(parents=True)
    others.write_bytes(b"x")
    for path in (str(others), "/etc/passwd", str(root / "none")):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for said in (
            raw(client, "explain", {"trace": file}),
            raw(client, "trace", {"instruction": "x", "parts": [{"file": file}]}),
        ):
            assert "root:" not in said and str(root) not in said
    shutil.rmtree(others.parent)


def raw(client: Client, endpoint: str, arguments: dict) -> str:
    """The failure that the server sends, asked without gradio_client's own checks."""
    info = httpx.get(f"{client.src}gradio_api/info").json()["named_endpoints"][f"/{endpoint}"]
    data = [
        arguments.get(p["parameter_name"], p.get("parameter_default")) for p in info["parameters"]
    ]
    config = httpx.get(f"{client.src}config").json()
    index = next(d["id"] for d in config["dependencies"] if d["api_name"] == endpoint)
    call = {"data": data, "fn_index": index, "session_hash": os.urandom(8).hex()}
    httpx.post(f"{client.src}gradio_api/queue/join", json=call).raise_for_status()
    hears = f"{client.src}gradio_api/queue/data?session_hash={call['session_hash']}"
    with httpx.stream("GET", hears, timeout=60) as told:
        for line in told.iter_lines():
            if "process_completed" in line:
                assert '"success":false' in line.replace(" ", ""), line
                return line
    raise AssertionError("no answer")


def test_what_is_documented_is_there_and_nothing_else(client):
    info = httpx.get(f"{client.src}gradio_api/info").json()
    assert set(info["named_endpoints"]) == {"/trace", "/explain"}
    assert info["unnamed_endpoints"] == {}
    trace = info["named_endpoints"]["/trace"]
    assert [p["parameter_name"] for p in trace["parameters"]] == [
        "instruction",
        "parts",
        "model",
        "signals",
        "max_new_tokens",
    ]
    assert trace["parameters"][0]["type"]["type"] == "string"
    assert len(trace["returns"]) == 2
    assert "trace which part" in trace["description"]
