"""How the tests drive the components: a fresh page, and what is done on it again and again."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Browser, Page, expect

from tests.browser.explorer import PATIENCE

WIDE, PHONE = {"width": 1400, "height": 1000}, {"width": 390, "height": 844}


def opened(browser: Browser, url: str, viewport: dict, scheme: str = "light") -> Iterator[Page]:
    """A fresh page; an error of its scripts fails the tests that used it."""
    context = browser.new_context(viewport=viewport, permissions=["microphone"])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.goto(f"{url}?__theme={scheme}")
    expect(page.locator("#view .ot-view")).to_have_attribute(
        "data-tab", "sources" if viewport is WIDE else "answer"
    )
    yield page
    context.close()
    # Refused requests are part of some tests.
    assert not [text for text in wrong if not text.startswith("Failed to load resource")]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def shown(page: Page, name: str = "show") -> Page:
    press(page, name)
    expect(page.get_by_role("option")).to_have_count(6)
    return page


def sentence(page: Page, n: int):
    return page.get_by_role("option").nth(n)


def ranked(page: Page) -> list[str]:
    return page.locator(".ot-ranks .ot-rank-label").all_inner_texts()


def media_time(page: Page, tag: str) -> float:
    return page.locator(f"#view {tag}").evaluate("m => m.currentTime")


def sent(page: Page) -> list[dict]:
    """What Python gets of the form."""
    with page.expect_response("**/run/predict**") as answer:
        press(page, "send")
    return answer.value.json()["data"][0]


def picture(name: str) -> dict:
    from tests.omnitrace_ui.views.fabricated import LION

    return {"name": name, "mimeType": "image/jpeg", "buffer": LION.read_bytes()}


def rows(page: Page):
    return page.locator(".ot-row-part")
