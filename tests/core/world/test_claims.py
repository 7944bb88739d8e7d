"""The paper's claims in words: each verdict from numbers made by hand."""

import pytest

from core.world.claims import told

NAMED = {"model": "m", "task": "all tasks"}


def scored(signal: str, curation: str, f1: float, modality: str = "all") -> dict:
    between = {"low": f1 - 2, "high": f1 + 2}
    return {**NAMED, "signal": signal, "curation": curation, "modality": modality, "f1": f1,
            **between}  # fmt: skip


def compared(first: str, second: str, difference: float, p: float) -> dict:
    named = {**NAMED, "first": first, "second": second, "of": "F1, %"}
    return {**named, "difference": difference, "p": p}


def placed(of: str, low: float, high: float) -> dict:
    mean = {"mean": (low + high) / 2, "low": low, "high": high}
    return {"model": "m", "kind": "summary", "of": of, "citations": 9, **mean}


@pytest.fixture
def report() -> dict:
    return {
        "traces": {"scored": 9, "sentences_labelled": 30, "sentences_unlabelled": 3},
        "tables": {
            "table2": [
                scored("attmean", "default", 70),
                scored("attmean", "random", 12),
                scored("rawatt", "default", 30),
                scored("embedding", "post-hoc", 40),
                scored("self-attribution", "post-hoc", 3),
                {**scored("attmean", "default", 1), "task": "one task"},
            ],
            "table3": [
                scored("attmean", "paper", 60, "image"),
                scored("attmean", "no runs", 20, "image"),
            ],
            "comparisons": [
                compared("embedding", "attmean", -30.0, 1e-4),
                compared("rawatt", "embedding", -10.0, 0.3),
                compared("attmean · paper", "attmean · no runs", 8.0, 0.01),
                compared("attmean · paper", "attmean · no POS weights", -2.0, 0.02),
                compared("attmean · paper", "attmean · no confidence", 1.0, 0.4),
            ],
            "causal": [
                {**NAMED, "signal": "attmean", "top1": 9.5, "low": 8.0, "high": 11.0,
                 "deletion": 0.8, "insertion": None},
            ],
            "figure3a": [
                placed("attmean", 0.40, 0.46), placed("rawatt", 0.52, 0.6),
                placed("labels", 0.48, 0.54),
            ],
        },
    }  # fmt: skip


def test_verdicts_follow_the_numbers(report: dict):
    text = told(report)
    assert "attmean: holds; 70.0 against 40.0 of embedding" in text
    assert "+30.0 an answer, p = 0.0002" in text
    assert "rawatt: stays open" in text and "1 of the paper's 2 signals" in text
    assert "no runs: costs 8.0 points, p = 0.01; image F1 60.0 → 20.0." in text
    assert "no POS weights: gains 2.0 points" in text
    assert "holds in part: of 3 parts 1 help, 1 harm, 1 make no sure difference" in text
    assert "attmean: holds against even, holds against the true sources" in text
    assert "rawatt: fails against even, fails against the true sources" in text
    assert "- attmean: 9.50 (8.00–11.00); deletion area 0.80." in text
    assert "| attmean | default | 70.0 (68.0–72.0) | – | – | – |" in text


def test_parts_without_a_sure_effect_leave_it_open(report: dict):
    rows = report["tables"]["comparisons"]
    report["tables"]["comparisons"] = [{**row, "p": 0.5} for row in rows]
    assert "stays open: of 3 parts 0 help, 0 harm, 3 make" in told(report)


def test_what_was_not_measured_stays_open(report: dict):
    tables = {name: [] for name in report["tables"]}
    text = told({**report, "tables": tables})
    assert text.count("tays open") == 3
