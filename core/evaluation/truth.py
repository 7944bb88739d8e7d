"""The generator's truth → labels: what made the data knows the sources of every sentence.

A sample of the miniature world carries ``sentences``, each ``{"text", "sources": [{"part", "lane",
"start", "end"}]}``: characters for text, seconds for sound and film, nothing for a picture. Only a
sentence that the model wrote word for word, in its place, can be labelled so: another one rests on
something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import TraceFileError
from core.evaluation.folder import SampleFinder, open_scores, trace_files
from core.evaluation.labels import TIMED_LANES, Interval, Label, answer_id
from core.samples import Sample
from core.sources import SourceUnit, cut
from core.spans import spans
from core.trace import Trace

Source = Mapping[str, Any]


def label_folder(folder: Path, samples: Sequence[Sample]) -> tuple[list[Label], list[str]]:
    """Labels for a folder's traces, by the truth that their samples carry.

    Returns:
        The labels, and the traces that got none, with the reason: they cannot be opened, or their
        sample was not found or carries no truth.

    Raises:
        InputError: the folder holds no traces.
    """
    finder = SampleFinder(samples)
    labels: dict[tuple[str, int], Label] = {}
    without: list[str] = []
    for path in trace_files(folder):
        try:
            trace = open_scores(path)
        except TraceFileError as error:
            without.append(str(error))
            continue
        extra = finder.extra(trace.prompt)
        if "sentences" not in extra:
            without.append(f"{path.name!r} answers no sample that carries the truth.")
            continue
        name = str(extra.get("source_dataset", "generator"))
        for label in truth_labels(extra["sentences"], trace, name=name):
            labels[label.answer_id, label.span] = label
    return list(labels.values()), without


def truth_labels(
    sentences: Sequence[Mapping[str, Any]], trace: Trace, *, name: str
) -> Iterator[Label]:
    """Labels for the sentences of an answer that are the true ones.

    Args:
        sentences: a sample's ``sentences``.
        trace: an answer to that sample.
        name: what made the data.
    """
    units = cut(trace.prompt, trace.timeline, trace.media).units
    identity = answer_id(trace)
    found = spans(trace.answer, trace.tokens)
    for index, (sentence, span) in enumerate(zip(sentences, found, strict=False)):
        if span.text == sentence["text"]:
            named, intervals = located(sentence["sources"], units)
            yield Label(identity, index, span.text, named, intervals, "generator", name)


def located(
    sources: Sequence[Source], units: Sequence[SourceUnit]
) -> tuple[tuple[str, ...], tuple[Interval, ...]]:
    """True sources as unit ids (text, pictures) and intervals (sound, film)."""
    intervals = tuple(
        Interval(source["part"], source["start"], source["end"], source["lane"])
        for source in sources
        if source["lane"] in TIMED_LANES
    )
    still = [source for source in sources if source["lane"] not in TIMED_LANES]
    named = tuple(unit.id for unit in units if any(_is_source(unit, s) for s in still))
    return named, intervals


def _is_source(unit: SourceUnit, source: Source) -> bool:
    """A picture as a whole; a text unit if more than half of it is the source."""
    if (unit.part, unit.lane) != (source["part"], source["lane"]):
        return False
    if unit.lane == "image":
        return True
    overlap = min(unit.end, source["end"]) - max(unit.start, source["start"])
    return overlap > (unit.end - unit.start) / 2
