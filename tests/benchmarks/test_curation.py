"""The bench of a slider's move runs and reports; its limit is judged by hand, not by the suite."""

import json

import pytest

from core.benchmarks.curation import TOKENS, UNITS, run

pytestmark = pytest.mark.benchmark


def test_the_bench_reports_every_policy(capsys: pytest.CaptureFixture[str]):
    run(json=True)
    report = json.loads(capsys.readouterr().out)
    assert (report["tokens"], report["units"]) == (TOKENS, UNITS)
    assert len(report["rows"]) == 6
    run(json=False)
    assert "slowest" in capsys.readouterr().out
