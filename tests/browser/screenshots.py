"""Makes README's pictures from the running app: ``python -m tests.browser.screenshots``.

The embedded model answers a held-out prompt, so anyone gets the same pictures.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from core.evaluation.labels import write_labels
from core.evaluation.truth import label_folder
from core.review import create_project
from core.samples import read_samples
from tests.browser.bench import served_review
from tests.browser.explorer import HELDOUT, ROOT, chromium, served

FOLDER = ROOT / "assets" / "screenshots"
WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
TRACES, REPORTS = ROOT / "assets" / "traces", ROOT / "assets" / "reports"
EXAMPLE = "All four kinds"


def main() -> None:
    """Write all pictures, and say so."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=120_000)
    with tempfile.TemporaryDirectory() as none, served(Path(none)) as url, chromium() as browser:
        for theme in ("light", "dark"):
            page = answered(browser, url, theme)
            shoot(page, f"explore-{theme}")
            if theme == "light":
                page.get_by_role("tab", name="Curation").click()
                page.locator("#view").get_by_role("tab", name="Why").click()
                expect(page.locator("#view .ot-token").first).to_be_visible()
                shoot(page, "curation-and-why")
            page.context.close()
        page = answered(browser, url, "light", phone=True)
        shoot(page, "phone")
    with served(TRACES, reports=REPORTS) as url, chromium() as browser:
        page = opened(browser, f"{url}benchmark")
        expect(page.locator("#bench-board table")).to_be_visible()
        shoot(page, "benchmark")
    with (
        tempfile.TemporaryDirectory() as folder,
        served_review(project(Path(folder))) as url,
        chromium() as browser,
    ):
        page = opened(browser, url)
        page.locator(".rv-door [name=name]").fill("anna")
        page.keyboard.press("Enter")
        expect(page.locator(".rv-row.on")).to_be_visible()
        shoot(page, "review")


def project(folder: Path) -> Path:
    """A review project of the gallery; its judge is the generator."""
    labels, _ = label_folder(TRACES, read_samples(HELDOUT))
    file = write_labels(folder / "labels.jsonl", labels)
    made = folder / "project"
    create_project(made, traces=TRACES, labels=file, annotators=("anna", "ben"), leads=("lea",))
    return made


def opened(browser: Browser, url: str) -> Page:
    """A page at 1400 px, in light."""
    page = browser.new_context(viewport=WIDE, reduced_motion="reduce").new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    return page


def answered(browser: Browser, url: str, theme: str, *, phone: bool = False) -> Page:
    """A page on which an example was traced and its first cited sentence selected."""
    context = browser.new_context(
        viewport=PHONE if phone else WIDE,
        has_touch=phone,
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(url + ("?__theme=dark" if theme == "dark" else ""))
    page.locator("#examples").get_by_text(EXAMPLE).click()
    expect(page.locator("#parts .ot-rows > li").first).to_be_visible()
    page.locator("#trace").click()
    expect(page.locator("#view .ot-view")).to_have_attribute("data-phase", "done")
    cited = page.locator("#view .ot-s[data-kind=cited]")
    cited.nth(min(1, cited.count() - 1)).click()
    for picture in page.locator("#view .ot-picture img").all():
        expect(picture).to_have_js_property("complete", True)
    return page


def shoot(page: Page, name: str) -> None:
    """Write one picture."""
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
