"""The Explore page for those who use no mouse, or see it otherwise: axe, and a walk by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from core import load_model, trace
from core.samples import read_samples
from tests.browser.explorer import HELDOUT, served

PATIENCE = 180_000
"""Milliseconds; machines that build are slow and busy."""

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("traces")
    sample = next(s for s in read_samples(HELDOUT) if len({k for k, _ in s.question}) > 2)
    signals = ("attmean", "attgrads_all")
    trace(load_model("embedded"), sample.prompt(), signals=signals).save(folder / "shown.omnitrace")
    with served(folder) as address:
        yield address


@pytest.fixture(params=["light", "dark"])
def page(request, browser: Browser, url: str) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}?__theme={request.param}&trace=shown")
    expect(page.locator("#view .ot-s").first).to_be_visible()
    yield page
    context.close()


def serious(page: Page) -> list[str]:
    """What axe finds serious, in a line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}"
        f" · {' '.join(check['message'] for check in node['any'] + node['all'])[:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).first.click()


def test_axe_finds_nothing_serious(page):
    found = {"a trace": serious(page)}
    page.locator("#view .ot-s").first.click()
    expect(page.locator("#view .ot-ranking")).to_contain_text("Sentence 1")
    found["a sentence"] = serious(page)
    page.locator("#view .ot-ranks .ot-rank:visible").first.click()
    expect(page.locator("#view .ot-lookup-text")).to_contain_text("used by")
    found["a source"] = serious(page)
    for name in ("Why", "Compare"):
        page.locator("#view").get_by_role("tab", name=name).click()
        found[name] = serious(page)
    page.locator("#examples").get_by_text("All four kinds").click()
    expect(page.locator("#parts .ot-rows > li")).to_have_count(4)
    page.get_by_role("button", name="Model and generation").click()
    found["a filled form"] = serious(page)
    for name in ("Curation", "Save and open"):
        tab(page, name)
        found[name] = serious(page)
    assert {state: lines for state, lines in found.items() if lines} == {}


def focused(page: Page) -> str:
    """What has the focus, as a reader would say it; marked if nothing shows that it has."""
    return page.evaluate(
        """() => {
          const node = document.activeElement;
          if (!node || node === document.body) return "";
          const label = node.labels?.[0]?.textContent || node.getAttribute("aria-label")
            || node.textContent || node.placeholder || node.value || node.id;
          const ring = [node, node.parentElement, node.closest("label")].some((one) => {
            if (!one) return false;
            const style = getComputedStyle(one);
            return style.outlineStyle !== "none" || style.boxShadow !== "none";
          });
          return (ring ? "" : "unseen: ") + label.trim().replace(/\\s+/g, " ").slice(0, 60);
        }"""
    )


def press_until(page: Page, name: str, *, most: int = 80) -> list[str]:
    """Press Tab until something so named has the focus; what was passed on the way."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        passed.append(focused(page))
        if name in passed[-1]:
            return passed
    raise AssertionError(f"{name!r} cannot be reached by Tab: {passed}")


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_the_page_can_be_walked_by_keyboard_alone(page):
    """Write, add a text, trace, choose a sentence, move a slider, save: no mouse at all."""
    passed = press_until(page, "Instruction")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Summarize the text.")
    passed += press_until(page, "Text")
    page.keyboard.press("Enter")
    page.keyboard.type("Anna bought two apples. Tom sold nine cars.")
    passed += press_until(page, "Trace")
    page.keyboard.press("Enter")
    expect(page.locator("#view .ot-view")).to_have_attribute("data-phase", "busy")
    expect(page.locator("#view .ot-view")).to_have_attribute("data-phase", "done")
    first = page.locator("#view .ot-s").first
    for _ in range(80):
        page.keyboard.press("Tab")
        passed.append(focused(page))
        if first.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.locator("#view .ot-ranking")).to_contain_text("Sentence 1")
    passed += press_until(page, "Curation")
    page.keyboard.press("Enter")
    passed += press_until(page, "Coverage Stop once")
    before = page.locator("#coverage input[type=range]").input_value()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#coverage input[type=range]")).not_to_have_value(before)
    passed += press_until(page, "Save and open")
    page.keyboard.press("Enter")
    passed += press_until(page, "Save this trace")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == "summarize-the-text.omnitrace"
    assert [name for name in passed if name.startswith("unseen")] == []
