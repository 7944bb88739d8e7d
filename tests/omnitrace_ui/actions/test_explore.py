"""The page's handlers on a traced answer."""

import pytest

from core.curation import Curation
from core.errors import InputError
from core.explain import explain
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.library import Library
from omnitrace_ui.actions.settings import CUSTOM, Settings, curation_values
from omnitrace_ui.session import Store, Visitor
from tests.omnitrace_ui.actions.test_library import HELDOUT

UNITS = {"signal": None, "text_units": "sentence", "bin_seconds": 1.0}


@pytest.fixture
def traced(explore, request_of) -> Visitor:
    visitor = Visitor()
    list(explore.generator.run(visitor, request_of()))
    return visitor


def cites(view) -> list:
    return [[cite[0] for cite in span["cites"]] for span in view["answer"]["spans"]]


def test_a_slider_shows_what_explain_says(explore, traced):
    curation = Curation(coverage=0.2, min_share=0.4, min_run=0.9)
    view, preset = explore.recurate(traced, UNITS | curation_values(curation))
    expected = explain(traced.trace, curation=curation)
    assert cites(view) == [[c.index for c in span.sources] for span in expected.spans]
    assert preset == CUSTOM
    assert "parts" not in view and "units" not in view, "the browser has both"


def test_a_finer_cut_sends_new_units_once(explore, traced):
    fine = UNITS | {"bin_seconds": 0.25} | curation_values(Curation())
    first, _ = explore.recurate(traced, fine)
    again, _ = explore.recurate(traced, fine)
    assert "units" in first and "units" not in again and "parts" not in first
    assert first["key"] != "sentence-1"


def test_a_preset_fills_its_controls_and_reset_undoes_everything(explore, traced):
    view, values = explore.preset(traced, "paper")
    assert values["assignment"] == "peak" and values["lanes"] == "reference"
    assert view["answer"]["rules"]["assignment"] == "peak"
    traced.settings = Settings(signal="rawatt", curation=Curation(gamma=0.5))
    view, values = explore.reset(traced)
    assert traced.settings == Settings() and values == curation_values(Curation())
    assert view["answer"]["rules"]["signal"] == "attmean"
    with pytest.raises(InputError):
        explore.preset(traced, CUSTOM)


def test_settings_moved_before_there_is_an_answer_hold_for_it(explore, request_of):
    visitor = Visitor()
    curation = Curation(coverage=0.3)
    view, _ = explore.recurate(visitor, UNITS | curation_values(curation))
    assert view["answer"] is None
    *_, last = explore.generator.run(visitor, request_of())
    assert last.view["answer"]["rules"]["coverage"] == 0.3


def test_a_running_stream_follows_the_sliders(explore, request_of):
    visitor = Visitor()
    frames = explore.generator.run(visitor, request_of(tokens=200))
    next(f for f in frames if f.view["status"]["done"])
    view, _ = explore.recurate(visitor, UNITS | curation_values(Curation(coverage=0.4)))
    assert view["status"]["phase"] == "busy" and view["answer"]["rules"]["coverage"] == 0.4
    *_, last = frames
    assert last.view["answer"]["rules"]["coverage"] == 0.4


def test_the_browser_can_ask_again_for_what_it_missed(explore, traced):
    view = explore.resend(traced)
    assert view["parts"] and view["units"]


def test_an_example_fills_the_form_with_copies_that_can_be_traced(tmp_path, explore):
    library = Library.read(HELDOUT, tmp_path)
    here = Explore(Site(explore.site.engine, Store(tmp_path), library))
    visitor = Visitor()
    instruction, parts = here.example(visitor, 0)
    sample = library.examples[0].sample
    assert instruction == sample.instruction
    assert [part.kind for part in parts] == [kind for kind, _ in sample.question]
    for part in parts:
        assert part.path is None or here.site.store.given(visitor, part.path)
    assert here.check(visitor, parts) == {}
    for index in (-1, 99):
        with pytest.raises(InputError):
            here.example(visitor, index)


def test_an_address_can_name_a_saved_trace(tmp_path, explore, traced):
    traced.trace.save(tmp_path / "shown.omnitrace")
    library = Library.read(tmp_path / "none", tmp_path)
    here = Explore(Site(explore.site.engine, explore.site.store, library))
    assert here.enter(Visitor(), {"trace": "shown"})["answer"]["spans"]
    missing = here.enter(Visitor(), {"trace": "../../etc/passwd"})
    assert missing["status"]["phase"] == "error" and missing["answer"] is None
    assert here.enter(Visitor(), {})["status"]["phase"] == "empty"


def test_only_the_miniature_model_beyond_its_world_is_excused(explore, traced):
    assert not explore.is_beyond_its_world(Visitor())
    assert not explore.is_beyond_its_world(traced), "the tiny model is no miniature"
