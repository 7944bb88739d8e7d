"""Hostile files through every way into the review area, by a lead who means no good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.review import new_id, open_project
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.review_routes import PREFIX, review_routes
from tests.core.review.making import desk_of, make_project
from tests.load.hostile import SCRIPT, TOUCHED, hostile_files

FILES = 150


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "projects").mkdir()
    make_project(tmp_path / "projects", count=1, annotators=("anna", SCRIPT[:60])).close()
    bench = Bench(tmp_path / "projects")
    app = Starlette(routes=review_routes(bench, upload_megabytes=50))
    made = TestClient(app, base_url=f"http://localhost{PREFIX}/")
    sign_in = {"project": "study", "name": "lea", "password": ""}
    assert made.post("sign-in", json=sign_in).status_code == 200
    yield made
    bench.close()


def test_nothing_crashes_nothing_is_run_and_nothing_leaves_its_folder(
    client: TestClient, tmp_path: Path
):
    TOUCHED.unlink(missing_ok=True)
    root = tmp_path / "projects"
    before = sorted(path for path in tmp_path.rglob("*") if "review.sqlite3" not in path.name)
    for number, (name, content) in enumerate(hostile_files(FILES)):
        upload = client.post("lead/uploads", json={}).json()["upload"]
        ways = [
            f"lead/uploads/{upload}/{quote(name, safe='')}",
            f"lead/uploads/{upload}/{quote(name, safe='')}.omnitrace",
            f"lead/uploads/{upload}/{quote(name, safe='')}.jsonl",
            f"lead/import/{quote(name, safe='')}{('.jsonl', '.parquet', '.json')[number % 3]}",
        ]
        answers = [client.put(way, content=content) for way in ways]
        wanted = {
            "upload": upload,
            "name": name[:80] or "x",
            "annotators": [name[:50] or "x"],
            "overlap": 1,
            "seed": 1,
            "blind": False,
            "password": "",
        }
        made = client.post("lead/projects", json=wanted)
        assert made.status_code == 400, (name, made.text)
        for answer in (*answers, made):
            assert answer.status_code < 500, (name, answer.text)
            assert "Traceback" not in answer.text and str(tmp_path) not in answer.text
    assert not TOUCHED.exists(), "something was unpickled"
    after = sorted(path for path in tmp_path.rglob("*") if "review.sqlite3" not in path.name)
    assert after == before
    with open_project(root / "study") as project:
        assert desk_of(project).progress().done == 0
    assert client.get("me").json()["name"] == "lea"


def test_text_that_looks_like_markup_or_a_path_is_only_text(client: TestClient, tmp_path: Path):
    for name in (SCRIPT[:60], "../../etc/passwd", "{{7*7}}", "'; DROP TABLE review_event; --"):
        person = {"name": name, "role": "annotator", "password": name}
        assert client.post("lead/people", json=person).status_code == 200
        sign_in = {"project": "study", "name": name, "password": name}
        assert client.post("sign-in", json=sign_in).status_code == 200
        assert client.get("me").json()["name"] == name
        item = client.get("me").json()["queue"][0]
        note = {"kind": "note", "payload": {"text": SCRIPT + name}}
        event = {"id": new_id(), "item": item, "sentence": 0, "version": 0, **note}
        (answer,) = client.post("events", json={"events": [event]}).json()["answers"]
        assert answer["view"]["verdict"]["note"] == SCRIPT + name
        lea = {"project": "study", "name": "lea", "password": ""}
        client.post("sign-in", json=lea)
    told = client.get("lead/overview")
    assert told.headers["content-type"] == "application/json"
    assert {one["name"] for one in told.json()["progress"]} >= {"../../etc/passwd", "{{7*7}}"}
    for item in ("../study", "..%2Fstudy", "%00", SCRIPT):
        for path in (f"items/{quote(item)}", f"media/{quote(item)}/0", f"lead/items/{quote(item)}"):
            assert client.get(path).status_code in (400, 403, 404), path
