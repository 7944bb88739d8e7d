"""Traces judged without labels, by a real (tiny) model that answers again while sources hide."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.decoding import trace
from core.errors import InputError
from core.evaluation.causal import causal_scores
from core.evaluation.curves import KS, RANDOM, SHARES
from core.evaluation.evaluate import evaluate
from core.evaluation.faithfulness import positions_of, span_drops
from core.evaluation.report import report
from core.explain import Cut
from core.prompt import Prompt
from core.trace import Trace
from tests.core.tiny import tiny_model

ANSWER = "A dog barks. The answer is B."


@pytest.fixture(scope="module")
def traced() -> Trace:
    prompt = Prompt.of("What?", ["A dog barks.\nA cat sat.\nB. blue\nC. red"])
    return trace(tiny_model(), prompt, response=ANSWER, signals=("attmean", "rawatt"))


def test_a_signal_loses_what_hiding_its_first_sources_loses(traced: Trace):
    shared = Cut.of(traced)
    units = len(shared.sources.units)
    found = causal_scores(tiny_model(), traced, shared)
    assert set(found) == {"attmean", "rawatt", RANDOM} and units == 4
    mass = np.stack([
        np.asarray(traced.scores["attmean"], np.float64)[:, shared.sources.unit_of == unit].max(1)
        for unit in range(units)
    ], axis=1)  # fmt: skip
    expected = 0.0
    for index, span in enumerate(shared.spans):
        first = int(mass[span.first : span.last].sum(0).argmax())
        hidden = positions_of([[first]], shared.sources)
        expected += float(span_drops(tiny_model(), traced, shared.spans, hidden)[index, 0])
    assert found["attmean"].top[0] == pytest.approx(expected, abs=1e-4)
    for one in found.values():
        assert len(one.top) == len(KS) and len(one.lost) == len(one.regained) == len(SHARES)
        # Nothing hidden loses nothing; nothing shown regains nothing; all of it is all, for all.
        assert (one.lost[0], one.regained[0]) == pytest.approx((0.0, 0.0), abs=1e-4)
        assert (
            one.lost[-1]
            == pytest.approx(one.regained[-1])
            == pytest.approx(found[RANDOM].lost[-1], abs=1e-4)
        )


def test_a_folder_is_judged_without_any_label(traced: Trace, tmp_path: Path):
    traced.save(tmp_path / "a.omnitrace")
    replace(traced, timings={"reading": 1.0}).save(tmp_path / "b.omnitrace")
    lonely = trace(tiny_model(), Prompt.of("What?", ["A dog."]), response="A dog.")
    lonely.save(tmp_path / "c.omnitrace")
    found = evaluate(tmp_path, (), model=tiny_model())
    kinds = {(problem.kind, problem.where) for problem in found.problems}
    assert kinds >= {
        ("answer judged twice", "b.omnitrace"),
        ("no causal scores", "c.omnitrace"),
        ("trace without labels", "a.omnitrace"),
    }
    made = report(found)
    assert made["traces"]["judged"] == 1 and made["traces"]["scored"] == 0
    rows = made["tables"]["causal"]
    assert [row["signal"] for row in rows] == ["attmean", "rawatt", RANDOM]
    assert all(row["sentences"] == 2 for row in rows)
    assert {row["of"] for row in made["tables"]["comparisons"]} == {
        "nats lost without the first source"
    }


def test_neither_labels_nor_a_model_is_nothing_to_judge_by(traced: Trace, tmp_path: Path, capsys):
    from core.cli import main

    traced.save(tmp_path / "a.omnitrace")
    assert main(["evaluate", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "--causal" in capsys.readouterr().err


def test_another_model_is_told(traced: Trace, tmp_path: Path):
    other = replace(traced, prompt=Prompt.of("What else is there?", ["A dog.", "A cat."]))
    with pytest.raises(InputError, match="Use the model that answered"):
        causal_scores(tiny_model(), other, Cut.of(traced))
