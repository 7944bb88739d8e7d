"""The two components in a real browser: keys, pointer, media, updates, hostile strings."""

from __future__ import annotations

import os
import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
WIDE, PHONE = {"width": 1400, "height": 1000}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.browser.component_app import launch

    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    app, address = launch()
    yield address
    app.close()
    os.environ.pop("GRADIO_TEMP_DIR")
    if before is not None:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=20_000)
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def wide(browser: Browser, url: str) -> Iterator[Page]:
    yield from opened(browser, url, WIDE)


@pytest.fixture
def page(wide: Page) -> Page:
    """One page for all tests, as good as new: loading it takes longer than most of them."""
    wide.mouse.move(1, 1)
    wide.locator("#sent").evaluate("n => n.ownerDocument.activeElement.blur()")
    for name in ("clear", "no form"):
        press(wide, name)
    expect(rows(wide)).to_have_count(0)
    expect(wide.locator("#view .ot-part")).to_have_count(0)
    expect(wide.locator("#view .ot-view")).to_have_attribute("data-phase", "empty")
    wide.get_by_role("tab", name="Sources").click()
    return wide


def opened(browser: Browser, url: str, viewport: dict, scheme: str = "light") -> Iterator[Page]:
    """A fresh page; an error of its scripts fails the tests that used it."""
    context = browser.new_context(viewport=viewport, permissions=["microphone"])
    page = context.new_page()
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


# The answer -------------------------------------------------------------------------------------


def test_a_click_selects_a_sentence_and_shows_its_sources_by_rank(page: Page):
    shown(page)
    sentence(page, 1).click()
    expect(sentence(page, 1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".ot-title")).to_have_text("Sentence 2 · 2 sources")
    assert ranked(page) == ["Text 1 · sentence 3", "Image 1"]
    expect(page.locator("mark.on")).to_have_text("A lion was resting in the shade of an acacia.")
    expect(page.locator("mark.on")).to_have_attribute("data-rank", "1")
    expect(page.locator(".ot-picture[data-rank='2']")).to_have_count(1)
    expect(page.locator("#selected textarea")).to_have_value(re.compile("^1: A lion was"))


def test_keys_walk_the_sentences_and_escape_lets_go(page: Page):
    shown(page)
    sentence(page, 0).focus()
    keys = page.keyboard
    keys.press("ArrowRight")
    expect(sentence(page, 1)).to_be_focused()
    keys.press("ArrowDown")
    keys.press("ArrowLeft")
    expect(sentence(page, 1)).to_have_attribute("aria-selected", "true")
    keys.press("End")
    expect(sentence(page, 5)).to_be_focused()
    keys.press("Home")
    expect(sentence(page, 0)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#selected textarea")).to_have_value(re.compile("^0: "))
    assert page.locator("[role=option][tabindex='0']").count() == 1
    keys.press("Escape")
    expect(page.locator("[aria-selected='true'][role=option]")).to_have_count(0)
    expect(page.locator("#selected textarea")).to_have_value("-1: ")
    keys.press("Enter")
    expect(sentence(page, 0)).to_have_attribute("aria-selected", "true")


def test_hovering_previews_and_leaving_returns_to_the_selection(page: Page):
    shown(page)
    sentence(page, 0).click()
    sentence(page, 3).hover()
    expect(page.locator(".ot-title")).to_have_text("Preview of sentence 4 · 2 sources")
    expect(page.locator(".ot-band[data-rank]")).to_have_count(2)
    page.locator(".ot-head h3").hover()
    expect(page.locator(".ot-title")).to_have_text("Sentence 1 · 1 source")


def test_colour_is_never_the_only_mark(page: Page):
    shown(page)
    spoken = sentence(page, 0).locator(".ot-hidden")
    expect(spoken).to_have_text(re.compile("Source: Image 1, 100 %"))
    styles = {
        sentence(page, n).evaluate("s => getComputedStyle(s).textDecorationStyle")
        for n in (0, 1, 2, 3)
    }
    assert styles == {"double", "solid", "wavy", "dashed"}


def test_a_sentence_of_own_words_says_so(page: Page):
    shown(page)
    expect(sentence(page, 4).locator(".ot-cite")).to_have_text("own words")
    sentence(page, 4).click()
    expect(page.locator(".ot-says")).to_contain_text("model's own earlier words")


# The sources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["picture", "row"])
def test_a_source_lights_up_every_sentence_that_uses_it(page: Page, where: str):
    shown(page)
    if where == "picture":
        page.locator(".ot-picture").first.click()
    else:
        page.locator(".ot-rank", has_text="Image 1").click()
    expect(page.locator(".ot-lookup")).to_contain_text("Image 1 is used by 2 of 6 sentences")
    expect(page.locator("[role=option].uses")).to_have_count(2)
    expect(page.locator("[role=option].dim")).to_have_count(4)
    page.keyboard.press("Escape")
    expect(page.locator(".ot-lookup")).to_be_hidden()


def test_a_marked_sentence_of_the_prompt_looks_up_by_key(page: Page):
    shown(page)
    page.locator("mark.used").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ot-lookup")).to_contain_text("Text 1 · sentence 3 is used by 1 of 6")
    expect(page.locator("mark.picked")).to_have_count(1)


def test_a_source_that_nothing_uses_says_so(page: Page):
    shown(page)
    page.locator(".ot-picture").nth(1).click()
    expect(page.locator(".ot-lookup")).to_contain_text("Image 2 is used by no sentence")


def test_a_band_plays_exactly_itself_and_stops(page: Page):
    shown(page)
    sentence(page, 2).click()
    page.evaluate("""() => {
        const media = document.querySelector('#view audio');
        window.heard = [];
        media.addEventListener('playing', () => window.heard.push(media.currentTime));
        media.addEventListener('pause', () => window.heard.push(media.currentTime));
    }""")
    page.locator("#view .ot-band").first.click()
    page.wait_for_function("window.heard.length >= 2", timeout=20_000)
    began, ended = page.evaluate("window.heard")
    assert 4.0 <= began < 4.6
    assert 4.95 <= ended < 5.3
    expect(page.locator(".ot-lookup")).to_contain_text("Audio 1 · 4.0–5.0")


def test_bands_of_a_film_lie_in_two_rows_where_time_says(page: Page):
    shown(page)
    sentence(page, 3).click()
    picture = page.locator(".ot-track[data-lane=video_frames] .ot-band")
    sound = page.locator(".ot-track[data-lane=video_sound] .ot-band")
    row = page.locator("#view .ot-part[data-kind=video] .ot-time-rows").bounding_box()
    for band, seconds in ((picture, 12.0), (sound, 18.0)):
        box = band.bounding_box()
        assert row and box
        assert abs(box["x"] - row["x"] - row["width"] * seconds / 30.5) < 2
    sound.click()
    page.wait_for_function("document.querySelector('#view video').currentTime > 18")
    assert media_time(page, "video") < 19.3


def test_the_timeline_seeks(page: Page):
    shown(page)
    rows = page.locator("#view .ot-part[data-kind=audio] .ot-time-rows")
    box = rows.bounding_box()
    assert box
    rows.click(position={"x": box["width"] / 2, "y": 8})
    page.wait_for_function("document.querySelector('#view audio').currentTime > 7.5")
    assert media_time(page, "audio") == pytest.approx(8.0, abs=0.2)


def test_media_that_cannot_be_played_say_so(page: Page):
    shown(page)
    page.locator("#view audio").evaluate("m => { m.src = '/nothing.wav'; }")
    expect(page.locator("#view .ot-part[data-kind=audio] .ot-missing")).to_contain_text(
        "cannot be played"
    )


# Updates ----------------------------------------------------------------------------------------


def test_a_slider_keeps_nodes_selection_focus_and_playback(page: Page):
    shown(page)
    sentence(page, 1).click()
    page.locator("#view audio").evaluate("m => { m.muted = true; m.currentTime = 3; m.play(); }")
    page.wait_for_function("document.querySelector('#view audio').currentTime > 3")
    page.evaluate("""() => {
        const kinds = '[role=option], audio, video, img, mark';
        window.kept = [...document.querySelector('#view').querySelectorAll(kinds)];
        document.querySelectorAll('#view [role=option]')[1].focus();
        window.gone = 0;
        new MutationObserver(all => all.forEach(one => { window.gone += one.removedNodes.length; }))
            .observe(document.querySelector('#view .ot-answer'), {childList: true, subtree: true});
    }""")
    page.locator("#coverage input[type=range]").evaluate(
        "s => { s.value = 0.2; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    expect(page.locator(".ot-title")).to_have_text("Sentence 2 · 1 source")
    assert page.evaluate("window.kept.every(node => node.isConnected)")
    assert page.evaluate("window.gone") == 0
    expect(sentence(page, 1)).to_have_attribute("aria-selected", "true")
    expect(sentence(page, 1)).to_be_focused()
    assert not page.locator("#view audio").evaluate("m => m.paused")
    assert media_time(page, "audio") > 3


def test_another_cut_keeps_players_and_moves_the_looked_up_source_by_its_name(page: Page):
    shown(page)
    page.locator(".ot-picture").first.click()
    page.evaluate("window.player = document.querySelector('#view audio')")
    press(page, "coarse")
    expect(page.locator(".ot-rank", has_text="0.0–5.0")).to_have_count(1)
    assert page.evaluate("window.player === document.querySelector('#view audio')")
    expect(page.locator(".ot-lookup")).to_contain_text("Image 1 is used by 2 of 6 sentences")


def test_a_stream_grows_in_place(page: Page):
    press(page, "stream")
    expect(page.get_by_role("option")).to_have_count(6)
    expect(page.locator(".ot-view")).to_have_attribute("data-phase", "done")
    expect(page.locator("[data-kind=live]")).to_have_count(0)
    sentence(page, 0).click()
    page.get_by_role("tab", name="Why").click()
    expect(page.locator(".ot-token")).to_have_count(10)


def test_a_view_that_missed_the_sources_asks_for_them(page: Page):
    press(page, "forgotten")
    expect(page.locator("#view .ot-part")).to_have_count(6)
    sentence(page, 0).click()
    assert ranked(page) == ["Image 1"]


def test_states_are_told(page: Page):
    expect(page.locator(".ot-empty")).to_be_visible()
    press(page, "busy")
    expect(page.locator(".ot-status-text")).to_have_text("Loading the model")
    expect(page.locator("#view [role=progressbar]")).to_be_visible()
    press(page, "error")
    expect(page.locator(".ot-problem")).to_contain_text("use at most 300 s")
    expect(page.locator("#view [role=progressbar]")).to_be_hidden()
    shown(page)
    expect(page.locator(".ot-problem")).to_be_hidden()
    press(page, "clear")
    expect(page.locator(".ot-empty")).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(0)


# Why --------------------------------------------------------------------------------------------


def test_why_shows_votes_shares_and_where_the_signal_went(page: Page):
    shown(page)
    page.get_by_role("tab", name="Why").click()
    expect(page.locator(".ot-hint")).to_contain_text("Select a sentence")
    sentence(page, 2).click()
    expect(page.locator(".ot-token bdi")).to_have_text(
        ["The", "saxophone", "enters", "after", "four", "seconds", "and", "pauses."]
    )
    page.get_by_text("All votes as a table").click()
    row = page.locator(".ot-details tbody tr").nth(1)
    expect(row.locator("td")).to_have_text(
        ["saxophone", "NOUN", "1.0", re.compile("Audio 1 · 4.0–5.0"), "0.500", "0.250"]
    )
    verdicts = page.locator(".ot-verdict")
    expect(verdicts.first).to_have_text("selected")
    expect(page.locator(".ot-meter-legend")).to_contain_text("Own earlier words")
    page.locator(".ot-token").nth(1).click()
    expect(page.locator(".ot-lookup")).to_contain_text("Audio 1")


# Narrow -----------------------------------------------------------------------------------------


def test_on_a_phone_one_panel_at_a_time_and_a_bar_leads_on(browser: Browser, url: str):
    for phone in opened(browser, url, PHONE):
        walk_on_a_phone(phone)


def walk_on_a_phone(phone: Page) -> None:
    shown(phone)
    expect(phone.locator(".ot-parts")).to_be_hidden()
    sentence(phone, 0).click()
    phone.locator(".ot-phone", has_text="Sentence 1 · 1 source").click()
    expect(phone.locator(".ot-parts")).to_be_visible()
    expect(phone.get_by_role("tab", name="Sources")).to_have_attribute("aria-selected", "true")
    phone.locator(".ot-picture").first.click()
    phone.locator(".ot-phone", has_text="used by 2 of 6").click()
    expect(phone.locator("[role=option].uses")).to_have_count(2)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


# The form ---------------------------------------------------------------------------------------


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


def test_texts_and_files_are_sent_in_order(page: Page):
    page.get_by_role("button", name="Text", exact=True).click()
    page.keyboard.type("First words")
    page.locator(".ot-picker").set_input_files([picture("my cat.jpg")])
    expect(rows(page).nth(1).locator("img")).to_be_visible()
    text, file = sent(page)
    assert (text["kind"], text["text"]) == ("text", "First words")
    assert (file["kind"], file["file"]["orig_name"]) == ("image", "my cat.jpg")


def test_parts_move_by_button_key_and_drag_and_keep_focus(page: Page):
    press(page, "fill")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Move down: Text 1").click()
    expect(page.get_by_role("button", name="Move down: Text 1")).to_be_focused()
    expect(rows(page).nth(1)).to_contain_text("Text 1")
    page.keyboard.press("Alt+ArrowUp")
    expect(rows(page).nth(0)).to_contain_text("Text 1")
    box = rows(page).nth(2).bounding_box()
    assert box
    page.locator(".ot-grip").first.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 12, steps=8)
    page.mouse.up()
    expect(rows(page).nth(2)).to_contain_text("Text 1")
    assert [part["kind"] for part in sent(page)] == ["image", "audio", "text"]


def test_removing_can_be_undone(page: Page):
    press(page, "fill")
    page.get_by_role("button", name="Remove: Image 1").click()
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".ot-undo")).to_contain_text("Image 1 removed")
    page.get_by_role("button", name="Undo").click()
    expect(rows(page).nth(1)).to_contain_text("Image 1")
    expect(page.get_by_role("button", name="Remove: Image 1")).to_be_focused()


def test_an_error_stands_beside_its_part_and_leaves_the_rest_alone(page: Page):
    press(page, "fill")
    expect(rows(page)).to_have_count(3)
    rows(page).nth(0).locator("textarea").fill("Typed meanwhile")
    press(page, "fail")
    expect(rows(page).nth(1).get_by_role("alert")).to_contain_text("image is too large")
    expect(rows(page).nth(0).get_by_role("alert")).to_be_hidden()
    expect(rows(page).nth(0).locator("textarea")).to_have_value("Typed meanwhile")


def test_files_may_be_dropped_and_pasted(page: Page):
    give = """kind => {
        const data = new DataTransfer();
        data.items.add(new File(['Dropped words'], 'note.txt', {type: 'text/plain'}));
        const target = document.querySelector('.ot-form');
        const event = kind === 'drop'
            ? new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: data})
            : new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: data});
        (kind === 'drop' ? target : document.body).dispatchEvent(event);
    }"""
    page.evaluate(give, "drop")
    expect(rows(page).nth(0).locator("textarea")).to_have_value("Dropped words")
    page.evaluate(give, "paste")
    expect(rows(page)).to_have_count(2)


def test_what_is_no_medium_is_refused_at_once(page: Page):
    bad = {"name": "run.exe", "mimeType": "application/octet-stream", "buffer": b"MZ"}
    page.locator(".ot-picker").set_input_files([bad])
    expect(page.locator(".ot-form-says")).to_have_text(
        "Not a picture, recording, film or text: run.exe"
    )
    expect(rows(page)).to_have_count(0)


def test_a_file_over_the_limit_is_told_beside_its_part(page: Page):
    big = {"name": "big.wav", "mimeType": "audio/wav", "buffer": b"\0" * 2_200_000}
    page.locator(".ot-picker").set_input_files([big])
    expect(rows(page).get_by_role("alert")).to_contain_text("2.2 MB")
    press(page, "queue")
    expect(page.get_by_text("Part 1 is not uploaded: wait for it")).to_be_visible()
    page.get_by_role("button", name="Remove: Audio 1").click()
    expect(rows(page)).to_have_count(0)


def test_a_broken_upload_can_be_tried_again(page: Page):
    page.route("**/upload", lambda route: route.fulfill(status=400, body="no"))
    page.locator(".ot-picker").set_input_files([picture("cat.jpg")])
    expect(rows(page).get_by_role("alert")).to_contain_text("upload failed (400)")
    page.unroute("**/upload")
    page.get_by_role("button", name="Try again").click()
    expect(rows(page).locator("img")).to_be_visible()


def test_a_recording_arrives_as_wav(page: Page, tmp_path: Path):
    page.get_by_role("button", name="Record").click()
    stop = page.get_by_role("button", name="Stop recording")
    expect(stop).to_be_enabled()
    page.wait_for_timeout(700)  # something to record
    stop.click()
    expect(rows(page).locator("audio")).to_be_visible()
    source = rows(page).locator("audio").get_attribute("src")
    assert source
    recorded = tmp_path / "recorded.wav"
    recorded.write_bytes(page.request.get(source).body())
    with wave.open(str(recorded)) as sound:
        assert sound.getnchannels() == 1
        assert 0.2 < sound.getnframes() / sound.getframerate() < 5
    (part,) = sent(page)
    assert part["kind"] == "audio"


# Hostile strings --------------------------------------------------------------------------------


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
    expect(page.locator(".ot-quote")).to_contain_text("<img src=x onerror")
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
