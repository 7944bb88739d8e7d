"""A folder of traces and a file of labels → a report: numbers worked by hand, nothing dropped."""

import csv
import json
import os
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.cli import main
from core.errors import InputError, OmniTraceError
from core.evaluation.evaluate import evaluate
from core.evaluation.labels import Interval, Label, answer_id, write_labels
from core.evaluation.report import report, write_report
from core.samples import Sample, read_samples
from core.trace import Segment, Trace
from tests.core.handmade import PROMPT, ROWS, trace_of

TEXT_AT, PICTURE_AT, SOUND_AT = 2, 4, 6
"""Prompt positions in ``ROWS``: the first sentence, the picture, the recording's first half."""

SAMPLE = {
    "id": 7,
    "task": "summary",
    "prompt": PROMPT.instruction,
    "question": [
        {"text": PROMPT.parts[0].text},
        {"image": "a.png"},
        {"audio": "deep/b.wav"},
        {"video": "c.mp4"},
    ],
    "answer": "Cats sat. Dogs barked.",
}


def leaning(first: int, second: int, **changes) -> Trace:
    """Two sentences; every token of each looks at one position of the prompt alone."""
    pieces = ("Cats", " sat", ". ", "Dogs", " ran", ".")
    scores = np.zeros((len(pieces), len(ROWS)))
    scores[:3, first] = scores[3:, second] = 0.5
    return trace_of(scores, *pieces, **changes)


def label(trace: Trace, span: int, *units: str, intervals=(), **changes) -> Label:
    text = ("Cats sat.", "Dogs ran.")[span]
    made = Label(answer_id(trace), span, text, units, intervals, "generator", "hand")
    return replace(made, **changes)


@pytest.fixture
def traced(tmp_path: Path) -> Trace:
    """Saved as ``one.omnitrace``: leans on the first text sentence, then on the picture."""
    trace = leaning(TEXT_AT, PICTURE_AT)
    trace.save(tmp_path / "one.omnitrace")
    return trace


def row(made: dict, table: str, **named) -> dict:
    (found,) = (r for r in made["tables"][table] if named.items() <= r.items())
    return found


def test_the_tables_by_hand(traced: Trace, tmp_path: Path):
    """The first sentence cites its label. The second cites the picture of picture + text.

    All: F1 1 and 2/3. Text: 1, and 0 where the label is missed. Pictures: the second alone, 1.
    """
    labels = [label(traced, 0, "p0.0"), label(traced, 1, "p1.0", "p0.1")]
    made = report(evaluate(tmp_path, labels))
    named = {"signal": "attmean", "curation": "default"}
    overall = row(made, "table2", modality="all", **named)
    assert (overall["precision"], overall["recall"], overall["f1"]) == (100.0, 75.0, 83.33)
    assert (overall["sentences"], overall["answers"], overall["low"]) == (2, 1, None)
    text = row(made, "table2", modality="text", **named)
    assert (text["precision"], text["recall"], text["f1"], text["sentences"]) == (50, 50, 50, 2)
    image = row(made, "table2", modality="image", **named)
    assert (image["f1"], image["sentences"]) == (100.0, 1)
    assert not [r for r in made["tables"]["table2"] if r["modality"] == "time" and r["f1"] > 0]
    assert {r["curation"] for r in made["tables"]["table3"]} >= {
        "paper",
        "no runs",
        "no confidence",
    }
    assert made["traces"]["sentences_unlabelled"] == 0 and not made["problems"]["all"]


def test_the_studies_by_hand(traced: Trace, tmp_path: Path):
    """Nine units, of which the first and the third are cited: they stand at 1/18 and 5/18."""
    labels = [label(traced, 0, "p0.0"), label(traced, 1, "p1.0", "p0.1")]
    made = report(evaluate(tmp_path, labels))
    cited = row(made, "figure3a", of="attmean")
    assert (cited["citations"], cited["mean"]) == (2, round(1 / 6, 4))
    assert dict(map(tuple, cited["ecdf"]))[0.2] == 0.5
    assert row(made, "figure3a", of="labels")["citations"] == 3
    masses = row(made, "figure3b", signal="attmean")
    # Predicted 0 and 1, labelled 0 and 1/2: on average 1/4 off the diagonal.
    assert (masses["sentences"], masses["error"]) == (2, 25.0)
    assert masses["bins"][-1]["labelled"] == 0.5


def test_signals_by_the_published_curation_and_less_one_part_are_compared(
    traced: Trace, tmp_path: Path
):
    made = report(evaluate(tmp_path, [label(traced, 0, "p0.0")]))
    first = {(r["first"], r["second"]) for r in made["tables"]["comparisons"]}
    assert ("attmean · paper", "attmean · no runs") in first and len(first) == 5


def test_sound_is_scored_by_every_cut_that_the_trace_knows(tmp_path: Path):
    """The recording's first half second, labelled 0.0–0.4: one second by every cut that holds it.

    A segment of the whole recording cites both of its seconds: F1 2/3.
    """
    trace = replace(
        leaning(SOUND_AT, PICTURE_AT),
        transcripts={"whole": {2: (Segment(0.0, 1.5, "A cat."),)}},
    )
    trace.save(tmp_path / "heard.omnitrace")
    labels = [label(trace, 0, intervals=(Interval(2, 0.0, 0.4),))]
    made = report(evaluate(tmp_path, labels))
    scores = {r["segments"]: r["f1"] for r in made["tables"]["figure2a"]}
    assert scores == {"bins of 0.25 s": 100.0, "bins of 1 s": 100.0, "whole": 66.67}


def test_what_recording_cost_is_told(tmp_path: Path):
    """Six tokens, 14 positions, two bytes each: 168 bytes a signal."""
    trace = leaning(TEXT_AT, TEXT_AT, timings={"reading": 1.0, "encoding": 2.0, "decoding": 0.6})
    trace.save(tmp_path / "timed.omnitrace")
    (found,) = report(evaluate(tmp_path, [label(trace, 0, "p0.0")]))["tables"]["costs"]
    assert (found["decoding_ms"], found["total_s"], found["tokens"]) == (100.0, 3.6, 6)
    assert (found["signals"], found["recorded_mb"]) == ("attmean", round(168 / 1e6, 4))


def test_every_figure_is_a_drawing_for_print_and_a_table_of_its_numbers(
    traced: Trace, tmp_path: Path
):
    out = tmp_path / "out"
    write_report(report(evaluate(tmp_path, [label(traced, 0, "p0.0")])), out)
    drawings = {path.stem for path in (out / "figures").glob("*.svg")}
    assert drawings == {"table3", "figure3a-summary", "figure3b"}
    for name in drawings:
        with Image.open(out / "figures" / f"{name}.png") as picture:
            assert picture.width > 500
    with (out / "figures" / "table3.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["x"]: row for row in csv.DictReader(file)}
    assert (rows["paper"]["series"], rows["paper"]["y"]) == ("attmean", "100.0")


def test_films_streams_alone_are_parts_of_both(tmp_path: Path):
    """Frames of second 0 (position 9) and sound of second 1 (position 12); labels name both.

    Each stream alone misses one sentence; both together hold it.
    """
    trace = leaning(9, 12)
    trace.save(tmp_path / "film.omnitrace")
    labels = [
        label(trace, 0, intervals=(Interval(3, 0.0, 1.0),)),
        label(trace, 1, intervals=(Interval(3, 1.0, 2.0),)),
    ]
    made = report(evaluate(tmp_path, labels))
    scores = {r["curation"]: r["f1"] for r in made["tables"]["figure2b"]}
    assert scores == {"paper": 100.0, "paper, frames only": 50.0, "paper, sound only": 50.0}


def test_tasks_and_right_answers_come_from_samples(traced: Trace, tmp_path: Path):
    path = tmp_path / "samples.json"
    path.write_text(json.dumps([SAMPLE]), encoding="utf-8")
    made = report(evaluate(tmp_path, [label(traced, 0, "p0.0")], read_samples(path)))
    quality = row(made, "figure4", task="summary")
    # "cats sat dogs ran" and "cats sat dogs barked" share 3 words in order of 4.
    assert (quality["rouge_l"], quality["summaries"], quality["right"]) == (75.0, 1, 0)
    assert made["problems"]["counts"] == {}
    assert made["traces"]["sentences_unlabelled"] == 1


def test_what_does_not_fit_is_counted_and_named(traced: Trace, tmp_path: Path):
    leaning(TEXT_AT, TEXT_AT, prompt=replace(PROMPT, instruction="Other.")).save(
        tmp_path / "two.omnitrace"
    )
    traced.save(tmp_path / "three.omnitrace")
    (tmp_path / "zero.omnitrace").write_bytes(b"not a trace")
    labels = [
        label(traced, 0, "p0.0", "p9.9"),
        label(traced, 1, intervals=(Interval(2, 1.0, 9.0), Interval(7, 0.0, 1.0))),
        label(traced, 0, "p0.0", by="person", name="Ada"),
        replace(label(traced, 1, text="Dogs slept."), span=5),
        label(traced, 0, answer_id="0" * 16),
    ]
    evaluated = evaluate(tmp_path, labels, [Sample(n, n, "None.", (), tmp_path) for n in (1, 2)])
    found = {(problem.kind, problem.where) for problem in evaluated.problems}
    assert found >= {
        ("trace without labels", "two.omnitrace"),
        ("trace without a sample", "one.omnitrace"),
        ("trace cannot be opened", "zero.omnitrace"),
        ("answer scored twice", "three.omnitrace"),
        ("labels overruled", "generator hand"),
        ("labels without a trace", "0" * 16),
        ("label fits no sentence", "one.omnitrace, sentence 6"),
        ("label goes past the end", "one.omnitrace, sentence 2"),
        ("label names an unknown part", "one.omnitrace, sentence 2"),
        ("samples with one prompt", "entry 2"),
    }
    # The person outranks the generator, whose unknown unit is then nobody's concern.
    assert "label names an unknown unit" not in {kind for kind, _ in found}
    assert evaluated.labellers == {("person", "Ada", ""): 1, ("generator", "hand", ""): 2}
    assert len(evaluated.results) == 1


def test_several_processes_find_the_same(traced: Trace, tmp_path: Path):
    leaning(SOUND_AT, PICTURE_AT, prompt=replace(PROMPT, instruction="Other.")).save(
        tmp_path / "two.omnitrace"
    )
    labels = [label(traced, 0, "p0.0"), label(traced, 1, "p1.0")]
    alone, together = (evaluate(tmp_path, labels, jobs=jobs) for jobs in (1, 2))
    assert report(alone) == report(together)


def test_a_process_that_dies_is_told_and_not_waited_for(traced: Trace, tmp_path: Path):
    """The kernel kills whoever takes too much memory; ``multiprocessing.Pool`` would hang then."""
    deadly = replace(traced, prompt=replace(PROMPT, instruction="Other."))
    deadly.save(tmp_path / "two.omnitrace")
    labels = [label(traced, 0, "p0.0"), Deadly(**vars(label(deadly, 0, "p0.0")))]
    with pytest.raises(OmniTraceError, match="ended in the middle"):
        evaluate(tmp_path, labels, jobs=2)


class Deadly(Label):
    """A label whose words end the process that compares them; the one that reads files lives."""

    def __reduce__(self):
        return _deadly, (dict(vars(self)),)


class _Words(str):
    def __eq__(self, other: object) -> bool:
        os._exit(9)

    def __ne__(self, other: object) -> bool:
        os._exit(9)

    __hash__ = str.__hash__


def _deadly(values: dict) -> Label:
    return Label(**{**values, "text": _Words(values["text"])})


def test_the_commands_from_truth_to_report(traced: Trace, tmp_path: Path, capsys):
    sentences = [
        {"text": "Cats sat.", "sources": [{"part": 0, "lane": "text", "start": 0, "end": 10}]},
        {
            "text": "Dogs hid.",
            "sources": [{"part": 1, "lane": "image", "start": None, "end": None}],
        },
    ]
    samples, labels, out = (tmp_path / n for n in ("samples.json", "labels.jsonl", "out"))
    samples.write_text(json.dumps([{**SAMPLE, "sentences": sentences}]), encoding="utf-8")
    asked = ["--samples", str(samples), "--out"]
    (tmp_path / "broken.omnitrace").write_bytes(b"PK\x03\x04")
    assert main(["labels", str(tmp_path), *asked, str(labels)]) == 0
    told = capsys.readouterr().err
    assert "1 labels, 1 traces without any" in told and "'broken.omnitrace' cannot be" in told
    (tmp_path / "broken.omnitrace").unlink()
    assert main(["evaluate", str(tmp_path), "--labels", str(labels), *asked, str(out)]) == 0
    assert "1 traces scored; 1 sentences with a label, 1 without" in capsys.readouterr().out
    made = json.loads((out / "report.json").read_text(encoding="utf-8"))
    with (out / "table2.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(made["tables"]["table2"])
    assert rows[0]["f1"] == str(made["tables"]["table2"][0]["f1"]) == "100.0"
    assert (out / "figure3a-ecdf.csv").exists() and (out / "figure3b-bins.csv").exists()


def test_no_traces_and_no_labels_are_told(tmp_path: Path, capsys):
    with pytest.raises(InputError, match="holds no"):
        evaluate(tmp_path, [])
    leaning(TEXT_AT, TEXT_AT).save(tmp_path / "one.omnitrace")
    made = report(evaluate(tmp_path, []))
    assert made["traces"]["scored"] == 0 and made["problems"]["counts"] == {
        "trace without labels": 1
    }
    write_report(made, tmp_path / "out")
    write_labels(tmp_path / "labels.jsonl", [])
    assert main(["evaluate", str(tmp_path), "--labels", "nowhere.jsonl", "--out", "x"]) == 1
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_what_strangers_wrote_is_inert(traced: Trace, tmp_path: Path):
    """A model named as a formula, as a script and as mathematics; HTML that a parser can read."""
    name = "=1+1<script>alert(1)</script>$\\frac{"
    evil = replace(traced, model=replace(traced.model, name=name))
    evil.save(tmp_path / "one.omnitrace")
    out = tmp_path / "out"
    labels = [label(traced, 0, "p0.0"), label(traced, 1, "p1.0")]
    write_report(report(evaluate(tmp_path, labels)), out)
    assert "'=1+1" in (out / "table2.csv").read_text(encoding="utf-8")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    drawn = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)
    assert len(drawn) == 3  # Table 3, figures 3a and 3b.
    for svg in map(b64decode, drawn):
        assert not ElementTree.fromstring(svg).findall(".//{*}script")
