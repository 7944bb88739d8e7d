"""``python -m core trace``: every sample of a file, traced into a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.commands import segmenting
from core.errors import InputError, OmniTraceError
from core.terminal import positive, printable

if TYPE_CHECKING:
    from core.batch import ModelChoice, Outcome, Recipe
    from core.batch.run import Runner
    from core.samples import Sample


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    trace = commands.add_parser("trace", help="trace every sample of a file")
    trace.add_argument("samples", type=Path, help="SAMPLES.json in the published format")
    trace.add_argument("--model", default="embedded", help="name, hub id or folder (%(default)s)")
    trace.add_argument("--out", type=Path, required=True, help="folder for the .omnitrace files")
    trace.add_argument("--signals", default="attmean,rawatt", help="comma-separated (%(default)s)")
    trace.add_argument("--max-new-tokens", type=positive, default=256, help="(%(default)s)")
    trace.add_argument("--no-repeat-ngram-size", type=int, default=0, help="0: off (%(default)s)")
    trace.add_argument("--device", help="e.g. cuda:0; default: CUDA if present, else CPU")
    trace.add_argument("--device-map", help="e.g. auto, for models that outgrow one GPU")
    trace.add_argument("--quantization", choices=("4bit", "8bit"), help="of the weights; on CUDA")
    trace.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run code that comes with the model's files: it may do all that you may (MiniCPM-o)",
    )
    trace.add_argument("--limit", type=positive, help="only the first N samples")
    trace.add_argument(
        "--response-key", metavar="KEY", help="trace the answer that each sample holds under KEY"
    )
    trace.add_argument(
        "--verify", action="store_true", help="answer again untraced, and state whether it is equal"
    )
    trace.add_argument(
        "--compile",
        action="store_true",
        help="one compiled graph a token (CUDA graphs), where model and signals can",
    )
    trace.add_argument(
        "--estimate", action="store_true", help="only print what each sample will take, roughly"
    )
    segmenting.add_to(trace, "also keep in each trace what this one finds in its sound")
    trace.add_argument("--ray", action="store_true", help="in several processes, by Ray Data")
    trace.add_argument("--actors", type=positive, help="with --ray: so many; default: one a GPU")
    trace.set_defaults(command=_trace)


def _trace(args: argparse.Namespace) -> int:
    from core.batch import ModelChoice, Recipe, trace_samples
    from core.models.registry import TRUST_WARNING
    from core.samples import read_samples
    from core.trace import Generation

    if args.trust_remote_code:
        print(TRUST_WARNING, file=sys.stderr)
    samples = read_samples(args.samples)[: args.limit]
    choice = ModelChoice(
        args.model, args.device, args.device_map, args.quantization, args.trust_remote_code
    )
    segmenter = segmenting.segmenter(args)
    generation = Generation(
        max_new_tokens=args.max_new_tokens, no_repeat_ngram_size=args.no_repeat_ngram_size
    )
    recipe = Recipe(
        tuple(args.signals.split(",")), generation, args.response_key, args.verify, args.compile
    )
    if args.estimate:
        return _estimate(choice, samples, recipe)
    outcome = trace_samples(
        choice, samples, args.out, recipe, runner=_runner(args), segmenter=segmenter
    )
    _tell(outcome, verified=args.verify)
    return 1 if outcome.failed or outcome.differing else 0


def _tell(outcome: Outcome, *, verified: bool) -> None:
    print(
        f"{outcome.traced} traced, {outcome.present} already there, {len(outcome.failed)} failed",
        file=sys.stderr,
    )
    for name, message in outcome.failed:
        print(f"  {printable(name)}: {printable(message)}", file=sys.stderr)
    if verified:
        equal = outcome.traced - len(outcome.differing)
        print(f"{equal} of {outcome.traced} answers equal the untraced ones", file=sys.stderr)
    for name in outcome.differing:
        print(f"  {printable(name)}: another answer than untraced", file=sys.stderr)


def _estimate(choice: ModelChoice, samples: Sequence[Sample], recipe: Recipe) -> int:
    """Print what each sample will take; return 1 if one will not fit, or cannot be read."""
    from core.cost import estimate

    model, sound = choice.load(), True
    for sample in samples:
        name = printable(f"sample {sample.entry} (id {sample.id})")
        try:
            expected = estimate(
                model, sample.prompt(), signals=recipe.signals, generation=recipe.generation
            )
        except OmniTraceError as error:
            print(f"{name}: {printable(str(error))}")
            sound = False
        else:
            print(f"{name}: {expected.told()}")
            sound &= expected.fits
    return 0 if sound else 1


def _runner(args: argparse.Namespace) -> Runner:
    """Who traces.

    Raises:
        InputError: actors were asked for, and not Ray.
    """
    from core.batch.run import trace_here

    if args.ray:
        from core.batch.on_ray import trace_on_ray

        return partial(trace_on_ray, actors=args.actors)
    if args.actors is not None:
        raise InputError("Actors are processes of Ray: give --ray too.")
    return trace_here
