"""The review area over HTTP: refused without a session, without the role, or as nonsense."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.review import new_id, open_project
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.review_routes import COOKIE, KNOWN_COOKIE, PREFIX, review_routes
from tests.browser.bench import review_project
from tests.core.review.making import make_project

ASKING = ("me", "last", "items/x", "media/x/0", "lead/overview", "lead/agreement", "lead/items/x")
LEADS = ("lead/overview", "lead/agreement", "lead/items/x", "lead/export/labels.jsonl")
TELLING = ("events", "lead/people", "lead/uploads", "lead/projects")


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    make_project(folder, overlap=1.0).close()
    with open_project(folder / "study") as project:
        project.add_account("lea", "lead", "secret")
    return folder


@pytest.fixture
def root(_made: Path, tmp_path: Path) -> Path:
    shutil.copytree(_made / "study", tmp_path / "projects" / "study")
    return tmp_path / "projects"


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    made = Bench(root)
    yield made
    made.close()


@pytest.fixture
def client(bench: Bench) -> TestClient:
    return _client(bench)


def _client(bench: Bench, **options) -> TestClient:
    routes = review_routes(bench, upload_megabytes=1, **options)
    return TestClient(Starlette(routes=routes), base_url=f"http://localhost{PREFIX}/")


def sign_in(client: TestClient, name: str, password: str = "", project: str = "study"):
    return client.post("sign-in", json={"project": project, "name": name, "password": password})


def event(item: str, kind: str, payload: dict, *, version: int = 0, sentence: int = 0) -> dict:
    return {
        "id": new_id(),
        "item": item,
        "sentence": sentence,
        "version": version,
        "kind": kind,
        "payload": payload,
    }


def write(client: TestClient, *events: dict) -> list[dict]:
    answer = client.post("events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    return answer.json()["answers"]


def test_nothing_is_told_or_taken_without_a_session(client: TestClient):
    for path in ASKING + LEADS:
        assert client.get(path).status_code == 401, path
    for path in TELLING:
        assert client.post(path, json={}).status_code == 401, path
    assert client.put("lead/uploads/x/a.omnitrace", content=b"x").status_code == 401
    assert client.put("lead/import/labels.jsonl", content=b"x").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "e30=.aa", "W10=." + "0" * 64, "é", "a.b.c"])
def test_a_made_up_cookie_is_nobody(client: TestClient, token: str):
    headers = {"cookie": f"{COOKIE}={token}".encode("latin-1", "replace")}
    assert client.get("me", headers=headers).status_code == 401


def test_a_token_holds_over_a_restart_and_not_beyond_its_account(root: Path, client: TestClient):
    sign_in(client, "anna")
    token = client.cookies[COOKIE]
    other = Bench(root)
    again = _client(other)
    again.cookies.set(COOKIE, token)
    assert again.get("me").json()["name"] == "anna"
    (root / ".session-key").unlink()
    stranger = _client(other)
    stranger.cookies.set(COOKIE, token)
    assert stranger.get("me").status_code == 401
    other.close()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(bench: Bench):
    said = sign_in(_client(bench), "anna").headers["set-cookie"]
    assert "HttpOnly" in said and "SameSite=Lax" in said
    framed = sign_in(_client(bench, framed=True), "anna").headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in framed


def test_wrong_names_passwords_and_projects_are_one_answer(client: TestClient):
    answers = {
        sign_in(client, "lea", "wrong").text,
        sign_in(client, "nobody", "wrong").text,
        sign_in(client, "lea", "secret", project="no such").text,
        sign_in(client, "lea", "secret", project="../study").text,
    }
    assert len(answers) == 1
    assert sign_in(client, "lea", "secret").status_code == 200
    assert sign_in(client, "lea", "secret", project="").status_code == 200


def test_guessing_is_slowed_down_and_who_works_here_is_not_kept_out(client: TestClient):
    assert sign_in(client, "lea", "secret").status_code == 200
    known = client.cookies[KNOWN_COOKIE]
    client.cookies.clear()
    # The first wait is short: a slow machine may get a guess more.
    said = [sign_in(client, "lea", "guess").json()["error"] for _ in range(10)]
    assert all("do not fit" in one for one in said[:5]) and any("Wait" in one for one in said)
    while "Wait" not in (refused := sign_in(client, "lea", "guess")).text:
        pass
    assert refused.status_code == 403
    assert sign_in(client, "anna").status_code == 200
    client.cookies.clear()
    said = {"project": "study", "name": "lea", "password": "secret"}
    headers = {"cookie": f"{KNOWN_COOKIE}={known}"}
    assert client.post("sign-in", json=said, headers=headers).status_code == 200
    client.post("sign-out")
    assert KNOWN_COOKIE in client.cookies and COOKIE not in client.cookies


def test_an_annotator_is_refused_what_is_the_leads_and_what_is_others(client: TestClient):
    sign_in(client, "anna")
    for path in LEADS:
        assert client.get(path).status_code == 403, path
    assert client.post("lead/people", json={}).status_code == 403
    assert client.post("lead/uploads", json={}).status_code == 403
    assert client.post("lead/projects", json={}).status_code == 403
    assert client.put("lead/uploads/x/a.omnitrace", content=b"x").status_code == 403
    for path in ("items/0000000000000000", "media/0000000000000000/1"):
        assert client.get(path).status_code == 400, path


def test_a_click_is_on_disk_when_it_is_answered_and_counts_once(client: TestClient, root: Path):
    sign_in(client, "anna")
    me = client.get("me").json()
    item = me["queue"][0]
    assert me["resume"] == {"item": item, "sentence": 0}
    clicks = [event(item, "unit", {"id": "p0.1", "on": True}), event(item, "commit", {}, version=1)]
    first, second = write(client, *clicks)
    assert first["view"]["verdict"]["units"] == ["p0.1"] and not first["problem"]
    assert second["view"]["done"] and second["progress"]["done"] == 1
    assert write(client, *clicks)[1]["view"]["version"] == 2
    with open_project(root / "study") as project:
        desk = project.desk(project.sign_in("anna"))
        assert desk.item(item).sentences[0].state.committed.units == ("p0.1",)
    shown = client.get(f"items/{item}").json()
    assert shown["sentences"][0]["version"] == 2
    assert client.get("last").json()["place"] == {"item": item, "sentence": 0}


def test_a_stale_change_is_refused_with_those_that_built_on_it(client: TestClient):
    sign_in(client, "anna")
    item = client.get("me").json()["queue"][0]
    write(client, event(item, "unit", {"id": "p0.0", "on": True}))
    stale, after, other = write(
        client,
        event(item, "unit", {"id": "p0.1", "on": True}),
        # Its version is the store's by chance: it must not be committed unseen.
        event(item, "commit", {}, version=1),
        event(item, "flag", {"name": "bad", "on": True}, sentence=1),
    )
    assert "changed elsewhere" in stale["problem"]
    assert stale["view"]["verdict"]["units"] == ["p0.0"]
    assert after["problem"] and after["view"] is None
    assert not other["problem"] and other["view"]["verdict"]["bad"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"events": 1},
        {"events": [{}]},
        {"events": [event("x", "unit", {}) | {"id": "short"}]},
        {"events": [event("x", "unit", {}) | {"version": -1}]},
        {"events": [event("x", "unit", {}) | {"payload": []}]},
        {"events": [event("x", "unit", {}) | {"more": 1}]},
        {"events": [event("x", "unit", {})] * 201},
    ],
)
def test_what_the_page_would_not_send_is_refused(client: TestClient, body: object):
    sign_in(client, "anna")
    refused = client.post("events", json=body)
    assert refused.status_code == 400 and "Reload" in refused.json()["error"]


def test_bytes_that_are_no_json_and_too_many_are_refused(client: TestClient):
    sign_in(client, "anna")
    assert client.post("events", content=b"\xff{").status_code == 400
    assert client.post("events", content=b"[" * 100_000).status_code == 400
    assert client.post("events", content=b" " * (5 * 2**20)).status_code == 413


def test_a_change_that_does_not_fit_is_told_and_the_rest_goes_on(client: TestClient):
    sign_in(client, "anna")
    item = client.get("me").json()["queue"][0]
    unknown, foreign, fine = write(
        client,
        event(item, "unit", {"id": "p9.9", "on": True}),
        event("0000000000000000", "commit", {}),
        event(item, "accept", {}, sentence=1),
    )
    assert "p9.9" in unknown["problem"] and unknown["view"]["version"] == 0
    assert foreign["problem"] and foreign["view"] is None
    assert fine["view"]["done"]


def test_the_judge_stays_hidden_in_a_blind_project(tmp_path: Path):
    make_project(tmp_path, blind=True).close()
    bench = Bench(tmp_path / "study")
    client = _client(bench)
    sign_in(client, "anna", project="")
    item = client.get("me").json()["queue"][0]
    answer = client.get(f"items/{item}")
    assert "a judge" not in answer.text
    assert all(one["hidden"] and one["judge"] is None for one in answer.json()["sentences"])
    (done,) = write(client, event(item, "flag", {"name": "unsupported", "on": True}))
    assert done["view"]["judge"] is None
    (done,) = write(client, event(item, "commit", {}, version=1))
    assert done["view"]["judge"]["units"] == ["p0.0"]
    bench.close()


def test_media_are_served_in_pieces_to_who_may_see_them(tmp_path: Path):
    review_project(tmp_path / "media", items=1).close()
    bench = Bench(tmp_path / "media")
    client = _client(bench)
    sign_in(client, "anna", project="")
    item = client.get(f"items/{client.get('me').json()['queue'][0]}").json()
    url = item["parts"][4]["file"]["url"]
    piece = client.get(url, headers={"range": "bytes=0-3"})
    assert (piece.status_code, piece.content) == (206, b"RIFF")
    assert piece.headers["content-type"] == "audio/wav"
    assert "private" in piece.headers["cache-control"]
    assert client.get(f"media/{item['id']}/0").status_code == 400
    assert client.get(f"media/{item['id']}/99").status_code == 400
    client.post("sign-out")
    assert client.get(url).status_code == 401
    bench.close()


def test_a_lead_sees_everybody_settles_and_exports(client: TestClient):
    sign_in(client, "anna")
    item = client.get("me").json()["queue"][0]
    write(
        client,
        event(item, "unit", {"id": "p0.1", "on": True}),
        event(item, "commit", {}, version=1),
    )
    sign_in(client, "lea", "secret")
    seen = client.get("lead/overview").json()
    assert [(one["name"], one["done"]) for one in seen["progress"]] == [("anna", 1), ("ben", 0)]
    assert seen["disputed"][0]["people"] == ["anna"]
    shown = client.get(f"lead/items/{item}").json()["sentences"][0]
    assert shown["opinions"][0]["name"] == "anna" and shown["version"] == 0
    (gold,) = write(client, event(item, "accept", {}))
    assert gold["view"]["done"] and gold["view"]["opinions"]
    assert client.get("lead/overview").json()["disputed"][-1]["settled"]
    cells = client.get("lead/agreement").json()["cells"]
    assert {cell["annotator"] for cell in cells} == {"all", "anna"}
    labels = client.get("lead/export/labels.jsonl")
    assert "attachment" in labels.headers["content-disposition"]
    assert [json.loads(line)["name"] for line in labels.text.splitlines()] == ["anna", "gold"]
    archive = client.get("lead/export/label_studio.zip")
    assert zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert client.get("lead/export/review.sqlite3").status_code == 400


def test_a_lead_brings_verdicts_back(client: TestClient, root: Path):
    sign_in(client, "anna")
    item = client.get("me").json()["queue"][0]
    commit = event(item, "commit", {}, version=1)
    write(client, event(item, "unit", {"id": "p0.1", "on": True}), commit)
    assert client.put("lead/import/labels.jsonl", content=b"").status_code == 403
    sign_in(client, "lea", "secret")
    labels = client.get("lead/export/labels.jsonl").text
    table = client.get("lead/export/verdicts.parquet").content
    again = client.put("lead/import/verdicts.parquet", content=table).json()
    assert again == {"added": 0, "same": 1, "kept": 0, "unknown": 0, "empty": 0}
    bens = labels.replace('"anna"', '"ben"')
    assert client.put("lead/import/labels.jsonl", content=bens.encode()).json()["added"] == 1
    with open_project(root / "study") as project:
        desk = project.desk(project.sign_in("ben"))
        assert desk.item(item).sentences[0].state.committed.units == ("p0.1",)
    nobody = labels.replace('"anna"', '"nobody"').encode()
    for name, content, told in (
        ("labels.jsonl", nobody, "adduser"),
        ("..%2F..%2Fx.jsonl", b"{", "x.jsonl"),
        ("x.parquet", b"PAR1", "no table of verdicts"),
        ("tasks.json", b"[[", "not valid JSON"),
        ("page.html", b"x", "no file of verdicts"),
    ):
        refused = client.put(f"lead/import/{name}", content=content)
        assert refused.status_code in (400, 404), refused.text
        assert refused.status_code == 404 or told in refused.json()["error"]
    assert client.put("lead/import/x.json", content=b"x" * 2**21).status_code == 413


def test_a_lead_lets_people_in(client: TestClient):
    sign_in(client, "lea", "secret")
    person = {"name": "cora", "role": "annotator", "password": "pass"}
    assert client.post("lead/people", json=person).status_code == 200
    assert client.post("lead/people", json=person | {"role": "root"}).status_code == 400
    assert sign_in(client, "cora").status_code == 403
    assert sign_in(client, "cora", "pass").status_code == 200
    assert client.get("me").json()["queue"]


def test_a_lead_makes_a_project_of_uploaded_files(client: TestClient, _made: Path, root: Path):
    sign_in(client, "lea", "secret")
    upload = client.post("lead/uploads", json={}).json()["upload"]
    put = f"lead/uploads/{upload}"
    for path in sorted((_made / "traces").glob("*.omnitrace")):
        name = f"..%2F..%2F{path.name}"
        assert client.put(f"{put}/{path.name}", content=path.read_bytes()).status_code == 200
        # No name leaves the upload's folder, whatever it says.
        assert client.put(f"{put}/{name}", content=b"x").status_code in (400, 404)
    labels = (_made / "study" / "judge.jsonl").read_bytes()
    assert client.put(f"{put}/judge.jsonl", content=labels).status_code == 200
    assert client.put(f"{put}/page.html", content=b"x").status_code == 400
    assert client.put(f"{put}/big.omnitrace", content=b"x" * 2**21).status_code == 413
    assert client.put(f"lead/uploads/{'0' * 32}/a.omnitrace", content=b"x").status_code == 400
    wanted = {
        "upload": upload,
        "name": "Second / study",
        "annotators": ["cora"],
        "overlap": 0.5,
        "seed": 1,
        "blind": True,
        "password": "own",
    }
    made = client.post("lead/projects", json=wanted)
    assert made.json() == {"project": "Second-study"}, made.text
    with open_project(root / "Second-study") as project:
        assert len(project.items) == 4 and project.annotators == ("cora",)
    assert sign_in(client, "lea", "secret", project="Second-study").status_code == 403
    assert sign_in(client, "lea", "own", project="Second-study").status_code == 200
    assert client.post("lead/projects", json=wanted).status_code == 400


def test_a_server_of_one_project_makes_no_other(root: Path):
    bench = Bench(root / "study")
    client = _client(bench)
    sign_in(client, "lea", "secret", project="")
    refused = client.post("lead/uploads", json={})
    assert refused.status_code == 400 and "--review FOLDER" in refused.json()["error"]
    bench.close()
