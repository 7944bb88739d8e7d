"""The small report on the miniature world: ``python -m core.world.report [--limit N]``.

    python -m core.world.report --work DIR        # about a quarter of an hour on two cores

Held-out prompts (facts, voices and placements of a seed that nothing else uses) are written, traced
by the embedded model with every signal of the paper and ours, and evaluated against the truth that
the generator knows: table 2 with the baselines, table 3, all figures, causal faithfulness. Each
step is kept in ``--work`` and not done again, so a run that was stopped goes on; delete the folder
after the model has changed. What is committed, in ``--out``:

    report.json   for the app's Benchmark page and for ``core leaderboard``
    figures/      SVG
    README.md     whether the paper's claims hold, with numbers (``core.world.claims``)
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.decoding import trace
from core.evaluation.baselines import self_attribution, similarity
from core.evaluation.baselines.own_embeddings import OwnEmbeddings
from core.evaluation.baselines.run import predict_folder
from core.evaluation.causal import causal_folder
from core.evaluation.evaluate import evaluate
from core.evaluation.folder import SampleFinder, trace_files
from core.evaluation.labels import Label, read_labels, write_labels
from core.evaluation.report import report, write_figures
from core.evaluation.scoring import task_of
from core.evaluation.truth import label_folder
from core.models.base import TracedModel
from core.models.registry import load_model
from core.samples import Sample, read_samples
from core.segmenters import load_segmenter
from core.segmenters.of_trace import transcribed
from core.world.claims import told
from core.world.heldout import PER_TASK, scenarios, stock, write

OUT = Path(__file__).parents[2] / "assets" / "reports" / "world"
SEED = 4711
"""Of the prompts: neither the committed held-out set's nor any that training uses."""
TIMES = 5
"""So many times the held-out set's prompts of each task: 300."""
SIGNALS = ("attmean", "rawatt", "attgrads_all")
CAUSAL = 100
"""Answers whose sources are hidden: a hundred tell signals apart, and each takes seconds."""
SELF = 100
"""Answers that the model is asked about; its replies are long."""

GROUPS = {
    "choice-text": "text QA",
    "summary-text": "text summary",
    "select-person": "text summary",
    "choice-picture": "picture QA",
    "which-pictures": "picture QA",
    "describe-pictures": "picture summary",
    "select-pictures": "picture summary",
    "summary-conversation": "picture summary",
    "choice-speech": "speech QA",
    "summary-speech": "speech summary",
    "select-speech": "speech summary",
    "choice-film": "film QA",
    "describe-film": "film summary",
    "select-film": "film summary",
    "describe-narrated": "film summary",
    "summary-everything": "all kinds",
}
"""Task of the world → the report's, in the manner of table 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for what is on the way")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the report (%(default)s)")
    parser.add_argument("--times", type=int, default=TIMES, help="× 60 prompts (%(default)s)")
    parser.add_argument("--limit", type=int, help="so many of them, evenly, to try it out")
    args = parser.parse_args(argv)
    make(args.work, args.out, times=args.times, limit=args.limit)
    return 0


def make(work: Path, out: Path, *, times: int = TIMES, limit: int | None = None) -> None:
    """All steps, in order; how long each took is said."""
    work.mkdir(parents=True, exist_ok=True)
    with _timed("prompts"):
        samples = prompts(work / "samples", times)
        samples = samples[:limit]
    model = load_model("embedded")
    traces = work / "traces"
    with _timed("traces"):
        trace_all(model, samples, traces)
    labels = label_folder(traces, samples)[0]
    with _timed("baselines"):
        said = _baselines(model, work, traces)
    with _timed("scores"):
        found = evaluate(traces, labels, samples, predictions=said)
    with _timed("hidden sources"):
        finder = SampleFinder(samples)
        causal, problems = causal_folder(
            model,
            trace_files(traces)[:CAUSAL],
            lambda trace, shared: task_of(finder.extra(trace.prompt), shared.sources),
        )
    with _timed("report"):
        whole = replace(found, causal=tuple(causal), problems=(*found.problems, *problems))
        publish(report(whole), out)


def prompts(folder: Path, times: int) -> tuple[Sample, ...]:
    """Held-out prompts of every task, written if need be; tasks in the report's words.

    Shuffled, so that the first hundred are of every task too.
    """
    path = folder / "samples.json"
    if not path.is_file():
        counts = {task: count * times for task, count in PER_TASK.items()}
        source = stock(utterances=120 * times, seed=SEED)
        folder.mkdir(parents=True, exist_ok=True)
        write(scenarios(source, counts, SEED), folder)
    samples = [
        replace(sample, extra={**sample.extra, "task": GROUPS[str(sample.extra["task"])]})
        for sample in read_samples(path)
    ]
    random.Random(SEED).shuffle(samples)
    return tuple(samples)


def trace_all(model: TracedModel, samples: Sequence[Sample], folder: Path) -> None:
    """Trace what is not traced yet, sound cut at pauses kept along (figure 2a)."""
    folder.mkdir(exist_ok=True)
    pauses = load_segmenter("pauses")
    signals = (*SIGNALS, "heads") if model.chosen_heads else SIGNALS
    for index, sample in enumerate(tqdm(samples, unit="prompt")):
        path = folder / f"{index:05d}.omnitrace"
        if not path.is_file():
            made = trace(model, sample.prompt(), signals=signals, max_new_tokens=200)
            transcribed(made, pauses).save(path)


def publish(made: Mapping[str, Any], out: Path) -> None:
    """Write what is committed, replacing what was there."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    small = json.dumps(made, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    (out / "report.json").write_text(small + "\n", encoding="utf-8")
    write_figures(made, out / "figures", kinds=("svg",))
    head = "# The miniature world\n\nMade by `python -m core.world.report`. "
    (out / "README.md").write_text(head + told(made), encoding="utf-8")


def _baselines(model: TracedModel, work: Path, traces: Path) -> list[Label]:
    """What the model says itself, and what is like its sentences; made if they are not there."""
    embedder = OwnEmbeddings(model)
    said, alike = work / "self.jsonl", work / "embedding.jsonl"
    if not said.is_file():
        asked = predict_folder(traces, lambda t: self_attribution.predict(t, model), limit=SELF)
        write_labels(said, asked.labels)
    if not alike.is_file():
        found = predict_folder(
            traces,
            lambda t: similarity.predict(t, embedder, (similarity.THRESHOLD,)),
            applies=similarity.applies_to,
        )
        write_labels(alike, found.labels)
    return [*read_labels(said), *read_labels(alike)]


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
