"""The knobs of curation: their ranges, the presets, and their JSON."""

import json

import pytest

from core.curation import PAPER_WEIGHTS, Curation, PosWeights
from core.errors import InputError


@pytest.mark.parametrize(
    "wrong",
    [
        {"coverage": 1.1},
        {"coverage": float("nan")},
        {"min_share": -0.1},
        {"min_run": "0.1"},
        {"alpha": True},
        {"alpha": None},
        {"gamma": 11},
        {"gamma": float("inf")},
        {"gamma": 10**400},
        {"assignment": "sum"},
        {"lanes": ["joint"]},
        {"pos_weights": {"NOUN": -1}},
        {"pos_weights": {"NOUN": "1"}},
        {"pos_weights": [1]},
    ],
)
def test_wrong_settings_are_refused_by_name(wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=name):
        Curation(**wrong)
    with pytest.raises(InputError, match=name):
        Curation.from_json(wrong)


def test_presets_are_the_papers_numbers():
    presets = Curation.presets()
    assert presets["default"] == Curation()
    paper = presets["paper"]
    values = (paper.coverage, paper.min_share, paper.min_run, paper.alpha, paper.gamma)
    assert values == (0.85, 0.07, 0.10, 0.8, 2.0)
    assert (paper.assignment, paper.lanes) == ("peak", "reference")
    assert set(presets) >= {"no POS weights", "no confidence", "no runs", "no thresholds"}
    for name, preset in presets.items():
        if name.startswith("no "):
            assert preset != paper and preset.lanes == paper.lanes


def test_settings_survive_json_and_are_hashable():
    for settings in Curation.presets().values():
        assert Curation.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert len({*Curation.presets().values(), *Curation.presets().values()}) == 7
    assert Curation.from_json({}) == Curation()
    assert Curation(pos_weights={"NOUN": 2}).pos_weights.of("VERB") == 0.3


@pytest.mark.parametrize("wrong", [None, [], "default", {"sharpness": 1}, {3: 4}])
def test_foreign_json_is_refused(wrong):
    with pytest.raises(InputError):
        Curation.from_json(wrong)


def test_the_tables_are_immutable():
    with pytest.raises(TypeError):
        PAPER_WEIGHTS["NOUN"] = 0.0
    with pytest.raises(TypeError):
        Curation.presets()["mine"] = Curation()
    given = {"NOUN": 1.0}
    settings = Curation(pos_weights=given)
    given["NOUN"] = 0.0
    assert settings.pos_weights == PosWeights({"NOUN": 1.0})
