"""The downloaded page in a browser that is offline, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.omnitrace_ui.components.test_standalone import HOSTILE, page_of
from tests.omnitrace_ui.views.fabricated import ANSWER, case, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_works_alone_and_runs_nothing_it_was_given(
    browser: Browser, tmp_path: Path, scheme: str
):
    shown = case(
        answer=[*ANSWER, *said(HOSTILE, ("text", 0, 0))],
        names=tuple(HOSTILE.replace("/", "∕") + s for s in (".jpg", ".jpg", ".wav", ".mp4")),
    )
    file = tmp_path / "page.html"
    file.write_text(page_of(shown, title=HOSTILE), encoding="utf-8")
    wrong: list[str] = []
    context = browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.goto(file.as_uri())
    first = page.get_by_role("option").first
    first.click()
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.locator(".ot-ranks .ot-rank-label").first).to_have_text("Image 1")
    expect(page.locator(".ot-picture img").first).to_have_js_property("complete", True)
    assert page.locator(".ot-picture img").first.evaluate("i => i.naturalWidth") > 0
    page.get_by_role("tab", name="Why").click()
    expect(page.locator(".ot-token").first).to_be_visible()
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    assert page.evaluate("window.hacked") is None
    # Lanes have other tints in the dark, which a wrongly nested style would lose.
    tint = page.locator(".ot-rank-number").first.evaluate(
        "n => getComputedStyle(n).backgroundColor"
    )
    assert tint == ("rgb(176, 74, 0)" if scheme == "light" else "rgb(245, 162, 91)")
    context.close()
    assert wrong == []
