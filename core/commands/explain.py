"""``python -m core explain``: spans and sources of a saved trace."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.commands import segmenting
from core.errors import InputError
from core.terminal import printable

if TYPE_CHECKING:
    from core.explain import Explanation
    from core.sources import Granularity
    from core.trace import Trace, Transcript


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    explain = commands.add_parser("explain", help="spans and sources of a saved trace")
    explain.add_argument("trace", type=Path, metavar="FILE.omnitrace")
    explain.add_argument("--signal", help="default: the first recorded")
    explain.add_argument("--preset", default="default", help="curation preset (%(default)s)")
    explain.add_argument(
        "--bin",
        type=float,
        metavar="SECONDS",
        help="cut time into bins; default: speech between pauses, and shots of films",
    )
    segmenting.add_to(
        explain, "cut sound by it, not into bins; one kept in the trace is not run again"
    )
    explain.add_argument("--json", action="store_true", help="for programs")
    explain.set_defaults(command=_explain)


def _explain(args: argparse.Namespace) -> int:
    from core.curation import Curation
    from core.explain import explain
    from core.trace import Trace

    presets = Curation.presets()
    if args.preset not in presets:
        raise InputError(f"No preset {args.preset!r}. Known: {', '.join(presets)}.")
    with TemporaryDirectory(prefix="omnitrace-") as media:
        recorded = Trace.load(args.trace, media)
        segments = _segments(recorded, args)
    explanation = explain(
        recorded,
        signal=args.signal,
        curation=presets[args.preset],
        granularity=replace(_granularity(args.bin), intervals=segments or {}),
    )
    if args.json:
        _write(recorded, explanation, segments)
    else:
        _tell(recorded, explanation)
    return 0


def _write(recorded: Trace, explanation: Explanation, segments: Transcript | None) -> None:
    from core.explain import to_json

    document = to_json(explanation)
    document |= {"stopped": recorded.stopped, "shortage": recorded.shortage}
    if segments is not None:
        document["segments"] = {
            part: [segment._asdict() for segment in found] for part, found in segments.items()
        }
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1)
    print()


def _tell(recorded: Trace, explanation: Explanation) -> None:
    if recorded.given:
        print("(the answer was given, not generated)")
    if recorded.stopped == "cancelled":
        print("(the answer is partial: it was stopped)")
    if recorded.shortage is not None:
        print(f"({printable(recorded.shortage)})")
    for span in explanation.spans:
        print(f"{span.index + 1:>3}  {printable(span.text)}")
        for cited in span.sources:
            words = f"  “{printable(cited.unit.text)}”" if cited.unit.text else ""
            print(f"     {cited.share:4.0%}  {printable(cited.unit.label)}{words}")
        if not span.sources:
            own = " (drawn from the answer's own earlier words)" if span.drawn_from_own else ""
            print(f"           no source{own}")


def _granularity(bin_seconds: float | None) -> Granularity:
    from core.sources import DEFAULT_GRANULARITY, Granularity

    if bin_seconds is None:
        return DEFAULT_GRANULARITY
    return Granularity(time="bins", bin_seconds=bin_seconds)


def _segments(trace: Trace, args: argparse.Namespace) -> Transcript | None:
    """What the segmenter that was asked for finds: as the trace keeps it, else made anew."""
    if trace.transcripts and args.segmenter is not None:
        from core.segmenters import segmenter_name

        kept = trace.transcripts.get(segmenter_name(args.segmenter, chunks=args.chunks))
        if kept is not None:
            return kept
    segmenter = segmenting.segmenter(args)
    if segmenter is None:
        return None
    from core.segmenters import segment

    return segment(trace, segmenter)
