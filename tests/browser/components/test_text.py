"""Hostile strings stay strings, and every text can be read in both themes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.components.driving import WIDE, opened, press, rows, sent, sentence, shown


def test_nothing_hostile_runs_or_becomes_markup(page: Page):
    press(page, "evil form")
    expect(rows(page)).to_have_count(2)
    press(page, "fail")
    expect(rows(page).nth(1).get_by_role("alert")).to_be_visible()
    press(page, "error")
    expect(page.locator(".ot-problem")).to_contain_text("${window.hacked='js'}")
    press(page, "evil")
    expect(page.get_by_role("option")).not_to_have_count(0)
    sentence(page, 0).click()
    expect(page.locator(".ot-quote").first).to_contain_text("<img src=x onerror")
    page.get_by_role("tab", name="Why").click()
    page.get_by_text("All votes as a table").click()
    page.locator(".ot-token").first.click()
    assert page.evaluate("window.hacked") is None
    inside = "#view :is(script, iframe, object, embed, a, form, [onerror], [onclick])"
    assert page.locator(inside).count() == 0
    assert page.locator("#form :is(script, iframe, [onerror])").count() == 0
    assert page.locator("#view img").count() == 2


def test_a_hostile_file_name_can_neither_reorder_nor_hide(page: Page):
    press(page, "evil")
    name = page.locator(".ot-part .ot-file").first.inner_text()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\0]", name)
    assert name.endswith(".jpg")


def test_hostile_text_comes_back_as_it_was_typed(page: Page):
    typed = "<b>${1+1}</b> {{x}} \\u00zz `\u202e\u0007"
    page.get_by_role("button", name="Text", exact=True).click()
    rows(page).locator("textarea").fill(typed)
    assert sent(page)[0]["text"] == typed


# Looks ------------------------------------------------------------------------------------------

CONTRAST = """selector => {
    const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const numbers = colour => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        return pen.getImageData(0, 0, 1, 1).data;
    };
    const over = (top, under) => [0, 1, 2]
        .map(i => (top[i] * top[3] + under[i] * (255 - top[3])) / 255).concat(255);
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = c => 0.2126 * linear(c[0] / 255) + 0.7152 * linear(c[1] / 255)
        + 0.0722 * linear(c[2] / 255);
    const found = [];
    for (const node of document.querySelectorAll(selector)) {
        if (!node.offsetParent || !node.textContent.trim()) continue;
        let ground = [255, 255, 255, 255];
        const around = [];
        for (let at = node; at; at = at.parentElement) around.unshift(at);
        for (const at of around) {
            ground = over(numbers(getComputedStyle(at).backgroundColor), ground);
        }
        const ink = light(over(numbers(getComputedStyle(node).color), ground));
        const ratio = (Math.max(ink, light(ground)) + 0.05) / (Math.min(ink, light(ground)) + 0.05);
        found.push([ratio, node.className, node.textContent.slice(0, 30)]);
    }
    return found.sort((a, b) => a[0] - b[0])[0];
}"""

ANSWER_TEXTS = (
    ".ot-words, .ot-cite, .ot-rank-label, .ot-rank-share, .ot-rank-number, .ot-quote, .ot-says, "
    ".ot-part.on b, .ot-part.on .ot-part-says, .ot-part.on .ot-file, .ot-note, .ot-tick, "
    ".ot-legend-name, .ot-tabs [role=tab], .ot-button, .ot-row-head b, .ot-row-head .ot-file"
)
WHY_TEXTS = (
    ".ot-why h4, .ot-rule, .ot-token bdi, .ot-token small, .ot-table td, .ot-table th, "
    ".ot-bar-text, .ot-meter-legend span"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_passes_aa_in_both_themes(browser: Browser, url: str, scheme: str):
    for page in opened(browser, url, WIDE, scheme):
        press(page, "fill")
        shown(page)
        sentence(page, 3).click()
        ratio, *where = page.evaluate(CONTRAST, ANSWER_TEXTS)
        assert ratio >= 4.5, where
        page.get_by_role("tab", name="Why").click()
        page.get_by_text("All votes as a table").click()
        ratio, *where = page.evaluate(CONTRAST, WHY_TEXTS)
        assert ratio >= 4.5, where
