"""Saving, opening, exporting."""

import json
import zipfile
from pathlib import Path

import pytest

from core.errors import InputError, OmniTraceError
from core.explain import explain, to_json
from omnitrace_ui.actions.keep import (
    open_trace,
    open_uploaded,
    save_explanation,
    save_page,
    save_trace,
)
from omnitrace_ui.actions.settings import Settings, curation_values
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import GivenPart


@pytest.fixture
def traced(explore, request_of) -> Visitor:
    visitor = Visitor()
    list(explore.generator.run(visitor, request_of()))
    return visitor


def test_a_saved_trace_opens_for_another_visitor_with_its_media(explore, traced):
    store, other = explore.site.store, Visitor()
    path = save_trace(traced, store)
    assert path.name == "describe-all.omnitrace"
    uploaded = store.root / "hash" / path.name
    uploaded.parent.mkdir()
    path.rename(uploaded)
    saved = traced.trace
    store.forget(traced)
    view = explore.open_upload(other, str(uploaded))
    assert other.trace.answer == saved.answer
    assert len(view["answer"]["spans"]) == len(explain(saved).spans)
    own = store.folder(other)
    for part in view["parts"][1:]:
        assert Path(part["file"]["path"]).is_relative_to(own)


def test_an_export_says_what_is_shown(explore, traced):
    values = {"signal": "rawatt", "text_units": "part", "bin_seconds": 0.5}
    explore.recurate(traced, values | curation_values(Settings().curation))
    document = json.loads(save_explanation(traced, explore.site.store).read_text())
    settings = traced.settings
    expected = to_json(
        explain(
            traced.trace,
            signal="rawatt",
            curation=settings.curation,
            granularity=settings.granularity,
        )
    )
    assert document["spans"] == json.loads(json.dumps(expected))["spans"]
    assert document["signal"] == "rawatt" and document["answer"] == traced.trace.answer


def test_nothing_or_an_unfinished_answer_cannot_be_saved(explore, traced):
    store = explore.site.store
    for visitor in (Visitor(), traced):
        visitor.running = visitor is traced
        for save in (save_trace, save_explanation, save_page):
            with pytest.raises(InputError):
                save(visitor, store)
    with pytest.raises(InputError):
        open_trace(traced, store, Path("x"))


def test_a_hostile_instruction_is_no_path(explore, request_of):
    visitor = Visitor()
    form = (GivenPart("t", "text", text="Hi."),)
    request = request_of(*form, instruction="../../etc/passwd \0 <b>ünï</b> 漢字", tokens=2)
    list(explore.generator.run(visitor, request))
    path = save_trace(visitor, explore.site.store)
    assert path.parent.parent == explore.site.store.folder(visitor)
    assert path.name == "etc-passwd-b-uni-b.omnitrace"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_trace_is_refused_and_what_was_there_stays(explore, traced, content):
    kept = traced.trace
    path = explore.site.store.root / "hash2" / "x.omnitrace"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(OmniTraceError) as error:
        open_uploaded(traced, explore.site.store, path)
    assert str(path.parent) not in str(error.value)
    assert traced.trace is kept


@pytest.mark.parametrize("named", ["/etc/passwd", "../../secret", "media/../../x"])
def test_a_trace_that_names_a_file_of_the_server_gets_nothing(explore, traced, tmp_path, named):
    saved = save_trace(traced, explore.site.store)
    forged = explore.site.store.root / "hash3" / "forged.omnitrace"
    forged.parent.mkdir()
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(forged, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename == "trace.json":
                document = json.loads(data)
                for part in document["parts"]:
                    if "file" in part:
                        part["file"] = named
                data = json.dumps(document).encode()
            target.writestr(item.filename, data)
    thief = Visitor()
    try:
        view = explore.open_upload(thief, str(forged))
    except OmniTraceError:
        return
    assert all(part.get("file") is None for part in view["parts"])


def test_another_visitors_saved_file_cannot_be_opened(explore, traced):
    path = save_trace(traced, explore.site.store)
    with pytest.raises(InputError):
        explore.open_upload(Visitor(), str(path))
