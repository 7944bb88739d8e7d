"""What the form may send, and what anybody else sends instead."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from omnitrace_ui.views import GivenPart, form_value, read_form
from omnitrace_ui.views.form import MOST_CHARACTERS, MOST_PARTS

TEXT = {"id": "a", "kind": "text", "text": "Some words."}
FILE = {
    "id": "b",
    "kind": "image",
    "file": {
        "path": "/uploads/x/cat.png",
        "url": "http://host/file=/uploads/x/cat.png",
        "orig_name": "cat.png",
        "mime_type": "image/png",
        "meta": {"_type": "gradio.FileData"},
    },
}


def test_parts_come_in_their_order():
    assert read_form([TEXT, FILE]) == [
        GivenPart("a", "text", text="Some words."),
        GivenPart("b", "image", path=Path("/uploads/x/cat.png"), name="cat.png"),
    ]


def test_what_fills_the_form_is_read_back():
    parts = [
        GivenPart("a", "text", text="One\n two"),
        GivenPart("b", "video", path=Path("/srv/film.mp4"), name="film.mp4"),
    ]
    assert read_form(form_value(parts)) == parts


@pytest.mark.parametrize(
    "row",
    [
        None,
        "text",
        {},
        {**TEXT, "id": 3},
        {**TEXT, "id": "../up"},
        {**TEXT, "id": ""},
        {**TEXT, "kind": "html"},
        {**TEXT, "kind": ["text"]},
        {**TEXT, "text": None},
        {**TEXT, "file": FILE["file"]},
        {**FILE, "extra": 1},
        {**FILE, "file": "/etc/passwd"},
        {**FILE, "file": {"path": "/etc/passwd"}},
        {**FILE, "file": {**FILE["file"], "meta": None}},
        {**FILE, "file": {**FILE["file"], "meta": {"_type": "gradio.FileData", "more": 1}}},
        {**FILE, "file": {**FILE["file"], "path": ""}},
        {**FILE, "file": {**FILE["file"], "path": "a\0b"}},
        {**FILE, "file": {**FILE["file"], "path": ["x"]}},
    ],
)
def test_anything_else_is_refused(row: object):
    with pytest.raises(InputError, match="Part 2 of the form is malformed"):
        read_form([{**TEXT, "id": "z"}, row])


def test_a_file_that_is_still_on_its_way_is_said_to_be():
    with pytest.raises(InputError, match="Part 1 is not uploaded: wait for it"):
        read_form([{"id": "a", "kind": "audio", "pending": True}])


def test_limits_name_value_and_limit():
    with pytest.raises(InputError, match=f"201 parts are too many: use at most {MOST_PARTS}"):
        read_form([{**TEXT, "id": f"t{n}"} for n in range(MOST_PARTS + 1)])
    with pytest.raises(InputError, match="1,000,001 characters"):
        read_form([{**TEXT, "text": "x" * (MOST_CHARACTERS + 1)}])
    with pytest.raises(InputError, match="same name"):
        read_form([TEXT, TEXT])
    with pytest.raises(InputError, match="not a list"):
        read_form({"parts": [TEXT]})


def test_a_nameless_file_is_called_by_its_path_and_long_names_are_cut():
    nameless = {**FILE, "file": {**FILE["file"], "orig_name": None}}
    assert read_form([nameless])[0].name == "cat.png"
    long = {**FILE, "file": {**FILE["file"], "orig_name": "n" * 999}}
    assert len(read_form([long])[0].name) == 255


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "kind", "text", "file", "path", "meta", "_type", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_json_makes_it_fail_in_any_other_way(payload: object):
    try:
        parts = read_form(payload)
    except InputError:
        return
    assert all(isinstance(part, GivenPart) for part in parts)
