"""The components without a browser: constant templates, a checked form, nothing read back."""

import re

import gradio as gr
import pytest

from omnitrace_ui.components import assets
from omnitrace_ui.components.parts_builder import PartsBuilder, part_errors
from omnitrace_ui.components.trace_view import TraceView
from omnitrace_ui.views import GivenPart


@pytest.mark.parametrize("made", [TraceView, PartsBuilder])
def test_nothing_in_template_or_style_is_evaluated(made: type[gr.HTML]):
    component = made(render=False)
    for text in (component.html_template, component.css_template):
        assert text and not re.search(r"\$\{|\{\{|`|\\", text)


@pytest.mark.parametrize("mark", ["${value}", "{{value}}", "`", "\\"])
def test_a_template_that_would_be_evaluated_is_refused(mark: str, tmp_path, monkeypatch):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "x.html").write_text(f"<p>{mark}</p>")
    monkeypatch.setattr(assets, "ASSETS", tmp_path)
    with pytest.raises(ValueError, match="evaluate"):
        assets.template("x")


def test_scripts_never_write_markup():
    for file in (assets.ASSETS / "js").glob("*.js"):
        source = file.read_text(encoding="utf-8")
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|"
            r"createContextualFragment|srcdoc|setAttribute\(\"on",
            source,
        )
        assert not found, file.name


def test_the_view_is_no_input():
    assert TraceView(render=False).preprocess({"trace": "/etc/passwd"}) is None


def test_the_empty_view_is_a_value():
    assert TraceView(render=False).postprocess(None)["status"]["phase"] == "empty"


def test_a_malformed_form_is_told_to_the_person():
    with pytest.raises(gr.Error, match="malformed"):
        PartsBuilder(render=False).preprocess([{"id": "a", "kind": "image", "file": {"path": "/"}}])


def test_an_untouched_form_is_an_empty_list():
    assert PartsBuilder(render=False).preprocess(None) == []


def test_the_form_is_filled_with_parts():
    shown = PartsBuilder(render=False).postprocess([GivenPart("a", "text", text="Hi")])
    assert shown == [{"id": "a", "kind": "text", "text": "Hi"}]


def test_the_same_message_twice_is_news_twice():
    first, second = part_errors({"a": "Too long.\ud800"}), part_errors({"a": "Too long.\ud800"})
    assert first["errors"]["by_part"] == {"a": "Too long.\ufffd"}
    assert first != second
