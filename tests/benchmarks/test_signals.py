"""The bench of signals runs and reports; its tables are judged by hand."""

import json

import pytest

from core.benchmarks.decoding import deep_model, time_ratio
from core.benchmarks.signals import RANDOM, REFERENCE, agreement, run, usable
from core.decoding import trace
from core.prompt import Prompt
from tests.core.tiny import tiny_model

pytestmark = pytest.mark.benchmark


def test_it_reports_every_signal_and_what_to_compare_with(capsys: pytest.CaptureFixture[str]):
    run(json=True, limit=2, costs=False)
    report = json.loads(capsys.readouterr().out)
    names = [row["signal"] for row in report["rows"]]
    assert names[0] == "attmean" and names[-2:] == [RANDOM, REFERENCE]
    assert len(report["rows"]) == len(usable(tiny_model())) + 2
    by_name = {row["signal"]: row for row in report["rows"]}
    assert by_name[REFERENCE]["rho"] == 1 and by_name[RANDOM]["rho"] is None
    assert by_name[REFERENCE]["top1"] >= by_name[RANDOM]["top1"]
    run(json=False, limit=1, costs=False, real="embedded")
    printed = capsys.readouterr().out
    assert printed.count("top 1") == 2, "a second table, of the other model on written prompts"


def test_the_references_first_unit_is_the_best_single_one():
    model = tiny_model()
    prompt = Prompt.of("What is there?", ["A dog barks.\nB. blue\nC. red", "The cat sat."])
    made = trace(model, prompt, response="A dog. The answer is B.")
    found = agreement(model, made)
    for name in made.signals:
        for one, best in zip(found[name], found[REFERENCE], strict=True):
            assert one.drops[1] <= best.drops[1] + 1e-4
            assert -1 <= one.rho <= 1
    assert all(one.rho == pytest.approx(1) for one in found[REFERENCE])


def test_a_prompt_of_one_unit_ranks_nothing():
    made = trace(tiny_model(), Prompt.of("What?", ["A dog barks."]), response="A dog.")
    assert agreement(tiny_model(), made) == {}


@pytest.mark.parametrize("signals", [("attmean",), ("attgrads_last",)])
def test_the_time_ratio_is_positive(signals: tuple[str, ...]):
    model = deep_model()
    assert time_ratio(model, signals, 1) > 0
