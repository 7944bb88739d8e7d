"""The whole story in a real browser: the embedded model, real photographs, speech and film."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio
import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from core.models.registry import load_model
from core.samples import read_samples
from core.trace import Trace
from tests.browser.explorer import HELDOUT, served

MEDIA = Path(gradio.__file__).parent / "media_assets"
LION, SPEECH, FILM = (
    MEDIA / "images/lion.jpg",
    MEDIA / "audio/audio_sample.wav",
    MEDIA / "videos/a.mp4",
)
PATIENCE = 60_000
"""Milliseconds; machines that build are slow and busy."""
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>${window.hacked=3}'


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of saved traces, with one in it."""
    from core import trace

    folder = tmp_path_factory.mktemp("traces")
    sample = read_samples(HELDOUT)[0]
    trace(load_model("embedded"), sample.prompt()).save(folder / "shown.omnitrace")
    return folder


@pytest.fixture(scope="module")
def url(traces: Path) -> Iterator[str]:
    with served(traces) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Opens the page as a new visitor; fails on scripts that fail and on requests elsewhere."""
    expect.set_options(timeout=PATIENCE)
    contexts, wrong = [], []

    def open_page(path: str = "", **options) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on(
            "request", lambda r: r.url.startswith((url, "data:", "blob:")) or wrong.append(r.url)
        )
        page.goto(url + path)
        expect(page.locator("#trace")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def sentences(page: Page):
    return page.locator("#view .ot-s")


def said(page: Page) -> list[str]:
    """The sentences as shown, without the marks of their sources."""
    return page.locator("#view .ot-words").evaluate_all(
        "nodes => nodes.map((node) => { const words = node.cloneNode(true);"
        " words.querySelectorAll('.ot-cite').forEach((mark) => mark.remove());"
        " return words.textContent; })"
    )


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def trace_now(page: Page) -> None:
    page.locator("#trace").click()
    expect(page.locator("#view .ot-view")).to_have_attribute("data-phase", "done")


def set_slider(page: Page, name: str, value: float) -> None:
    """Move a slider as keys and pointers do: its input event, not its change event."""
    page.locator(f"#{name} input[type=range]").evaluate(
        "(node, value) => { node.value = value;"
        " node.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )


def answer_at_most(page: Page, tokens: int) -> None:
    """Beyond its world the miniature model may never end a sentence."""
    page.get_by_role("button", name="Model and generation").click()
    number = page.get_by_role("spinbutton", name="Longest answer")
    number.fill(str(tokens))
    number.blur()


def test_the_whole_story_with_real_media(visit, tmp_path):
    page = visit()
    page.get_by_label("Instruction").fill("Describe all that you are given.")
    page.locator("#parts").get_by_role("button", name="Text", exact=True).click()
    page.locator("#parts textarea").fill("Anna bought two apples. Tom sold nine cars.")
    page.locator("#parts .ot-picker").set_input_files([LION, SPEECH, FILM])
    expect(page.locator("#parts .ot-rows > li")).to_have_count(4)
    expect(page.locator("#parts video")).to_be_visible()

    answer_at_most(page, 40)
    trace_now(page)
    expect(page.locator("#note")).to_contain_text("miniature")
    first = sentences(page).first
    answer = said(page)
    assert answer

    first.click()
    expect(first).to_have_attribute("aria-selected", "true")
    ranks = page.locator("#view .ot-ranks .ot-rank:visible")
    expect(page.locator("#view .ot-ranking")).to_contain_text("Sentence 1")

    tab(page, "Curation")
    for name in ("min_share", "min_run"):
        set_slider(page, name, 0)
    set_slider(page, "coverage", 1)
    expect(page.locator("#preset input")).to_have_value("custom")
    many = page.locator("#view .ot-ranking .ot-title")
    expect(many).to_contain_text(re.compile("sources?"))
    set_slider(page, "coverage", 0.01)
    expect(many).to_contain_text("1 source")
    expect(first).to_have_attribute("aria-selected", "true")

    ranks.first.click()
    expect(page.locator("#view .ot-lookup-text")).to_contain_text("used by")
    expect(page.locator("#view .ot-s.uses").first).to_be_visible()
    page.locator("#view .ot-lookup-close").click()
    page.locator("#reset").click()
    expect(page.locator("#preset input")).to_have_value("default")

    tab(page, "Save and open")
    with page.expect_download() as saved:
        page.locator("#save").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert file.suffix == ".omnitrace" and Trace.load(file, tmp_path).prompt.media
    with page.expect_download() as exported:
        page.locator("#export").click()
    document = json.loads(Path(exported.value.path()).read_text())
    assert [span["text"] for span in document["spans"]] == answer

    other = visit()
    expect(other.locator("#view .ot-view")).to_have_attribute("data-phase", "empty")
    tab(other, "Save and open")
    other.locator("#upload input[type=file]").set_input_files(file)
    expect(sentences(other)).to_have_count(len(answer))
    assert said(other) == answer
    expect(other.locator("#view video")).to_be_visible()
    picture = other.locator("#view .ot-picture img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_an_example_is_one_click_and_keys_do_the_rest(visit):
    page = visit()
    page.locator("#examples").get_by_text("All four kinds").click()
    expect(page.locator("#parts .ot-rows > li")).to_have_count(4)
    trace_now(page)
    expect(page.locator("#note")).to_be_hidden()
    sentences(page).first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(sentences(page).nth(1)).to_have_attribute("aria-selected", "true")
    page.locator("#view").get_by_role("tab", name="Why").click()
    expect(page.locator("#view .ot-token").first).to_be_visible()


def test_stop_keeps_what_there_is_and_trace_can_be_pressed_again(visit):
    page = visit()
    page.locator("#examples").get_by_text("All four kinds").click()
    expect(page.locator("#parts .ot-rows > li")).to_have_count(4)
    page.locator("#trace").click()
    page.locator("#stop").click()
    expect(page.locator("#trace")).to_be_enabled()
    expect(page.locator("#stop")).to_be_disabled()
    trace_now(page)
    expect(sentences(page).first).to_be_visible()


def test_hostile_names_and_words_stay_text(visit, tmp_path):
    page = visit()
    picture = tmp_path / (HOSTILE.replace("/", "∕") + ".jpg")
    picture.write_bytes(LION.read_bytes())
    broken = tmp_path / ("<b>broken<b>" + ".png")
    broken.write_bytes(b"no picture")
    page.get_by_label("Instruction").fill(HOSTILE)
    page.locator("#parts").get_by_role("button", name="Text", exact=True).click()
    page.locator("#parts textarea").fill(HOSTILE)
    page.locator("#parts .ot-picker").set_input_files([picture, broken])
    wrong = page.locator("#parts .ot-rows > li").nth(2)
    expect(wrong).to_contain_text("broken")
    expect(wrong.get_by_text("It can still be used")).to_be_hidden()
    page.locator("#trace").click()
    expect(page.locator("#view .ot-problem")).to_contain_text("<b>broken<b>")
    wrong.get_by_role("button", name=re.compile("Remove")).click()
    trace_now(page)
    expect(page.locator("#view .ot-prose").first).to_contain_text("onerror")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#view script, #view img[onerror], #parts img[onerror]").count() == 0


def test_an_address_opens_a_saved_trace(visit):
    page = visit("?trace=shown")
    expect(sentences(page).first).to_be_visible()
    expect(page.locator("#view .ot-asked"), "no form shows it").not_to_be_empty()
    page = visit("?trace=../../etc/passwd")
    expect(page.locator("#view .ot-problem")).to_contain_text("No saved trace")


def test_a_phone_shows_everything_without_scrolling_sideways(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("#examples").get_by_text("Conversation").click()
    expect(page.locator("#parts .ot-rows > li").first).to_be_visible()
    trace_now(page)
    expect(sentences(page).first).to_be_in_viewport()
    assert abs(page.locator("#view .ot-view").bounding_box()["y"]) < 100, "the answer is at the top"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    opened = visit("?trace=shown", viewport={"width": 390, "height": 844}, has_touch=True)
    expect(sentences(opened).first).to_be_in_viewport()


def test_the_server_serves_only_what_visitors_gave(url):
    for path in ("/etc/passwd", str(HELDOUT), str(Path(__file__))):
        assert httpx.get(f"{url}gradio_api/file={path}").status_code == 403
    assert httpx.get(url, headers={"Host": "evil.com"}).status_code == 400
    evil = {"Origin": "http://evil.com"}
    uploaded = httpx.post(f"{url}gradio_api/upload", files={"files": ("a.png", b"x")}, headers=evil)
    assert uploaded.status_code == 403
    for closed in ("openapi.json", "docs", "monitoring/summary"):
        assert httpx.get(url + closed).status_code >= 400
    named = httpx.get(url + "gradio_api/info").json()["named_endpoints"]
    assert set(named) == {"/trace", "/explain"}


@pytest.mark.parametrize("meta", [{"_type": "gradio.FileData"}, None])
def test_a_forged_form_gets_no_file_of_the_server(url, meta):
    """What a client of its own could send: a path that it never uploaded."""
    config = httpx.get(url + "config").json()
    parts = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "parts")
    check = next(
        d for d in config["dependencies"] if parts in d["inputs"] and parts in d["outputs"]
    )
    file = {"path": "/etc/passwd", "url": None, "orig_name": "a.png", "mime_type": None}
    row = {"id": "a", "kind": "image", "file": file | ({"meta": meta} if meta else {})}
    form = [row if i == parts else None for i in check["inputs"]]
    joined = httpx.post(
        f"{url}gradio_api/queue/join",
        json={"data": form, "fn_index": check["id"], "session_hash": "thief"},
    )
    assert joined.status_code == 200
    with httpx.stream("GET", f"{url}gradio_api/queue/data?session_hash=thief", timeout=60) as told:
        for line in told.iter_lines():
            if "process_completed" in line:
                assert json.loads(line[5:])["success"] is False
                assert "root:" not in line
                return
    raise AssertionError("no answer")
