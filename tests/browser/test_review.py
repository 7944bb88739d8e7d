"""Annotators and their lead in a real browser: keys alone, two tabs, a killed server, exports."""

from __future__ import annotations

import json
import multiprocessing
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from core.review import Place, Project, open_project
from core.trace import Segment, Trace
from tests.browser.bench import SHORT, review_project, served_review
from tests.browser.lone_review import serve_until_killed
from tests.omnitrace_ui.views.fabricated import said

PATIENCE = 60_000
HOSTILE = '<img src=x onerror="window.hacked=1">${window.hacked=2}'


def without_files(folder: Path) -> Callable[[Trace], Trace]:
    """The first picture and the recording are gone, the film is broken; what was said is known."""
    broken = folder / "broken.mp4"
    broken.write_bytes(b"no film")

    def change(trace: Trace) -> Trace:
        parts, media = list(trace.prompt.parts), list(trace.media)
        for part, path in ((2, Path("gone.jpg")), (4, Path("gone.wav")), (5, broken)):
            parts[part] = replace(parts[part], path=path)
        media[5] = replace(media[5], speech=((2.0, 5.0),))
        said = (Segment(1.0, 3.5, HOSTILE), Segment(4.0, 6.0, "It pauses.", "speaker_0"))
        prompt = replace(trace.prompt, parts=tuple(parts))
        heard = {"pauses": {4: (Segment(0.5, 7.0),)}, "whisper": {4: said}}
        return replace(trace, prompt=prompt, media=tuple(media), transcripts=heard)

    return change


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of projects: ``study`` is everybody's, the others belong to one test each."""
    folder = tmp_path_factory.mktemp("projects")
    review_project(folder / "study", items=10).close()
    review_project(folder / "tabs", items=1).close()
    review_project(folder / "drawn", items=1).close()
    review_project(folder / "blind", items=1, blind=True).close()
    review_project(folder / "unshown", items=1, change=without_files(folder)).close()
    hostile = [*SHORT, *said(f" {HOSTILE}", ("image", 2, None))]
    review_project(folder / "lead", items=1, answer=hostile, password="secret").close()
    return folder


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with served_review(root) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Opens the page as a new visitor; fails on scripts that fail and on requests elsewhere."""
    expect.set_options(timeout=PATIENCE)
    contexts, wrong = [], []

    def open_page(project: str, address: str = url, **options) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        origin = address.removesuffix("review")
        page.on(
            "request", lambda r: r.url.startswith((origin, "data:", "blob:")) or wrong.append(r.url)
        )
        page.goto(f"{address}?project={project}")
        expect(page.locator(".rv-door [name=name]")).to_be_focused()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def enter(page: Page, name: str, password: str = "") -> Page:
    """Sign in by keys."""
    page.keyboard.type(name)
    if password:
        page.keyboard.press("Tab")
        page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.locator(".rv-row.on, .rv-progress-table table").first).to_be_visible()
    return page


def current(page: Page):
    return page.locator(".rv-row.on")


def saved(page: Page) -> None:
    expect(page.locator(".rv-saved-text")).to_have_text("Saved")


def chips_of(page: Page) -> Locator:
    return page.locator(".rv-chip > span:not(.rv-away)")


def expect_chips(page: Page, *texts: str) -> None:
    expect(chips_of(page)).to_have_text([*texts], use_inner_text=True)


def verdict(project: Project, name: str, place: Place):
    account = next(one for one in project.accounts() if one.name == name)
    return project.desk(account).sentence(place).state


def test_ten_answers_by_keyboard_alone_and_on_from_there_on_another_machine(visit, root):
    page = enter(visit("study"), "anna")
    press = page.keyboard.press
    for n in range(10):
        expect(page.locator(".rv-item")).to_have_text(f"Answer {n + 1} of 10")
        expect(current(page)).to_contain_text("The first picture shows")
        press("Enter")
        expect(current(page)).to_contain_text("The saxophone enters")
        press("0")
        press("4")
        press("m")
        press("n")
        page.keyboard.type(f"note {n}")
        press("Enter")
        if n == 6:
            press("u")
            expect(page.locator(".rv-note")).to_have_value("")
        expect(page.locator(".rv-chip")).to_have_count(3)
        if n == 8:
            # Somewhere else, after a break.
            saved(page)
            page = enter(visit("study"), "anna")
            press = page.keyboard.press
            expect(page.locator(".rv-item")).to_have_text("Answer 9 of 10")
            expect(page.locator(".rv-note")).to_have_value("note 8")
        press("Enter")
    expect(page.locator(".rv-message")).to_contain_text("all are done")
    expect(page.locator(".rv-count")).to_contain_text("20 of 20 sentences")
    saved(page)
    with open_project(root / "study") as project:
        desk = project.desk(project.sign_in("anna"))
        assert (desk.progress().done, desk.progress().items_done) == (20, 10)
        for n, item in enumerate(desk.queue):
            first, second = (one.state for one in desk.item(item).sentences)
            assert first.done and first.verdict.accepted and first.verdict.units == ("p2.0",)
            said_ = second.committed
            assert said_ and said_.units == ("p0.3",) and said_.unsure and not said_.accepted
            assert [(i.part, i.start, i.end) for i in said_.intervals] == [(4, 4.0, 6.0)]
            assert said_.note == ("" if n == 6 else f"note {n}")


@pytest.mark.benchmark
def test_a_key_acts_within_a_tenth_of_a_second(visit):
    page = enter(visit("study"), "ben")
    spent = page.evaluate(
        """() => ["0", "1", "0", "1", "x", "m", "b", "j", "k", "Enter"].map((key) => {
            const begun = performance.now();
            document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            document.body.getBoundingClientRect();
            return performance.now() - begun;
        })"""
    )
    print(f"a key to the page as it then is, ms: {', '.join(f'{one:.1f}' for one in spent)}")
    assert max(spent) < 100, spent


def test_intervals_are_drawn_moved_trimmed_and_let_go(visit, root):
    page = enter(visit("drawn"), "anna")
    page.keyboard.press("j")
    rows = page.locator(".ot-part[data-kind=audio] .ot-time-rows")
    kept = "Audio 1 · 0:04.0–0:06.0"
    expect_chips(page, kept)

    def drag(start: float, end: float) -> None:
        # Measured anew: what loads above moves the row.
        box = rows.bounding_box()
        assert box
        for seconds, act in ((start, page.mouse.down), (end, page.mouse.up)):
            page.mouse.move(box["x"] + box["width"] * seconds / 16, box["y"] + 20, steps=4)
            act()

    drag(10.02, 12.04)
    expect_chips(page, kept, "Audio 1 · 0:10.0–0:12.0")
    names = page.locator(".ot-part[data-kind=audio] .rv-grip")
    expect(names.nth(1)).to_have_attribute("aria-label", "Interval 0:10.0–0:12.0 of Audio 1")
    drag(11, 12.5)
    expect_chips(page, kept, "Audio 1 · 0:11.5–0:13.5")
    drag(13.5, 13)
    expect_chips(page, kept, "Audio 1 · 0:11.5–0:13.0")
    # Drawn over the judge's, it is one with it, though the judge named no stream.
    drag(3, 5)
    expect_chips(page, "Audio 1 · 0:03.0–0:06.0", "Audio 1 · 0:11.5–0:13.0")
    page.keyboard.press("u")
    page.keyboard.press("t")
    page.keyboard.press("t")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect_chips(page, kept, "Audio 1 · 0:11.4–0:13.0")
    edge = page.locator(".rv-band.on .rv-edge[data-edge=start]")
    edge.focus()
    page.keyboard.press("ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", "11.5")
    page.keyboard.press("u")
    expect_chips(page, kept, "Audio 1 · 0:11.4–0:13.0")
    page.keyboard.press("t")
    page.keyboard.press("Delete")
    page.keyboard.press("t")
    page.keyboard.press(" ")
    page.wait_for_function("!document.querySelector('#review audio').paused")
    page.wait_for_function("document.querySelector('#review audio').currentTime > 11.4")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('#review audio').paused")
    page.keyboard.press("Enter")
    saved(page)
    with open_project(root / "drawn") as project:
        state = verdict(project, "anna", Place(next(iter(project.items)), 1))
        assert [(i.start, i.end) for i in state.committed.intervals] == [(11.4, 13.0)]


def test_what_cannot_be_shown_is_chosen_all_the_same_by_what_was_said(visit, root):
    page = enter(visit("unshown"), "anna")
    press = page.keyboard.press
    picture = page.get_by_role("checkbox", name="Image 1")
    expect(picture).to_have_attribute("aria-checked", "true")
    press("0")
    press("9")
    expect(picture).to_have_attribute("aria-checked", "false")
    press("u")
    press("j")
    audio, film = (page.locator(f".ot-part[data-kind={kind}]") for kind in ("audio", "video"))
    lines = audio.locator(".ot-line")
    expect(lines).to_have_text([re.compile(r"<img src=x"), re.compile("speaker_0.*It pauses")])
    expect(lines.nth(1)).to_have_attribute("aria-pressed", "true")
    lines.nth(0).click()
    expect_chips(page, "Audio 1 · 0:01.0–0:03.5", "Audio 1 · 0:04.0–0:06.0")
    expect(lines.nth(0)).to_have_attribute("aria-pressed", "true")
    lines.nth(1).focus()
    press("Enter")
    expect_chips(page, "Audio 1 · 0:01.0–0:03.5")
    # There is a play head, though nothing plays.
    page.evaluate("document.activeElement.blur()")
    press("Escape")
    for _ in range(8):
        press("Shift+ArrowRight")
    press("s")
    expect(chips_of(page).nth(1)).to_have_text("Audio 1 · 0:08.0–0:09.0", use_inner_text=True)
    press(" ")
    expect(page.locator(".rv-message")).to_contain_text("cannot be played here")
    expect(film.locator(".ot-line")).to_have_text([re.compile("segment")])
    film.locator(".ot-line").click()
    expect(chips_of(page).nth(2)).to_have_text(
        "Film 1 · sound · 0:02.0–0:05.0", use_inner_text=True
    )
    press("Enter")
    saved(page)
    assert page.evaluate("window.hacked") is None
    with open_project(root / "unshown") as project:
        state = verdict(project, "anna", Place(next(iter(project.items)), 1))
        assert [(i.part, i.start, i.end, i.lane) for i in state.committed.intervals] == [
            (4, 1.0, 3.5, None),
            (4, 8.0, 9.0, None),
            (5, 2.0, 5.0, "video_sound"),
        ]


def test_two_tabs_never_overwrite_each_other(visit, root):
    first = enter(visit("tabs"), "anna")
    second = first.context.new_page()
    second.goto(first.url)
    expect(current(second)).to_be_visible()
    first.keyboard.press("0")
    first.keyboard.press("1")
    saved(first)
    second.keyboard.press("0")
    second.keyboard.press("2")
    expect(second.locator(".rv-message")).to_contain_text("changed elsewhere")
    expect_chips(second, "Text 1 · sentence 1", "Image 1")
    second.keyboard.press("0")
    second.keyboard.press("2")
    saved(second)
    with open_project(root / "tabs") as project:
        state = verdict(project, "anna", Place(next(iter(project.items)), 0))
        assert state.verdict.units == ("p0.0", "p0.1", "p2.0")


def test_a_blind_judge_is_seen_only_by_who_is_done(visit):
    page = enter(visit("blind"), "anna")
    expect(page.locator(".rv-judge")).to_contain_text("hidden until")
    expect_chips(page)
    page.keyboard.press("Enter")
    expect(page.locator(".rv-message")).to_contain_text("Nothing is chosen")
    page.keyboard.press("1")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    saved(page)
    page.keyboard.press("k")
    expect(page.locator(".rv-judge")).to_contain_text("The judge (judge-1): Image 1.")
    expect_chips(page, "Image 2")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.browser.lone_review"])


def started(folder: Path, port: int) -> BaseProcess:
    """A server in a process of its own; returns when it answers."""
    told, tell = FORKS.Pipe(duplex=False)
    server = FORKS.Process(target=serve_until_killed, args=(folder, port, tell), daemon=True)
    server.start()
    told.recv()
    return server


def test_a_killed_server_loses_nothing_and_the_page_goes_on(visit, tmp_path):
    review_project(tmp_path / "alone", items=1).close()
    port = free_port()
    server = started(tmp_path / "alone", port)
    try:
        page = enter(visit("", f"http://127.0.0.1:{port}/review"), "anna")
        page.keyboard.press("Enter")
        saved(page)
        server.kill()
        server.join()
        page.keyboard.press("0")
        page.keyboard.press("5")
        page.keyboard.press("Enter")
        expect(page.locator(".rv-saved-text")).to_have_text("Not saved: 2 changes")
        with open_project(tmp_path / "alone") as project:
            item = next(iter(project.items))
            assert verdict(project, "anna", Place(item, 0)).done
            assert verdict(project, "anna", Place(item, 1)).version == 0
        server = started(tmp_path / "alone", port)
        # The session outlives the server: nobody has to sign in again.
        saved(page)
        with open_project(tmp_path / "alone") as project:
            state = verdict(project, "anna", Place(item, 1))
            assert state.done and state.version == 2 and state.verdict.units == ("p0.4",)
    finally:
        server.kill()
        server.join()


def test_what_a_crashed_browser_had_not_sent_is_sent_later(visit, root):
    page = enter(visit("study"), "ben")
    page.route("**/api/events", lambda route: route.abort())
    page.keyboard.press("b")
    expect(page.locator(".rv-saved-text")).to_have_text("Not saved: 1 change")
    page.close(run_before_unload=False)
    again = next(iter(page.context.pages), None) or page.context.new_page()
    again.goto(page.url)
    expect(current(again).locator("[data-act=bad]")).to_have_attribute("aria-pressed", "true")
    saved(again)


def test_the_lead_settles_a_dispute_and_exports(visit, root, tmp_path):
    for name, keys in (
        ("anna", ["Enter", "Enter", "x", "Enter"]),
        ("ben", ["0", "1", *["Enter"] * 3]),
    ):
        page = enter(visit("lead"), name)
        for key in keys:
            page.keyboard.press(key)
        saved(page)
        assert page.evaluate("fetch('review/api/lead/overview').then(r => r.status)") == 403
    page = visit("lead")
    page.keyboard.type("lea")
    page.keyboard.press("Enter")
    expect(page.locator(".rv-problem")).to_be_visible()
    page.locator(".rv-door [name=password]").fill("secret")
    page.keyboard.press("Enter")
    expect(page.locator(".rv-progress-table")).to_contain_text("3 of 3")
    page.get_by_role("button", name="Compute now").click()
    expect(page.locator(".rv-agreement table").first).to_contain_text("everyone")
    page.locator(".rv-dispute").first.click()
    expect(page.locator(".rv-opinion")).to_have_count(2)
    page.locator(".rv-opinion", has_text="ben").get_by_role("button").click()
    page.keyboard.press("Enter")
    saved(page)
    page.get_by_role("button", name="Overview").click()
    expect(page.locator(".rv-disputed .settled")).to_have_count(1)
    assert page.evaluate("window.hacked") is None
    with page.expect_download() as download:
        page.get_by_role("link", name="Labels, JSON Lines").click()
    lines = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert {line["name"] for line in lines} == {"anna", "ben", "gold"}
    assert lines[-1]["name"] == "gold"
    with page.expect_download() as download:
        page.get_by_role("link", name="Verdicts, Parquet").click()
    assert Path(download.value.path()).read_bytes()[:4] == b"PAR1"


def test_the_lead_makes_a_project_of_files(visit, root):
    page = enter(visit("lead"), "lea", "secret")
    form = page.locator(".rv-create")
    form.locator("[name=title]").fill("Second study")
    traces = sorted((root / "tabs-traces").glob("*.omnitrace"))
    form.locator("[name=traces]").set_input_files(traces)
    form.locator("[name=labels]").set_input_files(root / "tabs.jsonl")
    form.locator("[name=annotators]").fill("cora, dan")
    form.get_by_role("button", name="Make the project").click()
    expect(form).to_contain_text("is ready")
    page.get_by_role("button", name="Sign out").click()
    page = enter(visit("Second-study"), "cora")
    expect(page.locator(".rv-item")).to_have_text("Answer 1 of 1")


def test_a_phone_shows_everything_without_scrolling_sideways(visit):
    page = enter(visit("study", viewport={"width": 390, "height": 844}, has_touch=True), "ben")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Nor is anything cut off: a recording's and a film's tools stand in two lines.
    for tool in page.locator(".rv-tools button:visible").all():
        box = tool.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    expect(current(page)).to_be_in_viewport()


def test_every_key_is_in_the_list(visit):
    page = enter(visit("study"), "ben")
    page.keyboard.press("?")
    expect(page.locator(".rv-help")).to_contain_text(re.compile("undo the last change"))
    page.keyboard.press("Escape")
    expect(page.locator(".rv-help")).to_be_hidden()


def serious(page: Page) -> list[str]:
    """What axe finds serious or worse."""
    return [
        f"{found['id']}: {node['html'][:160]}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, theme):
    page = visit(f"lead&__theme={theme}")
    found = {"door": serious(page)}
    enter(page, "ben")
    page.keyboard.press("j")
    page.keyboard.press("m")
    found["desk"] = serious(page)
    page.keyboard.press("?")
    found["how to"] = serious(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Sign out").click()
    page.locator(".rv-door [name=name]").fill("lea")
    page.locator(".rv-door [name=password]").fill("secret")
    page.keyboard.press("Enter")
    expect(page.locator(".rv-progress-table table")).to_be_visible()
    found["lead"] = serious(page)
    assert found == {where: [] for where in found}


def test_gradio_serves_nothing_of_a_project(url, root):
    base = url.removesuffix("review")
    for name in (".session-key", "study/review.sqlite3", "study/judge.jsonl", "study/project.json"):
        assert httpx.get(f"{base}gradio_api/file={root / name}").status_code == 403
    assert httpx.get(f"{base}review").status_code == 200
    evil = {"Origin": "http://evil.com"}
    assert httpx.post(f"{url}/api/sign-in", json={}, headers=evil).status_code == 403
