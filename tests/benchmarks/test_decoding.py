"""The bench of traced decoding runs and reports; its limits are judged by hand."""

import json

import pytest

from core.benchmarks import decoding

pytestmark = pytest.mark.benchmark


def test_the_bench_reports_time_and_memory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(decoding, "PAIRS", 1)
    decoding.run(json=True)
    report = json.loads(capsys.readouterr().out)
    assert report["same_tokens"] and report["ratio"] > 0
    assert report["plain_peak_bytes"] >= 0 and report["rows_bytes"] > 0
