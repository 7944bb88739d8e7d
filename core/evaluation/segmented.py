"""Figure 2a: how sound is cut, and what that does to Time-F1.

    "We compare three ASR systems … against a raw token baseline without ASR segmentation. … In the
    raw-token setting, the audio input is processed without semantic segmentation, resulting in
    fine-grained and temporally fragmented token sequences."

Traces keep what segmenters found (``core trace --segmenter``), so nothing is recognised again: each
is cut anew by every transcript that it holds, by the default bins, and by the shortest ones, which
stand for raw tokens. Labels are in seconds and hold for every cut. Curated as published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.curation import Curation
from core.evaluation.labels import Label
from core.evaluation.scoring import (
    Method,
    Result,
    cited_table,
    method_scores,
    overlap_of,
    targets_of,
)
from core.explain import Cut, choose, prepare
from core.sources import BIN_SECONDS, DEFAULT_GRANULARITY, Granularity
from core.trace import Trace

SEGMENTS = "segments: "
"""Begins the curation of a score by such a cut."""


def with_segments(result: Result, trace: Trace, labels: Mapping[int, Label]) -> Result:
    """A trace's result, with scores by every cut of its sound; only where it holds transcripts."""
    if not trace.transcripts:
        return result
    paper = Curation.presets()["paper"]
    scores = dict(result.scores)
    for name, granularity in _cuts(trace).items():
        shared = Cut.of(trace, granularity)
        # Problems of the labels are in the result already.
        units = shared.sources.units
        targets = tuple(targets_of(trace, units, shared.spans, labels, result.file, []))
        tables = {
            Method(signal, f"{SEGMENTS}{name}"): cited_table(
                choose(prepare(trace, signal=signal, shared=shared), paper).chosen,
                targets,
                len(units),
            )
            for signal in trace.signals
        }
        scores |= method_scores(tables, overlap_of(targets))
    return replace(result, scores=scores)


def _cuts(trace: Trace) -> dict[str, Granularity]:
    finest = Granularity(bin_seconds=BIN_SECONDS[0])
    return {
        f"bins of {finest.bin_seconds:g} s": finest,
        f"bins of {DEFAULT_GRANULARITY.bin_seconds:g} s": DEFAULT_GRANULARITY,
        **{name: Granularity(intervals=found) for name, found in trace.transcripts.items()},
    }
