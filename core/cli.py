"""The command line: ``python -m core trace | explain | bench``.

It only parses, calls the public face and prints; what it prints for programs (``--json``) is the
documented output of ``core.explain.to_json`` and of each bench.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import OmniTraceError

if TYPE_CHECKING:
    from core.batch.run import Runner

BENCHES = {
    "world": "core.world.bench",
    "decoding": "core.benchmarks.decoding",
    "curation": "core.benchmarks.curation",
}
"""Bench name → module with ``run(...) -> int``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the process's exit status (1: a failure that was explained)."""
    args = _parser().parse_args(argv)
    try:
        return args.command(args)
    except OmniTraceError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def printable(text: str) -> str:
    """Text safe to show in a terminal: control characters (escape sequences too) made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    trace = commands.add_parser("trace", help="trace every sample of a file")
    trace.add_argument("samples", type=Path, help="SAMPLES.json in the published format")
    trace.add_argument("--model", default="embedded", help="name, hub id or folder (%(default)s)")
    trace.add_argument("--out", type=Path, required=True, help="folder for the .omnitrace files")
    trace.add_argument("--signals", default="attmean,rawatt", help="comma-separated (%(default)s)")
    trace.add_argument("--max-new-tokens", type=_positive, default=256, help="(%(default)s)")
    trace.add_argument("--no-repeat-ngram-size", type=int, default=0, help="0: off (%(default)s)")
    trace.add_argument("--device", help="e.g. cuda:0; default: CUDA if present, else CPU")
    trace.add_argument("--device-map", help="e.g. auto, for models that outgrow one GPU")
    trace.add_argument("--limit", type=_positive, help="only the first N samples")
    trace.add_argument("--ray", action="store_true", help="in several processes, by Ray Data")
    trace.add_argument("--actors", type=_positive, help="with --ray: so many; default: one a GPU")
    trace.set_defaults(command=_trace)

    explain = commands.add_parser("explain", help="spans and sources of a saved trace")
    explain.add_argument("trace", type=Path, metavar="FILE.omnitrace")
    explain.add_argument("--signal", help="default: the first recorded")
    explain.add_argument("--preset", default="default", help="curation preset (%(default)s)")
    explain.add_argument("--bin", type=float, default=1.0, help="seconds a time bin (%(default)s)")
    explain.add_argument("--json", action="store_true", help="for programs")
    explain.set_defaults(command=_explain)

    bench = commands.add_parser("bench", help="measure, and print a table")
    names = bench.add_subparsers(required=True, metavar="|".join(BENCHES))
    for name in BENCHES:
        one = names.add_parser(name)
        one.add_argument("--json", action="store_true", help="for programs")
        one.set_defaults(command=_bench, name=name)
        if name == "world":
            one.add_argument("--model", default="embedded", help="(%(default)s)")
            one.add_argument("--limit", type=_positive, help="only the first N prompts")
            one.add_argument("--compare", action="store_true", help="signals × assignments × lanes")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def _trace(args: argparse.Namespace) -> int:
    from core.batch import ModelChoice, Recipe, trace_samples
    from core.samples import read_samples
    from core.trace import Generation

    samples = read_samples(args.samples)[: args.limit]
    generation = Generation(
        max_new_tokens=args.max_new_tokens, no_repeat_ngram_size=args.no_repeat_ngram_size
    )
    outcome = trace_samples(
        ModelChoice(args.model, args.device, args.device_map),
        samples,
        args.out,
        Recipe(tuple(args.signals.split(",")), generation),
        runner=_runner(args),
    )
    print(
        f"{outcome.traced} traced, {outcome.present} already there, {len(outcome.failed)} failed",
        file=sys.stderr,
    )
    for name, message in outcome.failed:
        print(f"  {printable(name)}: {printable(message)}", file=sys.stderr)
    return 1 if outcome.failed else 0


def _runner(args: argparse.Namespace) -> Runner:
    """Who traces.

    Raises:
        InputError: actors were asked for, and not Ray.
    """
    from core.batch.run import trace_here
    from core.errors import InputError

    if args.ray:
        from core.batch.on_ray import trace_on_ray

        return partial(trace_on_ray, actors=args.actors)
    if args.actors is not None:
        raise InputError("Actors are processes of Ray: give --ray too.")
    return trace_here


def _explain(args: argparse.Namespace) -> int:
    from core.curation import Curation
    from core.errors import InputError
    from core.explain import explain, to_json
    from core.sources import Granularity
    from core.trace import Trace

    presets = Curation.presets()
    if args.preset not in presets:
        raise InputError(f"No preset {args.preset!r}. Known: {', '.join(presets)}.")
    explanation = explain(
        Trace.load(args.trace),
        signal=args.signal,
        curation=presets[args.preset],
        granularity=Granularity(bin_seconds=args.bin),
    )
    if args.json:
        json.dump(to_json(explanation), sys.stdout, ensure_ascii=False, indent=1)
        print()
        return 0
    for span in explanation.spans:
        print(f"{span.index + 1:>3}  {printable(span.text)}")
        for cited in span.sources:
            words = f"  “{printable(cited.unit.text)}”" if cited.unit.text else ""
            print(f"     {cited.share:4.0%}  {cited.unit.label}{words}")
        if not span.sources:
            own = " (drawn from the answer's own earlier words)" if span.drawn_from_own else ""
            print(f"           no source{own}")
    return 0


def _bench(args: argparse.Namespace) -> int:
    options = {key: value for key, value in vars(args).items() if key not in ("command", "name")}
    return import_module(BENCHES[args.name]).run(**options)
