"""From samples to a report in a browser, and the same report on the Benchmark page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.cli import main
from tests.browser.explorer import HELDOUT, served

PATIENCE = 120_000
HOSTILE = "<img src=x onerror='window.hacked=1'>${window.hacked=2}{{1}}"
TASKS = ("summary-text", "describe-pictures", "choice-text")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of README on three held-out prompts: traces, labels, a report."""
    folder = tmp_path_factory.mktemp("bench")
    entries = json.loads(HELDOUT.read_text(encoding="utf-8"))
    chosen = [next(e for e in entries if e["task"] == task) for task in TASKS]
    samples = folder / "samples.json"
    samples.write_text(json.dumps(chosen), encoding="utf-8")
    (folder / "media").symlink_to(HELDOUT.parent / "media")
    traces, labels = str(folder / "traces"), str(folder / "labels.jsonl")
    asked = ["--samples", str(samples)]
    assert main(["trace", str(samples), "--out", traces, "--max-new-tokens", "80"]) == 0
    assert main(["labels", traces, *asked, "--out", labels]) == 0
    options = ["--labels", labels, *asked, "--causal", "embedded", "--jobs", "1"]
    assert main(["evaluate", traces, *options, "--out", str(folder / "reports" / "small")]) == 0
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with served(folder / "none", reports=folder / "reports") as address:
        yield address


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address as a new visitor; fails on scripts that fail and on requests elsewhere."""
    expect.set_options(timeout=PATIENCE)
    contexts, wrong = [], []

    def open_page(address: str, **options) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        own = (address.split("benchmark")[0], "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or wrong.append(r.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def test_the_report_opens_in_a_browser_without_a_server(folder: Path, visit):
    report = folder / "reports" / "small" / "report.html"
    page = visit(report.as_uri())
    expect(page.get_by_role("heading", name="Attribution report")).to_be_visible()
    expect(page.get_by_role("heading", name="Causal faithfulness")).to_be_visible()
    drawings = page.locator("figure img")
    assert drawings.count() >= 5
    for drawing in drawings.all():
        assert drawing.evaluate("e => e.naturalWidth") > 100
    made = json.loads(report.with_name("report.json").read_text(encoding="utf-8"))
    f1 = made["tables"]["table2"][0]["f1"]
    expect(page.locator("table").nth(1).get_by_text(f"{f1:.4g}").first).to_be_visible()


def test_the_page_shows_what_the_operator_offers(url: str, visit, folder: Path):
    page = visit(f"{url}benchmark")
    expect(page.locator("#bench-said")).to_contain_text("3 answers scored")
    board = page.locator("#bench-board table")
    expect(board.locator("caption")).to_contain_text("Leaderboard · small · report: small")
    expect(board.locator("tbody tr")).not_to_have_count(0)
    page.get_by_role("tab", name="Figures").click()
    expect(page.locator("#bench-plot .main-svg").first).to_be_visible()
    page.locator("#bench-figure input").click()
    page.get_by_role("option", name="Deletion").click()
    expect(page.locator("#bench-plot .ytitle")).to_contain_text("nats")
    with page.expect_download() as file:
        page.locator("#bench-figure-svg").click()
    assert file.value.suggested_filename == "deletion.svg"
    page.get_by_role("tab", name="Tables").click()
    page.locator("#bench-table input").click()
    page.get_by_role("option", name="Table 3").click()
    expect(page.locator("#bench-rows table")).to_contain_text("no POS weights")
    with page.expect_download() as file:
        page.locator("#bench-table-csv").click()
    assert Path(file.value.path()).read_text(encoding="utf-8").startswith("model,task,signal")


def test_a_strangers_report_is_data(url: str, visit, folder: Path, tmp_path: Path):
    report = (folder / "reports" / "small" / "report.json").read_text(encoding="utf-8")
    mine = tmp_path / "mine.json"
    quoted = json.dumps(HOSTILE)[1:-1]
    mine.write_text(report.replace('"attmean"', f'"{quoted}"'), encoding="utf-8")
    page = visit(f"{url}benchmark?__theme=dark")
    expect(page.locator("#bench-said")).to_contain_text("answers scored")
    page.locator("#bench-upload input[type=file]").set_input_files(mine)
    expect(page.locator("#bench-said")).to_contain_text("mine")
    expect(page.locator("#bench-board")).to_contain_text(HOSTILE)
    page.get_by_role("tab", name="Figures").click()
    expect(page.locator("#bench-plot .legendtext").first).to_contain_text("<img")
    assert page.evaluate("window.hacked") is None
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"tables": 1}', encoding="utf-8")
    page.locator("#bench-upload input[type=file]").set_input_files(wrong)
    expect(page.get_by_text("is no report")).to_be_visible()
    expect(page.locator("#bench-said")).to_contain_text("mine")


def test_the_page_is_reached_from_the_first_one(url: str, visit):
    page = visit(url)
    page.get_by_role("link", name="Benchmark").click()
    expect(page.locator("#bench-said")).to_contain_text("answers scored")
