"""Checking, comparing and sharing in a real browser, on a trace of the embedded model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from core.models.registry import load_model
from core.samples import read_samples
from tests.browser.explorer import HELDOUT, served

PATIENCE = 60_000
"""Milliseconds; machines that build are slow and busy."""
TASK = "summary-conversation"
"""Texts and pictures, more of each than a sentence cites."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, with one saved trace in its gallery."""
    from core import trace

    folder = tmp_path_factory.mktemp("traces")
    sample = next(s for s in read_samples(HELDOUT) if s.extra.get("task") == TASK)
    made = trace(load_model("embedded"), sample.prompt(), signals=("attmean", "rawatt"))
    made.save(folder / "shown.omnitrace")
    with served(folder) as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A new visitor; fails on scripts that fail."""
    expect.set_options(timeout=PATIENCE)
    context = browser.new_context(
        viewport={"width": 1400, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )
    wrong: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    yield page
    context.close()
    assert wrong == []


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator("#view .ot-s").first).to_be_visible()
    return page


def panel(page: Page, name: str) -> None:
    page.locator("#view").get_by_role("tab", name=name).click()


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_hiding_a_source_is_scored_and_compared(page: Page, url: str):
    opened(page, f"{url}?trace=shown&sentence=1")
    panel(page, "Check")
    boxes = page.locator(".ot-check-unit input")
    expect(boxes.first).to_be_checked()
    go = page.get_by_role("button", name="Hide and score again")
    go.focus()
    page.keyboard.press("Enter")
    rows = page.locator(".ot-check-row")
    expect(rows.first).to_be_visible()
    expect(rows.first).to_contain_text("Attribution gave")
    expect(rows.first.locator(".ot-check-hidden b")).to_contain_text("times less likely")
    expect(rows.first.locator(".ot-check-usual")).to_contain_text("nats")

    page.locator(".ot-check-way").select_option("remove")
    go.click()
    expect(page.locator(".ot-check-state")).to_contain_text(re.compile(r"\d+ of \d+"))
    page.get_by_role("button", name="Stop", exact=True).last.click()
    expect(page.locator(".ot-check-stop")).to_be_hidden()
    expect(go).to_be_enabled()


def test_a_link_opens_what_was_shown_and_the_address_keeps_step(page: Page, url: str):
    hostile = "&coverage=0.4&gamma=NaN&lanes=<script>&sentence=2&__theme=light&x=" + "y" * 500
    opened(page, f"{url}?trace=shown{hostile}")
    second = page.locator("#view .ot-s").nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(page.locator("#view .ot-ranking")).to_contain_text("Sentence 2")
    page.wait_for_function("!location.search.includes('x=')")
    kept = {"trace": ["shown"], "coverage": ["0.4"], "sentence": ["2"], "__theme": ["light"]}
    assert asked(page) == kept

    page.get_by_role("tab", name="Curation").click()
    expect(page.locator("#coverage input[type=number]")).to_have_value("0.4")
    expect(page.locator("#preset input")).to_have_value("custom")
    page.locator("#view .ot-s").first.click()
    page.wait_for_function("location.search.includes('sentence=1')")
    page.locator("#reset").click()
    page.wait_for_function("!location.search.includes('coverage')")

    page.get_by_role("tab", name="Save and open").click()
    page.locator("#copy-link").click()
    expect(page.locator("#copied")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(copied).query) == {"trace": ["shown"], "sentence": ["1"]}
    opened(page, copied)
    expect(page.locator("#view .ot-s").first).to_have_attribute("aria-selected", "true")


def test_a_pinned_view_stands_beside_what_is_shown(page: Page, url: str):
    # Of this signal, which finds the least, more sources follow where the others are done.
    opened(page, f"{url}?trace=shown&sentence=1&signal=rawatt")
    panel(page, "Compare")
    page.get_by_role("button", name="Pin this view as B").click()
    sides = page.locator("#view .ot-pair .ot-signal")
    expect(sides.nth(1)).to_contain_text("B · pinned")
    page.get_by_role("tab", name="Curation").click()
    for name, value in (("min_share", 0), ("min_run", 0), ("coverage", 1)):
        page.locator(f"#{name} input[type=range]").evaluate(
            "(node, value) => { node.value = value;"
            " node.dispatchEvent(new Event('input', { bubbles: true })); }",
            value,
        )
    expect(sides.first).to_contain_text("coverage 1")
    expect(sides.first.locator("[data-differs=added]").first).to_contain_text("only here")
    expect(sides.nth(1)).to_contain_text("default")
    expect(sides.nth(1).locator("[data-differs=added]")).to_have_count(0)
    page.get_by_role("button", name="Let go of B").click()
    expect(page.locator("#view .ot-pair")).to_be_hidden()


def test_figures_are_downloaded(page: Page, url: str, tmp_path: Path):
    opened(page, f"{url}?trace=shown&sentence=1")
    page.get_by_role("tab", name="Save and open").click()
    for name, begins in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        with page.expect_download() as saved:
            page.locator(f"#export-{name}").click()
        expect(page.locator(f"#export-{name}")).to_have_text(f"Figure, {name.upper()}")
        target = tmp_path / saved.value.suggested_filename
        saved.value.save_as(target)
        assert target.suffix == f".{name}" and target.read_bytes().startswith(begins)
