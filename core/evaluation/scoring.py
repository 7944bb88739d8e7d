"""One trace against its labels: every signal under every curation preset, without a model.

The result is a few hundred numbers; traces can then be forgotten, so that memory does not grow with
their scores. ``core.evaluation.tables`` makes the paper's tables from many results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core.curation import DEFAULT_CURATION, Choice, Curation
from core.evaluation.baselines.chance import DRAWS, random_citations
from core.evaluation.labels import Label
from core.evaluation.metrics import Element, cited_elements, labelled_elements, unclocked
from core.evaluation.options import Choice as Selected
from core.evaluation.options import (
    consistency,
    expected_choice,
    option_words,
    options_of,
    parse_choice,
)
from core.evaluation.overlap import Asked, Overlap, Sums, by_modality
from core.evaluation.studies import image_mass, rouge_l, unit_positions
from core.explain import Cut, Prepared, SpanExplanation, choose, explain_prepared, prepare
from core.sources import Sources, SourceUnit
from core.spans import Span
from core.timeline import LANES
from core.trace import Trace

RANDOM = "random"
STREAMS = {"video_frames": "paper, frames only", "video_sound": "paper, sound only"}
"""Figure 2b: the published code curates a film's streams apart, so one alone is a part of both."""


class Method(NamedTuple):
    """A signal under a named curation (a preset, ``RANDOM``, or one of ``STREAMS``)."""

    signal: str
    curation: str


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

    ``claims``: what citing each unit claims, on this label's ``clocks``. ``named``: indices of the
    units that claim something asked for.
    """

    span: int
    label: Label
    elements: frozenset[Element]
    clocks: frozenset[int]
    claims: Sequence[frozenset[Element]]
    named: tuple[int, ...]


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
    studied: dict[str, Studied] = {}
    shared = Cut.of(trace)
    units = shared.sources.units
    targets = tuple(targets_of(trace, units, shared.spans, labels, file, problems))
    overlap = overlap_of(targets)
    at = unit_positions(shared.sources)
    words = option_words(shared.sources, options_of(shared.sources))
    choice = parse_choice(trace.answer, words) if words else None
    for signal in trace.signals:
        prepared = prepare(trace, signal=signal, shared=shared)
        chosen = {
            name: choose(prepared, curation).chosen for name, curation in Curation.presets().items()
        }
        tables = {name: cited_table(some, targets, len(units)) for name, some in chosen.items()}
        tables |= _streams(tables["paper"], shared.sources)
        scores |= method_scores({Method(signal, name): t for name, t in tables.items()}, overlap)
        scores |= _random_scores(Method(signal, RANDOM), tables["default"], overlap, answer_id)
        studied[signal] = Studied(
            _positions(at, (one.unit for some in chosen["default"] for one in some)),
            _image_masses(chosen["default"], targets, shared.sources),
            _traced_option(prepared, choice),
        )
    return Result(
        file=file,
        answer_id=answer_id,
        model=trace.model.name,
        task=task_of(extra, shared.sources),
        is_choice=bool(words),
        chosen_option=choice.letter if choice else None,
        right=_right(choice.letter if choice else None, words, extra.get("answer")),
        rouge=None if words else _rouge(trace.answer, extra.get("answer")),
        labelled_at=_positions(at, (unit for target in targets for unit in target.named)),
        labelled=len(targets),
        unlabelled=len(shared.spans) - len(targets),
        tokens=len(trace.tokens),
        timings=trace.timings,
        recorded=sum(scores.nbytes for scores in trace.scores.values()) // len(trace.signals),
        scores=scores,
        studied=studied,
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
    claims: dict[frozenset[int], Sequence[frozenset[Element]]] = {}
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
            claims[clocks] = [cited_elements([unit], clocks) for unit in units]
        named = (n for n, one in enumerate(claims[clocks]) if not elements.isdisjoint(one))
        yield Target(index, label, elements, clocks, claims[clocks], tuple(named))


def overlap_of(targets: Sequence[Target]) -> Overlap:
    """The targets, ready to be compared with ``cited_table``s."""
    return Overlap.of([Asked(target.elements, target.claims) for target in targets])


def cited_table(
    chosen: Sequence[Sequence[Choice]], targets: Sequence[Target], n_units: int
) -> np.ndarray:
    """What the targets' sentences cite, bool ``(n_targets, n_units)``, of every span's choices."""
    table = np.zeros((len(targets), n_units), bool)
    for row, target in zip(table, targets, strict=True):
        row[[choice.unit for choice in chosen[target.span]]] = True
    return table


def method_scores(
    tables: Mapping[Method, np.ndarray], overlap: Overlap
) -> dict[tuple[Method, str], Sums]:
    """Method and modality → sums, of what each method cites."""
    sums = overlap.sums(np.stack(list(tables.values())))
    return {
        (method, modality): found
        for method, row in zip(tables, sums, strict=True)
        for modality, found in by_modality(row).items()
    }


def _streams(cited: np.ndarray, sources: Sources) -> dict[str, np.ndarray]:
    """Of a film with sound, what is cited of one stream alone (figure 2b)."""
    lanes = {name: sources.lane_of == LANES.index(lane) for lane, name in STREAMS.items()}
    both = all(held.any() for held in lanes.values())
    return {name: cited & held for name, held in lanes.items()} if both else {}


def _random_scores(
    method: Method, cited: np.ndarray, overlap: Overlap, answer_id: str
) -> dict[tuple[Method, str], Sums]:
    """As many units at random as are cited, mean over the draws."""
    drawn = random_citations(cited.sum(axis=1), cited.shape[1], int(answer_id, 16))
    tables = np.zeros((DRAWS, *cited.shape), bool)
    for table, draw in zip(tables, drawn, strict=True):
        for row, units in zip(table, draw, strict=True):
            row[units] = True
    mean = np.add.accumulate(overlap.sums(tables) / DRAWS)[-1]
    return {(method, modality): sums for modality, sums in by_modality(mean).items()}


def _image_masses(
    chosen: Sequence[Sequence[Choice]], targets: Sequence[Target], sources: Sources
) -> tuple[tuple[float, float], ...]:
    """Figure 3b, of prompts with text and pictures."""
    units = sources.units
    if not {unit.lane for unit in units} >= {"text", "image"}:
        return ()
    masses = (
        image_mass(
            [(units[choice.unit], choice.share) for choice in chosen[target.span]],
            [units[index] for index in target.named],
        )
        for target in targets
    )
    return tuple(mass for mass in masses if mass)


def _traced_option(prepared: Prepared, choice: Selected | None) -> str | None:
    """Appendix B.3, by the default curation."""
    if choice is None:
        return None
    explanation = explain_prepared(prepared, DEFAULT_CURATION)
    compared = consistency(explanation, choice, options_of(prepared.sources))
    return None if compared is None else compared.traced or ""


def _positions(at: np.ndarray, units: Iterable[int]) -> tuple[float, ...]:
    return tuple(at[list(units)].tolist())


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
