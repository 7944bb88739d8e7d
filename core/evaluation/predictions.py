"""Predictions made elsewhere, scored beside the signals of a trace (table 2's post-hoc methods).

A prediction is a line in the form of a label: of a baseline, or of a second judge or person whose
agreement with the first is asked for ("using the same metric", appendix B.2). It is compared with
the label of its sentence as a signal's citations are. Decided here:

- Where either of the two names no stream of a film or recording, both are read on its clock.
- A malformed prediction is a miss: it scores 0, also where the label names nothing.
- A labelled sentence of which a predictor says nothing is counted as a problem and not scored; an
  answer of which it says nothing at all (a method that does not apply to films) is not its concern.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from core.evaluation.labels import BASELINE, Label
from core.evaluation.metrics import Element, labelled_elements
from core.evaluation.overlap import OVERALL, Sums, sums_of
from core.evaluation.scoring import Method, Problem, Result, Target, targets_of
from core.sources import SourceUnit, cut
from core.spans import spans
from core.trace import Trace

POST_HOC = "post-hoc"
"""The curation of a prediction: nothing is curated, it names its sources itself."""

Said = Mapping[str, Mapping[int, Label]]
"""Predictor → span → prediction, of one answer."""


def by_answer(predictions: Sequence[Label]) -> dict[str, dict[str, dict[int, Label]]]:
    """Answer id → predictor → span → prediction; of one predictor the last word counts."""
    found: dict[str, dict[str, dict[int, Label]]] = {}
    for one in predictions:
        found.setdefault(one.answer_id, {}).setdefault(predictor(one), {})[one.span] = one
    return found


def predictor(label: Label) -> str:
    """The name of who predicts, as tables show it; judges' and persons' say so."""
    version = f" ({label.prompt_version})" if label.prompt_version else ""
    return label.name if label.by == BASELINE else f"{label.by} {label.name}{version}"


def with_predictions(
    result: Result, trace: Trace, labels: Mapping[int, Label], said: Said
) -> Result:
    """A trace's result, with the scores of the predictions for its answer.

    Args:
        result: of ``score_trace``, of this trace with these labels.
        trace: the trace.
        labels: span → label that is heard.
        said: the predictions for this answer.
    """
    units = cut(trace.prompt, trace.timeline, trace.media).units
    sentences = spans(trace.answer, trace.tokens)
    problems: list[Problem] = []
    scores = dict(result.scores)
    # Problems of the labels are in the result already.
    targets = list(targets_of(trace, units, sentences, labels, result.file, []))
    for name, predicted in said.items():
        file = f"{result.file}, {name}"
        found = {t.span: t for t in targets_of(trace, units, sentences, predicted, file, problems)}
        problems += _incomplete(file, targets, found)
        pairs = [(target, found[target.span]) for target in targets if target.span in found]
        for modality, sums in _scored(pairs, units, trace):
            scores[Method(name, POST_HOC), modality] = sums
    return replace(result, scores=scores, problems=(*result.problems, *problems))


def without_predictions(result: Result) -> Result:
    """The same, less what ``with_predictions`` added: an answer's predictions count once."""
    own = {key: sums for key, sums in result.scores.items() if key[0].curation != POST_HOC}
    return replace(result, scores=own)


def _scored(
    pairs: Sequence[tuple[Target, Target]], units: Sequence[SourceUnit], trace: Trace
) -> Iterator[tuple[str, Sums]]:
    """Modality → sums over (labelled, predicted) sentences."""
    sound = [(label, said) for label, said in pairs if not said.label.malformed]
    totals = dict(sums_of(on_one_clock(label, said, units, trace) for label, said in sound))
    missed = [label.elements for label, said in pairs if said.label.malformed]
    for modality, count in _misses(missed).items():
        held = totals.get(modality, Sums(0.0, 0.0, 0.0, 0))
        totals[modality] = held._replace(sentences=held.sentences + count)
    yield from totals.items()


def on_one_clock(
    label: Target, said: Target, units: Sequence[SourceUnit], trace: Trace
) -> tuple[frozenset[Element], frozenset[Element]]:
    """What is predicted, and what is labelled, told apart by stream only where both do."""
    clocks = label.clocks | said.clocks
    first, second = (
        labelled_elements(one.label.units, one.label.intervals, units, trace.media, clocks)
        for one in (said, label)
    )
    return first, second


def _misses(missed: Sequence[frozenset[Element]]) -> Counter[str]:
    """Modality → sentences that ask for it and were answered by nothing that can be read."""
    counts: Counter[str] = Counter()
    for elements in missed:
        counts.update({OVERALL, *(element.modality for element in elements)})
    return counts


def _incomplete(
    file: str, targets: Sequence[Target], found: Mapping[int, Target]
) -> Iterator[Problem]:
    malformed = sum(bool(one.label.malformed) for one in found.values())
    if malformed:
        yield Problem("predictions malformed", file, f"{malformed} sentences, scored as misses")
    silent = sum(target.span not in found for target in targets)
    if silent:
        yield Problem("sentences without a prediction", file, f"{silent} of {len(targets)}")
