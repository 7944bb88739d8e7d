"""The view in a real browser: the answer, its sources, why; keys, pointer, media, updates."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.components.driving import (
    PHONE,
    media_time,
    opened,
    press,
    ranked,
    sentence,
    shown,
)

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


def test_looking_up_a_source_moves_nothing_and_says_how_often_it_is_used(page: Page):
    shown(page)
    top = page.locator(".ot-answer").bounding_box()
    page.locator(".ot-rank", has_text="sentence 3").click()
    expect(page.locator(".ot-lookup")).to_be_visible()
    assert page.locator(".ot-answer").bounding_box() == top
    use, whole = (page.locator(f".ot-lookup{name}").bounding_box() for name in ("-use", ""))
    assert use and whole
    assert use["x"] + use["width"] <= whole["x"] + whole["width"], "only the name may be cut"


def test_bars_of_the_sources_begin_in_one_line(page: Page):
    shown(page)
    bars = page.locator(".ot-ranks .ot-rank-bar").evaluate_all(
        "bars => bars.map((bar) => Math.round(bar.getBoundingClientRect().left))"
    )
    assert len(bars) > 2 and len(set(bars)) == 1


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
    page.wait_for_function("window.heard.length >= 2")
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


def test_parts_are_called_by_their_names(page: Page):
    shown(page)
    sentence(page, 0).click()
    picture = page.locator("#view .ot-picture").first
    expect(picture).to_have_attribute("aria-label", re.compile("^Image 1, source 1, .*show the"))
    expect(page.locator("#view .ot-part[data-kind=video] .ot-note")).to_contain_text(
        "of 732 frames"
    )


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
    bar = page.locator("#view").get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(bar, "it moves before the first step is done").to_have_class(re.compile("endless"))
    press(page, "error")
    expect(page.locator(".ot-problem")).to_contain_text("use at most 300 s")
    expect(page.locator("#view").get_by_role("progressbar")).to_be_hidden()
    shown(page)
    expect(page.locator(".ot-problem")).to_be_hidden()
    press(page, "clear")
    expect(page.locator(".ot-empty")).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(0)


# Why --------------------------------------------------------------------------------------------


def test_why_shows_votes_shares_and_where_the_signal_went(page: Page):
    shown(page)
    page.get_by_role("tab", name="Why").click()
    expect(page.locator(".ot-why-panel .ot-hint")).to_contain_text("Select a sentence")
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


# Detail of the selected sentence ----------------------------------------------------------------


def test_moments_are_drawn_under_the_bands(page: Page):
    shown(page)
    sentence(page, 3).click()
    press(page, "detail")
    film = page.locator(".ot-part[data-kind=video]")
    line = film.locator(".ot-track[data-lane=video_frames] .ot-intensity path")
    expect(line).to_have_attribute("d", re.compile("^M0 100V"))
    # The strongest moment reaches the top of the line where the film is twelve seconds old.
    drawn = line.get_attribute("d")
    steps = re.findall(r"V(\d+)H(\d+)", drawn)
    assert [int(at) - 1 for height, at in steps if height == "0"] == [24]
    sentence(page, 4).click()
    expect(line).to_have_attribute("d", "")


def test_signals_stand_side_by_side_with_their_differences_in_words(page: Page):
    shown(page)
    sentence(page, 3).click()
    press(page, "detail")
    page.get_by_role("tab", name="Compare").click()
    first, other = page.locator(".ot-signal:visible").all()
    expect(first).to_contain_text("Shown now")
    expect(other).to_contain_text("1 in common · 1 only here")
    expect(other.locator("[data-differs=added]")).to_contain_text("Image 1")
    expect(other.locator("[data-differs=missing]")).to_contain_text("not here")
    other.locator("[data-differs=added]").click()
    expect(page.locator(".ot-lookup-text")).to_contain_text("Image 1 is used by")


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
