"""The page that needs no server: what is in it, and what cannot get in."""

import base64
import hashlib
import json
import re

from omnitrace_ui.components import standalone as module
from omnitrace_ui.components.standalone import LEFT_OUT, standalone
from omnitrace_ui.views import Status, answer_model, parts_model, units_model, view_value
from tests.omnitrace_ui.views.fabricated import Case, case, said

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=2'>"


def page_of(shown: Case, title: str = "Describe everything.") -> str:
    value = view_value(
        Status("done"),
        trace="t",
        key="k",
        parts=parts_model(shown.trace, {}),
        units=units_model(shown.trace, shown.sources),
        answer=answer_model(shown.trace, shown.explanation, shown.curation, whole=True),
    )
    return standalone(title, "made · AttMean", value, shown.files)


def held(page: str) -> dict:
    return json.loads(re.search(r'id="value">(.*?)</script>', page, re.S).group(1))


def test_everything_is_in_the_page():
    shown = case()
    value = held(page_of(shown))
    assert [span["text"] for span in value["answer"]["spans"]] == [
        span.text for span in shown.explanation.spans
    ]
    assert all(span["why"] and "where" in span for span in value["answer"]["spans"])
    for index, path in shown.files.items():
        kind, data = value["parts"][index]["file"]["url"].split(";base64,")
        assert kind.startswith("data:") and base64.b64decode(data) == path.read_bytes()


def test_only_its_own_script_is_allowed():
    page = page_of(case())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    code = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(code) == 1
    digest = base64.b64encode(hashlib.sha256(code[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "http" not in policy


def test_nothing_hostile_can_end_the_data_or_become_markup():
    shown = case(answer=said(HOSTILE, ("text", 0, 0)), texts=(HOSTILE, HOSTILE))
    page = page_of(shown, title=HOSTILE)
    assert page.count("<script>") == 1 and "<img" not in page
    assert held(page)["answer"]["spans"][0]["text"] in HOSTILE


def test_media_that_do_not_fit_are_left_out_and_said_to_be(monkeypatch):
    shown = case()
    sizes = sorted(path.stat().st_size for path in shown.files.values())
    monkeypatch.setattr(module, "MOST_BYTES", sum(sizes[:-1]))
    parts = held(page_of(shown))["parts"]
    missing = [part for part in parts if part["kind"] != "text" and part["file"] is None]
    assert len(missing) == 1 and missing[0]["notes"][-1] == LEFT_OUT
