"""Links and files that open as they were: settings and selection, there and back."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.curation import DEFAULT_CURATION, Curation
from core.sources import Granularity
from core.spans import spans
from core.trace import Trace
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.keep import save_trace
from omnitrace_ui.actions.library import Library
from omnitrace_ui.actions.link import address, settings_of, take_view, view_parameters
from omnitrace_ui.actions.settings import Settings
from omnitrace_ui.session import Visitor


@pytest.fixture
def traced(explore, request_of) -> Visitor:
    visitor = Visitor()
    list(explore.generator.run(visitor, request_of()))
    return visitor


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings("rawatt", replace(DEFAULT_CURATION, coverage=0.4, min_share=0.0, gamma=0.0)),
        Settings(None, DEFAULT_CURATION, Granularity("part", 0.25)),
        *(Settings("attmean", preset) for preset in Curation.presets().values()),
    ],
)
def test_settings_survive_the_way_through_an_address(settings: Settings):
    parameters = view_parameters(Visitor(settings=settings))
    assert settings_of(parameters) == settings
    assert all(isinstance(value, str) for value in parameters.values())


def test_defaults_need_no_words():
    assert view_parameters(Visitor()) == {} and address(Visitor()) == ""


@pytest.mark.parametrize(
    "parameters",
    [
        {"coverage": "7"},
        {"coverage": "nan"},
        {"coverage": "-1"},
        {"coverage": "1e999"},
        {"coverage": "<script>alert(1)</script>"},
        {"coverage": "0x1"},
        {"coverage": "0." + "1" * 1000},
        {"gamma": "9"},
        {"nouns": "5"},
        {"lanes": "<b>"},
        {"assignment": "__class__"},
        {"text_units": "word"},
        {"bin_seconds": "0"},
        {"signal": "x" * 1000},
        {"pos_weights": "{}", "__proto__": "1", "settings": "x", "": ""},
    ],
)
def test_what_makes_no_sense_counts_as_not_there(parameters: dict[str, str]):
    assert settings_of(parameters) == Settings()
    kept = settings_of({**parameters, "alpha": "0.5"})
    assert kept == Settings(curation=replace(DEFAULT_CURATION, alpha=0.5))


@pytest.mark.parametrize("sentence", ["0", "-1", "99", "1e3", "٣", "9" * 5000, "", "1.0", "a"])
def test_a_sentence_that_is_not_there_selects_nothing(traced, sentence: str):
    take_view(traced, {"sentence": sentence})
    assert traced.selected is None


def test_a_link_opens_a_saved_trace_as_it_was(explore, traced, tmp_path: Path):
    traced.trace.save(tmp_path / "shown.omnitrace")
    site = explore.site
    here = Explore(Site(site.engine, site.store, Library.read(tmp_path / "none", tmp_path)))
    first = Visitor()
    here.enter(first, {"trace": "shown"})
    assert address(first) == "trace=shown"
    here.preset(first, "paper")
    view = here.select(first, 0)
    assert view["address"].startswith("trace=shown&lanes=reference")
    assert view["address"].endswith("&sentence=1")

    other = Visitor()
    view = here.enter(other, dict(pair.split("=") for pair in view["address"].split("&")))
    assert other.settings.curation == Curation.presets()["paper"]
    assert view["selected"] == 0 and "why" in view["answer"]["spans"][0]
    assert view["parts"] and view["units"]


def test_only_a_trace_of_the_gallery_has_a_link(explore, traced, tmp_path: Path):
    explore.preset(traced, "paper")
    explore.select(traced, 0)
    assert "trace=" not in address(traced) and "sentence" not in address(traced)
    traced.alongside.gallery, traced.alongside.gallery_of = "other", "an older trace"
    assert "trace=" not in address(traced)


def test_a_saved_file_opens_as_it_was_saved(explore, traced):
    assert len(spans(traced.trace.answer, traced.trace.tokens)) >= 1
    explore.preset(traced, "paper")
    explore.select(traced, 0)
    path = save_trace(traced, explore.site.store)
    assert Trace.load(path).view == view_parameters(traced)
    assert traced.trace.view == {}, "what is shown is not touched"
    upload = explore.site.store.root / "x" / path.name
    upload.parent.mkdir()
    path.rename(upload)
    other = Visitor()
    view = explore.open_upload(other, str(upload))
    assert other.settings == traced.settings and view["selected"] == 0
