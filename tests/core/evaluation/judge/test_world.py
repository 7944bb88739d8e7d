"""From samples to table 2 on the miniature world: traced, judged over HTTP, baselines, report.

The judge is a stand-in that answers from the generator's truth, so its labels must be the truth's.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.cli import main
from core.evaluation.folder import open_scores, trace_files
from core.evaluation.judge.question import question_of
from core.evaluation.labels import Label, read_labels
from core.prompt import TextPart
from tests.core.evaluation.judge.stand_in import Asked, replied, serving

HELD_OUT = Path(__file__).parents[4] / "assets" / "heldout" / "samples.json"
TASKS = ("choice-text", "describe-pictures", "choice-speech", "describe-film")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """A folder with ``samples.json`` of one prompt a task, and their traces."""
    folder = tmp_path_factory.mktemp("world")
    entries = json.loads(HELD_OUT.read_text(encoding="utf-8"))
    chosen = [next(e for e in entries if e["task"] == task) for task in TASKS]
    (folder / "media").symlink_to(HELD_OUT.parent / "media")
    (folder / "samples.json").write_text(json.dumps(chosen), encoding="utf-8")
    assert main(["trace", str(folder / "samples.json"), "--out", str(folder / "traces")]) == 0
    return folder


def from_truth(traces: Path, labels: list[Label]) -> Callable[[Asked], str]:
    """Answers each question by the labels of its own answer; what has none rests on nothing."""
    known = {(label.answer_id, label.span): label for label in labels}
    answers = {}
    for path in trace_files(traces):
        question = question_of(open_scores(path))
        written = [p.text for p in question.prompt.parts if isinstance(p, TextPart)]
        spans = range(len(question.sentences))
        answers["\n".join(written)] = [known.get((question.answer_id, n)) for n in spans]
    return lambda asked: replied(answers[asked.text[asked.text.index("The instruction was") :]])


def test_from_samples_to_table_2(world: Path, tmp_path: Path, monkeypatch, capsys):
    traces, samples = str(world / "traces"), ["--samples", str(world / "samples.json")]
    truth, judged, own, asked = (
        tmp_path / f"{name}.jsonl" for name in ("truth", "judge", "embedding", "self")
    )
    assert main(["labels", traces, *samples, "--out", str(truth)]) == 0
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving() as judge:
        judge.answer = from_truth(world / "traces", list(read_labels(truth)))
        endpoint = ["--model", "stand-in", "--base-url", judge.openai]
        assert main(["judge", traces, *endpoint, "--out", str(judged)]) == 0
        assert len(judge.asked) == len(TASKS)
    said = {(label.answer_id, label.span): label for label in read_labels(judged)}
    for label in read_labels(truth):
        # The same, but that a judge knows no streams.
        heard = said[label.answer_id, label.span]
        on_clock = [replace(one, lane=None) for one in label.intervals]
        assert (heard.units, list(heard.intervals)) == (label.units, on_clock)

    assert main(["agreement", traces, str(truth), str(judged)]) == 0
    assert "all    F1 100.0" in capsys.readouterr().out
    assert main(["baseline", "embedding", traces, "--out", str(own)]) == 0
    assert "2 answers left out" in capsys.readouterr().err
    assert main(["baseline", "self", traces, "--out", str(asked)]) == 0

    out = tmp_path / "report"
    scored = ["--labels", str(judged), "--predictions", str(own), str(asked), "--out", str(out)]
    assert main(["evaluate", traces, *samples, *scored]) == 0
    made = json.loads((out / "report.json").read_text(encoding="utf-8"))
    overall = {
        (row["signal"], row["curation"]): row
        for row in made["tables"]["table2"]
        if row["task"] == "all tasks" and row["modality"] == "all"
    }
    tracing = overall["attmean", "default"]
    for name in ("self-attribution", "own embeddings ≥ 0.25"):
        assert overall[name, "post-hoc"]["f1"] < tracing["f1"]
        assert overall[name, "post-hoc"]["low"] is not None
    assert overall["self-attribution", "post-hoc"]["sentences"] == tracing["sentences"]
