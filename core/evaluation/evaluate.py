"""A folder of traces against a file of labels: ``python -m core evaluate``.

Traces are opened one at a time and forgotten: what is kept of each is a ``Result``. Answers are
matched to labels by ``answer_id``; where several labellers spoke of one sentence, a person outranks
a judge and a judge the generator, and among equals the last in the file is heard. A malformed
label, and what a baseline predicts, is never heard.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from core.errors import OmniTraceError
from core.evaluation.curves import CausalResult
from core.evaluation.folder import SampleFinder, open_scores, trace_files
from core.evaluation.labels import BASELINE, LABELLERS, Label, answer_id
from core.evaluation.predictions import Said, by_answer, with_predictions, without_predictions
from core.evaluation.report import Evaluated
from core.evaluation.scoring import Problem, Result, score_trace, task_of
from core.evaluation.segmented import with_segments
from core.explain import Cut
from core.samples import Sample
from core.trace import Trace

if TYPE_CHECKING:
    from core.models.base import TracedModel

_TRACES_A_JOB = 20
"""A process takes about as long to start as this many traces to score."""

Heard = Mapping[str, Mapping[int, Label]]
"""Answer id → span → the label that is heard."""


def evaluate(
    folder: Path,
    labels: Sequence[Label],
    samples: Sequence[Sample] = (),
    *,
    predictions: Sequence[Label] = (),
    model: TracedModel | None = None,
    jobs: int | None = None,
) -> Evaluated:
    """Score every trace of a folder that has labels; with a model, judge all without any.

    Args:
        folder: of ``.omnitrace`` files.
        labels: of their answers.
        samples: what was asked, for tasks and right answers; may be empty.
        predictions: of baselines, or of others whose agreement with the labels is asked for.
        model: that answered, to measure what hiding sources does (``core.evaluation.causal``).
        jobs: processes that score traces side by side; default: one a core, where there are
            traces enough to pay for starting it.

    Raises:
        InputError: the folder holds no traces.
    """
    files = trace_files(folder)
    finder = SampleFinder(samples)
    heard, problems = _heard(labels)
    problems += [
        Problem("samples with one prompt", f"entry {entry}", "an earlier entry asks the same")
        for entry in finder.ambiguous
    ]
    said = by_answer(predictions)
    scorer = _Scorer(heard, said, finder if samples else None)
    results: list[Result] = []
    met: dict[str, str] = {}
    seen: dict[tuple[str, str, str], str] = {}
    predicted: set[tuple[str, str]] = set()
    outcomes = _outcomes(scorer, files, jobs or _worth(files))
    for outcome in tqdm(outcomes, total=len(files), unit="trace"):
        met |= {outcome.answer_id: outcome.file} if outcome.answer_id else {}
        problems += outcome.problems
        result = outcome.result
        if result is None:
            continue
        keys = [(result.model, result.answer_id, signal) for signal in result.studied]
        again = next((seen[key] for key in keys if key in seen), None)
        if again:
            problems.append(Problem("answer scored twice", result.file, f"left out: see {again}"))
            continue
        seen |= dict.fromkeys(keys, result.file)
        again = (result.model, result.answer_id) in predicted
        predicted.add((result.model, result.answer_id))
        results.append(without_predictions(result) if again else result)
    problems += [
        Problem("labels without a trace", identity, f"{len(spans)} sentences")
        for identity, spans in heard.items()
        if identity not in met
    ]
    problems += [
        Problem("predictions without a trace", identity, ", ".join(names))
        for identity, names in said.items()
        if identity not in met
    ]
    labellers = Counter(
        label.labeller
        for identity, spans in heard.items()
        if identity in met
        for label in spans.values()
    )
    predictors = Counter(one.labeller for one in predictions if one.answer_id in met)
    causal, more = _causal(model, files, finder) if model else ([], [])
    problems += more
    return Evaluated(tuple(results), tuple(problems), labellers, predictors, tuple(causal))


def _causal(
    model: TracedModel, files: Sequence[Path], finder: SampleFinder
) -> tuple[list[CausalResult], list[Problem]]:
    # Imported for those who ask: it brings torch.
    from core.evaluation.causal import causal_folder

    def task(trace: Trace, shared: Cut) -> str:
        return task_of(finder.extra(trace.prompt), shared.sources)

    return causal_folder(model, files, task)


@dataclass(frozen=True)
class _Outcome:
    """What became of one file; ``answer_id`` is empty where it could not be opened."""

    file: str
    answer_id: str
    result: Result | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Scorer:
    """Scores one file; sent to every process once."""

    heard: Heard
    said: Mapping[str, Said]
    finder: SampleFinder | None

    def __call__(self, path: Path) -> _Outcome:
        try:
            trace = open_scores(path)
            identity = answer_id(trace)
            labels = self.heard.get(identity)
            if not labels:
                why = Problem("trace without labels", path.name, identity)
                return _Outcome(path.name, identity, None, (why,))
            if not trace.signals:
                why = Problem("trace without signals", path.name, "nothing was recorded")
                return _Outcome(path.name, identity, None, (why,))
            problems = []
            if trace.stopped in ("running", "cancelled", "memory"):
                problems.append(Problem("partial trace", path.name, trace.stopped))
            extra = self.finder.extra(trace.prompt) if self.finder else {}
            if self.finder and not self.finder.find(trace.prompt):
                problems.append(Problem("trace without a sample", path.name, identity))
            result = score_trace(trace, labels, file=path.name, answer_id=identity, extra=extra)
            result = with_segments(result, trace, labels)
            if identity in self.said:
                result = with_predictions(result, trace, labels, self.said[identity])
            return _Outcome(path.name, identity, result, (*problems, *result.problems))
        except OmniTraceError as error:
            why = Problem("trace cannot be opened", path.name, str(error))
            return _Outcome(path.name, "", None, (why,))


_scorer: _Scorer | None = None
"""Of this process, where traces are scored by several."""


def _start(scorer: _Scorer) -> None:
    global _scorer
    _scorer = scorer
    # The cores belong to the processes: threads of linear algebra would only wait for each other.
    threadpool_limits(1)


def _score(path: Path) -> _Outcome:
    assert _scorer is not None
    return _scorer(path)


def _outcomes(scorer: _Scorer, files: Sequence[Path], jobs: int) -> Iterator[_Outcome]:
    if jobs == 1:
        yield from map(scorer, files)
        return
    # Spawned, not forked: a fork of a process that runs threads could hang.
    context = multiprocessing.get_context("spawn")
    # Not multiprocessing's pool: that waits for ever for what a process took with it when it died.
    with ProcessPoolExecutor(jobs, context, _start, (scorer,)) as pool:
        try:
            yield from pool.map(_score, files)
        except BrokenProcessPool as error:
            raise OmniTraceError(
                "A process that scored traces ended in the middle, most often because memory ran "
                "out. Use fewer of them (--jobs 1)."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _worth(files: Sequence[Path]) -> int:
    return max(1, min(len(os.sched_getaffinity(0)), len(files) // _TRACES_A_JOB))


def _heard(labels: Sequence[Label]) -> tuple[dict[str, dict[int, Label]], list[Problem]]:
    heard: dict[str, dict[int, Label]] = {}
    overruled: Counter[tuple[str, str]] = Counter()
    unheard: Counter[tuple[str, str]] = Counter()
    for label in labels:
        if label.malformed or label.by == BASELINE:
            kind = "labels malformed" if label.malformed else "baseline given as labels"
            unheard[kind, _named(label)] += 1
            continue
        spans = heard.setdefault(label.answer_id, {})
        before = spans.get(label.span)
        if before is None or _rank(label) >= _rank(before):
            spans[label.span] = label
        if before is not None:
            winner = spans[label.span]
            loser = before if winner is label else label
            overruled[_named(loser), _named(winner)] += 1
    return heard, [
        *(
            Problem("labels overruled", loser, f"{count} sentences, by {winner}")
            for (loser, winner), count in overruled.items()
        ),
        *(Problem(kind, who, f"{count} sentences") for (kind, who), count in unheard.items()),
    ]


def _rank(label: Label) -> int:
    return LABELLERS.index(label.by)


def _named(label: Label) -> str:
    version = f", prompt version {label.prompt_version}" if label.prompt_version else ""
    return f"{label.by} {label.name}{version}"
