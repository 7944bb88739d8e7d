"""Figures for papers: whole, alike every time, and safe whatever the words are."""

import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.explain import explain
from core.media import Limits
from omnitrace_ui.views.figure import explanation_figure
from omnitrace_ui.views.figure.flow import flow, printable, text_width
from omnitrace_ui.views.figure.sheet import COLOURS
from tests.omnitrace_ui.views.fabricated import case, said

HOSTILE = '</text><script>alert(1)</script>&amp; $\\frac{1}{2}$ \x00\x1b ]]> "x'


def drawn(shown, selected=0, form="svg") -> bytes:
    return explanation_figure(
        shown.trace, explain(shown.trace), selected, limits=Limits(), form=form
    )


def words(svg: bytes) -> str:
    root = ElementTree.fromstring(svg)
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    return " ".join("".join(text.itertext()) for text in texts)


@pytest.fixture(scope="module")
def svg() -> bytes:
    return drawn(case())


def test_the_drawing_says_what_the_page_says_in_real_words(svg: bytes):
    told = words(svg)
    for part in ("first picture shows a lion", "Sources of sentence 1", "Text 1", "Film 1"):
        assert part in told
    best = explain(case().trace).spans[0].sources[0]
    assert best.unit.label in told and f"{best.share:.0%}" in told
    assert COLOURS[best.unit.lane] in svg.decode()


def test_two_drawings_of_one_view_are_the_same_bytes(svg: bytes):
    assert drawn(case()) == svg
    assert drawn(case(), selected=1) != svg


def test_without_a_selection_and_beyond_the_last_sentence_all_sources_are_marked(svg: bytes):
    assert "Sources of sentence" not in words(drawn(case(), selected=None))
    assert drawn(case(), selected=99) == drawn(case(), selected=None)


def test_the_picture_has_a_papers_resolution_on_white():
    with Image.open(io.BytesIO(drawn(case(), form="png"))) as picture:
        assert picture.width == 1540
        assert np.asarray(picture.convert("RGB"))[0, 0].tolist() == [255, 255, 255]


def test_hostile_words_stay_words():
    shown = case(
        answer=[*said(HOSTILE, ("text", 0, 0))],
        texts=(HOSTILE, HOSTILE * 50),
        names=tuple(HOSTILE + suffix for suffix in (".jpg", ".jpg", ".wav", ".mp4")),
    )
    trace = replace(shown.trace, prompt=replace(shown.trace.prompt, instruction=HOSTILE))
    svg = explanation_figure(trace, explain(trace), 0, limits=Limits(), form="svg")
    root = ElementTree.fromstring(svg)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "<script>alert(1)" in words(svg) and "\\frac{1}{2}" in words(svg)


def test_a_trace_without_its_media_is_drawn_all_the_same(tmp_path):
    shown = case()
    parts = tuple(
        part if part.kind == "text" else replace(part, path=tmp_path / "gone")
        for part in shown.trace.prompt.parts
    )
    trace = replace(shown.trace, prompt=replace(shown.trace.prompt, parts=parts))
    svg = explanation_figure(trace, explain(trace), 0, limits=Limits(), form="svg")
    assert "Image 1" in words(svg)


def test_lines_fit_and_lose_nothing():
    pieces = ["One two three four. ", "Five six seven", "\neight ", "x" * 200]
    lines = flow(pieces, 100, 9.5)
    assert all(run.x + text_width(run.text.rstrip(), 9.5) <= 101 for line in lines for run in line)
    assert "".join(run.text for line in lines for run in line) == "".join(pieces).replace("\n", "")
    assert all(run.piece < 4 for line in lines for run in line)
    assert flow([], 100, 9.5) == [[]]


def test_control_characters_become_visible():
    assert printable("a\x00b\u202ec\td\n") == "a\ufffdb\ufffdc\ufffdd\n"
