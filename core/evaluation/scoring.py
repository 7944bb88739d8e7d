"""One trace against its labels: every signal under every curation preset, without a model.

The result is a few hundred numbers; traces can then be forgotten, so that memory does not grow with
their scores. ``core.evaluation.tables`` makes the paper's tables from many results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core.curation import Curation
from core.evaluation.baselines.chance import DRAWS, random_citations
from core.evaluation.labels import Label
from core.evaluation.metrics import (
    MODALITIES,
    Element,
    agreement,
    cited_elements,
    labelled_elements,
    of_modality,
    unclocked,
)
from core.evaluation.options import (
    Choice,
    consistency,
    expected_choice,
    option_words,
    options_of,
    parse_choice,
)
from core.evaluation.studies import image_mass, rouge_l, unit_positions
from core.explain import Cut, Explanation, SpanExplanation, explain_prepared, prepare
from core.sources import Sources, SourceUnit
from core.spans import Span
from core.timeline import LANES
from core.trace import Trace

OVERALL = "all"
"""The modality of a score over all elements of a sentence together."""

RANDOM = "random"
STREAMS = {"video_frames": "paper, frames only", "video_sound": "paper, sound only"}
"""Figure 2b: the published code curates a film's streams apart, so one alone is a part of both."""


class Method(NamedTuple):
    """A signal under a named curation (a preset, ``RANDOM``, or one of ``STREAMS``)."""

    signal: str
    curation: str


class Sums(NamedTuple):
    """Over an answer's sentences: sums of precision, recall and F1, and how many count."""

    precision: float
    recall: float
    f1: float
    sentences: float


class Problem(NamedTuple):
    """Something that was not as it should be: its kind, where, and what."""

    kind: str
    where: str
    detail: str


@dataclass(frozen=True)
class Studied:
    """What section 5 asks of one answer under one signal, default curation.

    Attributes:
        cited_at: positions of cited units, one a citation.
        image_mass: (predicted, labelled) of every sentence where both are defined.
        traced_option: of B.3; empty if none stands out; ``None`` where nothing can be compared.
    """

    cited_at: tuple[float, ...]
    image_mass: tuple[tuple[float, float], ...]
    traced_option: str | None


@dataclass(frozen=True)
class Result:
    """All that a report needs of one trace.

    Attributes:
        file, answer_id, model: of the trace.
        task: the sample's, or the prompt's lanes where there is no sample.
        is_choice: the prompt holds options (the paper's QA), else a summary.
        chosen_option: what the answer selects; ``None`` if it cannot be parsed or is no choice.
        right: whether that is the data set's answer; ``None`` where that is not known.
        rouge: ROUGE-L of a summary against the data set's; ``None`` where there is none.
        labelled_at: positions of labelled units.
        labelled, unlabelled: sentences with and without a label.
        tokens: of the answer.
        timings: stage → seconds, of recording all signals together.
        recorded: bytes that the trace holds of each signal.
        scores: method and modality → sums.
        studied: signal → studies.
        problems: labels that do not fit this trace.
    """

    file: str
    answer_id: str
    model: str
    task: str
    is_choice: bool
    chosen_option: str | None
    right: bool | None
    rouge: float | None
    labelled_at: tuple[float, ...]
    labelled: int
    unlabelled: int
    tokens: int
    timings: Mapping[str, float]
    recorded: int
    scores: Mapping[tuple[Method, str], Sums]
    studied: Mapping[str, Studied]
    problems: tuple[Problem, ...] = field(default=())


class Target(NamedTuple):
    """What a labelled sentence should cite.

    ``claims``: unit id → what citing it claims, of every unit, on this label's ``clocks``.
    """

    span: int
    label: Label
    elements: frozenset[Element]
    clocks: frozenset[int]
    claims: Mapping[str, frozenset[Element]]
    named: tuple[SourceUnit, ...]


def score_trace(
    trace: Trace,
    labels: Mapping[int, Label],
    *,
    file: str,
    answer_id: str,
    extra: Mapping[str, Any],
) -> Result:
    """Score one trace.

    Args:
        trace: with one signal at least.
        labels: span → label, of this answer.
        file: name of the trace file, for problems.
        answer_id: of this answer; seeds the random baseline.
        extra: the sample's other keys (``task``, ``answer``); may be empty.
    """
    problems: list[Problem] = []
    scores: dict[tuple[Method, str], Sums] = {}
    explained: dict[str, Explanation] = {}
    shared = Cut.of(trace)
    units = shared.sources.units
    targets = tuple(targets_of(trace, units, shared.spans, labels, file, problems))
    presets = Curation.presets()
    for signal in trace.signals:
        prepared = prepare(trace, signal=signal, shared=shared)
        for name, curation in presets.items():
            explanation = explain_prepared(prepared, curation)
            explained.setdefault(signal, explanation)
            scores |= method_scores(Method(signal, name), explanation, targets)
            if name == "paper":
                scores |= _stream_scores(signal, explanation, targets)
        scores |= _random_scores(signal, explained[signal], targets, answer_id)
    words = option_words(shared.sources, options_of(shared.sources))
    choice = parse_choice(trace.answer, words) if words else None
    return Result(
        file=file,
        answer_id=answer_id,
        model=trace.model.name,
        task=task_of(extra, shared.sources),
        is_choice=bool(words),
        chosen_option=choice.letter if choice else None,
        right=_right(choice.letter if choice else None, words, extra.get("answer")),
        rouge=None if words else _rouge(trace.answer, extra.get("answer")),
        labelled_at=_positions(shared.sources, (unit for t in targets for unit in t.named)),
        labelled=len(targets),
        unlabelled=len(shared.spans) - len(targets),
        tokens=len(trace.tokens),
        timings=trace.timings,
        recorded=sum(scores.nbytes for scores in trace.scores.values()) // len(trace.signals),
        scores=scores,
        studied={s: _study(explanation, targets, choice) for s, explanation in explained.items()},
        problems=tuple(problems),
    )


def targets_of(
    trace: Trace,
    units: Sequence[SourceUnit],
    spans: Sequence[Span | SpanExplanation],
    labels: Mapping[int, Label],
    file: str,
    problems: list[Problem],
) -> Iterator[Target]:
    """What each label asks for; a label that fits no sentence is a problem and asks for nothing."""
    known = {unit.id for unit in units}
    claims: dict[frozenset[int], Mapping[str, frozenset[Element]]] = {}
    for index, label in sorted(labels.items()):
        where = f"{file}, sentence {index + 1}"
        span = spans[index] if index < len(spans) else None
        if span is None or span.text != label.text:
            problems.append(Problem("label fits no sentence", where, label.text[:80]))
            continue
        for unit in sorted(set(label.units) - known):
            problems.append(Problem("label names an unknown unit", where, unit))
        for one in label.intervals:
            if one.part >= len(trace.prompt.parts):
                problems.append(Problem("label names an unknown part", where, str(one.part)))
            elif one.end > (trace.media[one.part].duration or np.inf):
                stretch = f"{one.start:g}–{one.end:g} s of part {one.part + 1}"
                problems.append(Problem("label goes past the end", where, stretch))
        elements = labelled_elements(label.units, label.intervals, units, trace.media)
        clocks = unclocked(label.intervals)
        if clocks not in claims:
            claims[clocks] = {unit.id: cited_elements([unit], clocks) for unit in units}
        named = tuple(unit for unit in units if not elements.isdisjoint(claims[clocks][unit.id]))
        yield Target(index, label, elements, clocks, claims[clocks], named)


def method_scores(
    method: Method,
    explanation: Explanation,
    targets: Sequence[Target],
    lanes: Sequence[str] = LANES,
) -> dict[tuple[Method, str], Sums]:
    """Modality → sums, of what an explanation cites on these lanes."""
    cited = [
        [one.unit for one in explanation.spans[target.span].sources if one.unit.lane in lanes]
        for target in targets
    ]
    return {(method, modality): sums for modality, sums in _sums(cited, targets)}


def _stream_scores(
    signal: str, explanation: Explanation, targets: Sequence[Target]
) -> dict[tuple[Method, str], Sums]:
    found: dict[tuple[Method, str], Sums] = {}
    if {unit.lane for unit in explanation.sources.units} >= set(STREAMS):
        for lane, name in STREAMS.items():
            found |= method_scores(Method(signal, name), explanation, targets, (lane,))
    return found


def _random_scores(
    signal: str, explanation: Explanation, targets: Sequence[Target], answer_id: str
) -> dict[tuple[Method, str], Sums]:
    units = explanation.sources.units
    counts = np.array([len(explanation.spans[t.span].sources) for t in targets], int)
    totals: dict[str, np.ndarray] = {}
    for draw in random_citations(counts, len(units), int(answer_id, 16)):
        cited = [[units[index] for index in chosen] for chosen in draw]
        for modality, sums in _sums(cited, targets):
            totals[modality] = totals.get(modality, np.zeros(4)) + np.array(sums) / DRAWS
    method = Method(signal, RANDOM)
    return {(method, modality): Sums(*total.tolist()) for modality, total in totals.items()}


def _sums(
    cited: Sequence[Sequence[SourceUnit]], targets: Sequence[Target]
) -> Iterator[tuple[str, Sums]]:
    """Modality → sums, of the units that each target's sentence cites."""
    return sums_of(
        (frozenset().union(*(target.claims[unit.id] for unit in units)), target.elements)
        for units, target in zip(cited, targets, strict=True)
    )


def sums_of(
    pairs: Iterable[tuple[frozenset[Element], frozenset[Element]]],
) -> Iterator[tuple[str, Sums]]:
    """Modality → sums of ``(cited, labelled)``; a modality that no sentence names is left out."""
    compared: dict[str, list[tuple[float, float, float]]] = {}
    for elements, labelled in pairs:
        for modality in (OVERALL, *MODALITIES):
            if modality == OVERALL:
                one = agreement(elements, labelled)
            else:
                one = agreement(of_modality(elements, modality), of_modality(labelled, modality))
                if not one.cited and not one.labelled:
                    continue
            compared.setdefault(modality, []).append((one.precision, one.recall, one.f1))
    for modality, values in compared.items():
        yield modality, Sums(*map(sum, zip(*values, strict=True)), len(values))


def _study(explanation: Explanation, targets: Sequence[Target], choice: Choice | None) -> Studied:
    sources = explanation.sources
    cited = (one.unit for span in explanation.spans for one in span.sources)
    mixed = {unit.lane for unit in sources.units} >= {"text", "image"}
    masses = (image_mass(explanation.spans[t.span], t.named) for t in targets if mixed)
    compared = consistency(explanation, choice, options_of(sources)) if choice else None
    return Studied(
        _positions(sources, cited),
        tuple(mass for mass in masses if mass),
        None if compared is None else compared.traced or "",
    )


def _positions(sources: Sources, units: Iterable[SourceUnit]) -> tuple[float, ...]:
    at = dict(zip((unit.id for unit in sources.units), unit_positions(sources), strict=True))
    return tuple(float(at[unit.id]) for unit in units)


def task_of(extra: Mapping[str, Any], sources: Sources) -> str:
    """The sample's task, or the prompt's lanes where there is no sample."""
    present = {unit.lane for unit in sources.units}
    lanes = " + ".join(lane for lane in LANES if lane in present) or "nothing"
    return str(extra.get("task") or lanes)


def _right(letter: str | None, words: Mapping[str, str], answer: object) -> bool | None:
    """A choice that cannot be parsed is wrong; an answer that names no option tells nothing."""
    expected = expected_choice(answer, words) if words and isinstance(answer, str) else None
    return None if expected is None else letter == expected


def _rouge(answer: str, reference: object) -> float | None:
    return rouge_l(answer, reference) if isinstance(reference, str) and reference.strip() else None
