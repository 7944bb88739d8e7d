"""Failures as words."""

import logging

import gradio as gr
import pytest

from core.errors import InputError
from omnitrace_ui.actions.messages import UNEXPECTED, message, told


def test_what_was_written_for_people_is_shown_and_the_rest_is_logged(caplog):
    assert message(InputError("Too long: cut it.")) == "Too long: cut it."
    with caplog.at_level(logging.ERROR):
        assert message(KeyError("/srv/secret")) == UNEXPECTED
    assert "secret" in caplog.text and "secret" not in UNEXPECTED


def test_a_toast_shows_markup_as_text():
    @told
    def fails(name: str) -> None:
        raise InputError(f"{name} cannot be used.")

    with pytest.raises(gr.Error) as error:
        fails("<img src=x onerror=alert(1)>.png")
    assert "<" not in error.value.message and "&lt;img" in error.value.message


def test_what_succeeds_is_left_alone_and_own_toasts_pass():
    @told
    def double(number: int) -> int:
        if number < 0:
            raise gr.Error("no")
        return 2 * number

    assert double(4) == 8
    with pytest.raises(gr.Error, match="no"):
        double(-1)
