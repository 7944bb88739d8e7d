"""The guards around the server, asked as a browser or an attacker would ask."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from omnitrace_ui.security import ANY, guards


def client(*hosts: str, **options) -> TestClient:
    async def home(request):
        return PlainTextResponse("home", headers={"X-Content-Type-Options": "sniff"})

    app = Starlette(
        routes=[Route("/", home, methods=["GET", "POST"])], middleware=guards(hosts, **options)
    )
    return TestClient(app, base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost", "192.168.0.7", "[::1]:80", "me.org"]
)
def test_own_names_are_answered(host):
    assert client("me.org").get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "", "[", "a,b"]
)
def test_foreign_names_are_not(host):
    assert client("me.org").get("/", headers={"Host": host}).status_code == 400


def test_any_name_can_be_allowed_and_still_guards_origins():
    anywhere = client(ANY)
    assert anywhere.get("/", headers={"Host": "x.hf.space"}).status_code == 200
    headers = {"Host": "x.hf.space", "Origin": "https://evil.com"}
    assert anywhere.post("/", headers=headers).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.com", "null", "http://127.0.0.1:9999", "http://["])
def test_pages_of_other_origins_are_refused(origin):
    for method in ("GET", "POST"):
        answer = client().request(method, "/", headers={"Origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_own_pages_are_not():
    assert client().post("/", headers={"Origin": "http://127.0.0.1:7860"}).status_code == 200
    # Behind a proxy that ends TLS, and does not pass the name on.
    assert client("me.org").post("/", headers={"Origin": "https://me.org"}).status_code == 200


def test_a_form_on_another_site_cannot_post_but_a_link_may_lead_here():
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client().post("/", headers=headers).status_code == 403
    assert client().get("/", headers=headers).status_code == 200


def test_every_answer_carries_the_headers_refusals_too():
    for headers in ({}, {"Host": "evil.com"}, {"Origin": "http://evil.com"}):
        answer = client().get("/", headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "object-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy and "http" not in policy


def test_frames_can_be_allowed():
    answer = client(frames=("https://huggingface.co",)).get("/")
    assert (
        "frame-ancestors 'self' https://huggingface.co" in answer.headers["content-security-policy"]
    )
