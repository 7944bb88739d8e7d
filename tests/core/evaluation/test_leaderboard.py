"""Reports opened again, trusted in nothing, and ranked."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.cli import main
from core.errors import InputError
from core.evaluation.evaluate import evaluate
from core.evaluation.labels import Label, answer_id
from core.evaluation.leaderboard import leaderboard
from core.evaluation.reading import read_report
from core.evaluation.report import report, write_report
from core.trace import Trace
from tests.core.evaluation.test_evaluate import PICTURE_AT, TEXT_AT, leaning


def made(folder: Path, trace: Trace, *units: str) -> dict:
    """The report of one trace whose two sentences are labelled with one unit each."""
    folder.mkdir(parents=True)
    trace.save(folder / "one.omnitrace")
    texts = zip(("Cats sat.", "Dogs ran."), units, strict=True)
    labels = [
        Label(answer_id(trace), n, text, (unit,), (), "generator", "hand")
        for n, (text, unit) in enumerate(texts)
    ]
    return report(evaluate(folder, labels))


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("good") / "traces"
    return made(folder, leaning(TEXT_AT, PICTURE_AT), "p0.0", "p1.0")


@pytest.fixture(scope="module")
def reports(tmp_path_factory, good: dict) -> Path:
    """Two reports, of which the second misses half, and a file that is none."""
    folder = tmp_path_factory.mktemp("reports")
    trace = leaning(TEXT_AT, TEXT_AT)
    other = replace(trace, model=replace(trace.model, name="=evil<script>"))
    write_report(good, folder / "deep" / "first")
    write_report(made(folder / "traces", other, "p0.0", "p1.0"), folder / "second")
    (folder / "other.json").write_text('{"a": 1}', encoding="utf-8")
    return folder


def test_what_was_written_is_read(good: dict):
    found = read_report(json.dumps(good).encode(), "'report.json'")
    assert found["tables"] == good["tables"]
    assert found["traces"] == good["traces"] and found["labels"] == good["labels"]


def test_signals_of_all_reports_are_ranked(reports: Path):
    rows, problems = leaderboard(reports)
    best = [r for r in rows if r["settings"] == "default"]
    assert [(r["report"], r["f1"]) for r in best] == [("deep/first", 100.0), ("second", 50.0)]
    assert (best[0]["image_f1"], best[0]["time_f1"], best[0]["top1"]) == (100.0, None, None)
    assert [r["f1"] for r in rows] == sorted((r["f1"] for r in rows), reverse=True)
    assert [p["file"] for p in problems] == ["other.json"]


def test_the_command_writes_three_files_that_run_nothing(reports: Path, tmp_path: Path, capsys):
    out = tmp_path / "board"
    assert main(["leaderboard", str(reports), "--out", str(out)]) == 0
    assert "100.0  attmean · default" in capsys.readouterr().out
    rows = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    with (out / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    assert "'=evil" in (out / "leaderboard.csv").read_text(encoding="utf-8")
    page = (out / "leaderboard.html").read_text(encoding="utf-8")
    assert "<script" not in page and "=evil&lt;script&gt;" in page
    assert main(["leaderboard", str(tmp_path / "none"), "--out", str(out)]) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.update(format=99), "format '99'"),
        (lambda r: r.update(format=True), "format 'True'"),
        (lambda r: r.update(tables=[]), "is no report"),
        (lambda r: r["tables"]["table2"].append(7), r"table2\[\d+\] is no row"),
        (lambda r: r["tables"]["table2"][0].update(f1="high"), "f1 is not a number"),
        (lambda r: r["tables"]["table2"][0].update(f1=1e300), "f1 is not from"),
        (lambda r: r["tables"]["table2"][0].update(extra={"a": 1}), "is not a number"),
        (lambda r: r["tables"]["table2"][0].pop("signal"), "lacks signal"),
        (lambda r: r["tables"]["table2"][0].update(model="x" * 2000), "up to 1000"),
        (lambda r: r["tables"]["figure3a"][0].update(ecdf=[["a"]]), "is not a number"),
        (lambda r: r["tables"].update(figure3b={}), "figure3b is not a list"),
        (lambda r: r.update(traces=None), "traces is no row"),
    ],
)
def test_what_is_not_a_sound_report_is_refused_in_words(good: dict, change, says: str):
    report = json.loads(json.dumps(good))
    change(report)
    with pytest.raises(InputError, match=says):
        read_report(json.dumps(report).encode(), "'r.json'")


@pytest.mark.parametrize("content", [b"", b"[1]", b"NaN", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_json_object_is_refused(content: bytes):
    with pytest.raises(InputError, match=r"'r\.json' is"):
        read_report(content, "'r.json'")


def test_infinity_is_no_number(good: dict):
    content = json.dumps(good).replace("100.0", "Infinity").encode()
    with pytest.raises(InputError, match="not valid JSON"):
        read_report(content, "'r.json'")
