"""The prompt and its cut, as the browser gets them."""

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.sources import SourceUnit
from core.trace import MediaInfo
from omnitrace_ui.views import parts_model, units_model
from omnitrace_ui.views.sources import _pieces
from tests.omnitrace_ui.views.fabricated import DIARY, LION, OPTIONS, case

SHOWN = case()


def test_parts_keep_the_prompts_order_and_are_numbered_by_kind():
    parts = parts_model(SHOWN.trace, SHOWN.files)
    assert [part["name"] for part in parts] == [
        "Text 1",
        "Text 2",
        "Image 1",
        "Image 2",
        "Audio 1",
        "Film 1",
    ]
    assert parts[5]["sound"] and parts[5]["duration"] == 30.5
    assert parts[5]["notes"] == ["61 of 732 frames were shown to the model."]


def test_a_file_is_served_from_the_path_that_the_server_chose_and_is_marked_for_gradio():
    served = Path("/srv/private/1.bin")
    part = parts_model(SHOWN.trace, {2: served})[2]
    assert part["file"] == {
        "path": str(served),
        "orig_name": "lion.jpg",
        "mime_type": "image/jpeg",
        "meta": {"_type": "gradio.FileData"},
    }


def test_the_prompts_own_paths_never_leave():
    sent = json.dumps([parts_model(SHOWN.trace, {}), units_model(SHOWN.trace, SHOWN.sources)])
    assert str(LION.parent) not in sent
    assert '"file": null' in sent


def test_peaks_are_percent_and_the_loudest_of_every_few_is_kept():
    peaks = [0.0] * 6000
    peaks[1234] = 1.7
    media = (*SHOWN.trace.media[:4], MediaInfo(duration=60.0, peaks=tuple(peaks)))
    wave = parts_model(replace(SHOWN.trace, media=media), {})[4]["peaks"]
    assert len(wave) == 600
    assert wave[123] == 100 and sum(wave) == 100


def test_units_carry_seconds_only_where_time_means_something():
    units = units_model(SHOWN.trace, SHOWN.sources)["list"]
    assert units[2] == ["p0.2", "text", 0, "Text 1 · sentence 3", None, None]
    assert ["p4.4", "audio", 4, "Audio 1 · 4.0–5.0 s", 4.0, 5.0] in units
    assert ["p2.0", "image", 2, "Image 1", None, None] in units


def test_a_text_is_cut_into_pieces_that_join_to_it():
    pieces = units_model(SHOWN.trace, SHOWN.sources)["pieces"]
    assert "".join(text for _, text in pieces["0"]) == DIARY
    assert "".join(text for _, text in pieces["1"]) == OPTIONS
    assert dict(map(tuple, pieces["1"]))[5] == "B. The cheetah ran."


@given(st.text(), st.lists(st.integers(0, 60), max_size=8))
def test_pieces_always_join_to_the_text(text: str, cuts: list[int]):
    edges = sorted({min(c, len(text)) for c in cuts})
    ranges = list(zip(edges[::2], edges[1::2], strict=False))
    units = [(n, SourceUnit(f"p0.{n}", "text", 0, "", a, b)) for n, (a, b) in enumerate(ranges)]
    pieces = _pieces(text, units)
    assert "".join(piece for _, piece in pieces) == text
    assert [unit for unit, _ in pieces if unit >= 0] == list(range(len(units)))


def test_astral_letters_do_not_shift_the_cut():
    # Browsers count UTF-16 units, Python characters: pieces make the difference harmless.
    shown = case(texts=("𝒜 🦁 slept. It woke. We ran. We hid.", OPTIONS))
    pieces = units_model(shown.trace, shown.sources)["pieces"]["0"]
    assert [text for unit, text in pieces if unit >= 0] == [
        "𝒜 🦁 slept.",
        "It woke.",
        "We ran.",
        "We hid.",
    ]
