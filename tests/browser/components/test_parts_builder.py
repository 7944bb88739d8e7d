"""The form in a real browser: parts by button, key, drag, drop, paste and microphone."""

from __future__ import annotations

import wave
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.components.driving import picture, press, rows, sent


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
