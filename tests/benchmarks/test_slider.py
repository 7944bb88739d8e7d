"""From a slider's input to the repainted page: ``pytest -m benchmark -s -k slider``.

Prints milliseconds; judged by hand, like every speed.
"""

from __future__ import annotations

from pathlib import Path
from statistics import quantiles

import pytest
from playwright.sync_api import expect

from tests.browser.explorer import chromium, served

pytestmark = pytest.mark.benchmark
MOVES = 40

REPAINTED = """value => new Promise((done) => {
  const slider = document.querySelector("#coverage input[type=range]");
  const view = document.getElementById("view");
  const began = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    // The frame after the one that the change is drawn in has begun: it was painted.
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
  }).observe(view, { subtree: true, childList: true, attributes: true, characterData: true });
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def test_a_slider_repaints_the_page(tmp_path: Path):
    with served(tmp_path) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(url)
        page.locator("#examples").get_by_text("All four kinds").click()
        expect(page.locator("#parts .ot-rows > li")).to_have_count(4, timeout=60_000)
        page.locator("#trace").click()
        done = page.locator("#view .ot-view[data-phase=done]")
        expect(done).to_be_visible(timeout=120_000)
        page.locator("#view .ot-s").first.click()
        page.get_by_role("tab", name="Curation").click()
        taken = [page.evaluate(REPAINTED, (0.05, 1.0)[move % 2]) for move in range(MOVES)]
    cuts = quantiles(taken, n=20)
    print(f"\nslider to repaint, ms: median {cuts[9]:.0f}, 95 % {cuts[18]:.0f}, of {MOVES} moves")
    assert len(taken) == MOVES
