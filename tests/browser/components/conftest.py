"""One app and one page for all tests of the components."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.components.driving import WIDE, opened, press, rows

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.browser.components.gallery import launch

    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    app, address = launch()
    yield address
    app.close()
    os.environ.pop("GRADIO_TEMP_DIR")
    if before is not None:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="session")
def wide(browser: Browser, url: str) -> Iterator[Page]:
    yield from opened(browser, url, WIDE)


@pytest.fixture
def page(wide: Page) -> Page:
    """One page for all tests, as good as new: loading it takes longer than most of them."""
    wide.mouse.move(1, 1)
    wide.locator("#sent").evaluate("n => n.ownerDocument.activeElement.blur()")
    for name in ("clear", "no form"):
        # An answer that came late would wipe what the test has begun with.
        with wide.expect_response("**/run/predict**"):
            press(wide, name)
    expect(rows(wide)).to_have_count(0)
    expect(wide.locator("#view .ot-part")).to_have_count(0)
    expect(wide.locator("#view .ot-view")).to_have_attribute("data-phase", "empty")
    wide.get_by_role("tab", name="Sources").click()
    return wide
