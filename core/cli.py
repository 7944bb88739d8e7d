"""The command line: ``python -m core COMMAND``; ``--help`` lists the commands.

It only parses, calls the public face and prints; what it prints for programs (``--json``) is the
documented output of ``core.explain.to_json`` and of each bench.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.errors import OmniTraceError
from core.evaluation.baselines import command as baseline
from core.evaluation.judge import command as judge
from core.terminal import positive, printable, printable_lines

if TYPE_CHECKING:
    from core.batch import ModelChoice, Recipe
    from core.batch.run import Runner
    from core.samples import Sample
    from core.segmenters import Segmenter
    from core.sources import Granularity
    from core.trace import Trace, Transcript

BENCHES = {
    "world": "core.world.bench",
    "decoding": "core.benchmarks.decoding",
    "curation": "core.benchmarks.curation",
    "signals": "core.benchmarks.signals",
    "heads": "core.benchmarks.heads",
    "speed": "core.benchmarks.speed",
    "gpu": "core.benchmarks.gpu",
    "long": "core.benchmarks.long",
    "evaluate": "core.benchmarks.evaluation",
    "review": "core.benchmarks.review",
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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
    _add_segmenter(trace, "also keep in each trace what this one finds in its sound")
    trace.add_argument("--ray", action="store_true", help="in several processes, by Ray Data")
    trace.add_argument("--actors", type=positive, help="with --ray: so many; default: one a GPU")
    trace.set_defaults(command=_trace)

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
    _add_segmenter(
        explain, "cut sound by it, not into bins; one kept in the trace is not run again"
    )
    explain.add_argument("--json", action="store_true", help="for programs")
    explain.set_defaults(command=_explain)

    dataset = commands.add_parser("dataset", help="a published data set as a sample file")
    dataset.add_argument("name", help="mantis, mmdialog, cliconsummation, mmau, misp, videomme")
    dataset.add_argument("source", type=Path, help="its file or folder, as published")
    dataset.add_argument("--out", type=Path, required=True, help="folder for samples.json")
    dataset.set_defaults(command=_dataset)

    labels = commands.add_parser("labels", help="labels from the truth that samples carry")
    labels.add_argument("traces", type=Path, help="folder of .omnitrace files")
    labels.add_argument("--samples", type=Path, required=True, help="SAMPLES.json they answer")
    labels.add_argument("--out", type=Path, required=True, metavar="LABELS.jsonl")
    labels.set_defaults(command=_labels)

    judge.add_to(commands)
    baseline.add_to(commands)

    evaluate = commands.add_parser("evaluate", help="the paper's tables for a folder of traces")
    evaluate.add_argument("traces", type=Path, help="folder of .omnitrace files")
    evaluate.add_argument("--labels", type=Path, metavar="LABELS.jsonl")
    evaluate.add_argument("--samples", type=Path, help="SAMPLES.json: tasks and right answers")
    evaluate.add_argument(
        "--predictions",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE.jsonl",
        help="of baselines, or a second judge's labels: scored beside the signals",
    )
    evaluate.add_argument(
        "--causal", metavar="MODEL", help="that answered: hide sources from it; needs no labels"
    )
    evaluate.add_argument("--out", type=Path, required=True, help="folder for the report")
    evaluate.add_argument("--jobs", type=positive, help="processes; default: one a core")
    evaluate.set_defaults(command=_evaluate)

    board = commands.add_parser("leaderboard", help="signals × models × settings of many reports")
    board.add_argument("reports", type=Path, help="folder of reports, at any depth")
    board.add_argument("--out", type=Path, required=True, help="folder for HTML, CSV and JSON")
    board.set_defaults(command=_leaderboard)

    _add_review(commands.add_parser("review", help="people check a judge's labels"))

    bench = commands.add_parser("bench", help="measure, and print a table")
    names = bench.add_subparsers(required=True, metavar="|".join(BENCHES))
    for name in BENCHES:
        one = names.add_parser(name)
        one.add_argument("--json", action="store_true", help="for programs")
        one.set_defaults(command=_bench, name=name)
        _BENCH_OPTIONS.get(name, lambda _: None)(one)
    return parser


def _add_review(review: argparse.ArgumentParser) -> None:
    actions = review.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, purpose: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=purpose)
        action.set_defaults(command=_review, action=name)
        if name != "create":
            action.add_argument("project", type=Path)
        return action

    create = add("create", "make a project of traces and a judge's labels")
    create.add_argument("traces", type=Path, help="folder of .omnitrace files")
    create.add_argument("--labels", type=Path, required=True, metavar="LABELS.jsonl")
    create.add_argument("--out", type=Path, required=True, metavar="PROJECT")
    create.add_argument("--annotators", type=_names, required=True, metavar="NAME,NAME")
    create.add_argument("--leads", type=_names, default=[], metavar="NAME,NAME")
    create.add_argument("--overlap", type=float, default=0.2, help="share for all (%(default)s)")
    create.add_argument("--seed", type=int, default=1, help="of shares and orders (%(default)s)")
    create.add_argument(
        "--blind", action="store_true", help="hide judge and model until a sentence is committed"
    )
    create.add_argument("--samples", type=Path, help="SAMPLES.json: names of the tasks")

    add("status", "progress, agreement, disputed sentences")
    export = add("export", "labels.jsonl and verdicts.parquet")
    export.add_argument("--out", type=Path, required=True, help="folder")
    export.add_argument("--label-studio", action="store_true", help="tasks and media for it too")
    bring = add("import", "verdicts of people: .jsonl, .parquet, or .json of Label Studio")
    bring.add_argument("file", type=Path)
    bring.add_argument(
        "--as",
        dest="names",
        type=_names,
        default=[],
        metavar="ID=NAME,…",
        help="who Label Studio's users are here",
    )
    backup = add("backup", "copy the store while people work")
    backup.add_argument("--out", type=Path, required=True, metavar="FILE.sqlite3")
    upload = add("upload", "exports to a private hub data set, on a schedule (HF_TOKEN)")
    upload.add_argument("--dataset", required=True, metavar="OWNER/NAME")
    upload.add_argument("--out", type=Path, required=True, help="folder for the exports")
    upload.add_argument("--every", type=positive, default=30, help="minutes (%(default)s)")
    user = add("adduser", "let somebody in, or change role and password")
    user.add_argument("name")
    user.add_argument("--role", choices=("annotator", "lead"), default="annotator")
    user.add_argument("--password", action="store_true", help="ask for one (from a pipe: a line)")


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name.strip()]


def _of_a_model(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--model", default="embedded", help="(%(default)s)")
    bench.add_argument("--limit", type=positive, help="only the first N prompts")


def _world_options(bench: argparse.ArgumentParser) -> None:
    _of_a_model(bench)
    bench.add_argument("--compare", action="store_true", help="signals × assignments × lanes")


def _signals_options(bench: argparse.ArgumentParser) -> None:
    _of_a_model(bench)
    bench.add_argument("--real", metavar="FOLDER", help="a second table: this model, on writing")
    bench.add_argument(
        "--no-costs", dest="costs", action="store_false", help="leave out time and memory"
    )


def _heads_options(bench: argparse.ArgumentParser) -> None:
    _of_a_model(bench)
    bench.add_argument("--samples", type=Path, required=True, help="with known sources, to pick on")
    bench.add_argument("--most", type=positive, default=12, help="so many heads (%(default)s)")
    bench.add_argument("--out", type=Path, metavar="FOLDER", help="write the table beside weights")


def _evaluate_options(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--traces", type=positive, default=4, help="of each kind (%(default)s)")
    bench.add_argument("--jobs", type=positive, default=2, help="processes (%(default)s)")


def _speed_options(bench: argparse.ArgumentParser) -> None:
    bench.add_argument(
        "--positions", type=_numbers, default=(256, 1_024, 2_048), help="of the prompts: 256,1024"
    )
    bench.add_argument("--tokens", type=positive, default=16, help="(%(default)s)")


def _gpu_options(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--tiny", action="store_true", help="small shapes: only proves the script")


def _long_options(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--tokens", type=positive, default=512, help="(%(default)s)")


_BENCH_OPTIONS = {
    "long": _long_options,
    "speed": _speed_options,
    "gpu": _gpu_options,
    "evaluate": _evaluate_options,
    "world": _world_options,
    "signals": _signals_options,
    "heads": _heads_options,
}


def _add_segmenter(command: argparse.ArgumentParser, purpose: str) -> None:
    command.add_argument(
        "--segmenter",
        metavar="NAME[:MODEL]",
        help=f"{purpose}: bins:2, pauses, whisper:small, whisper:FOLDER, paraformer:FOLDER, scribe",
    )
    command.add_argument(
        "--chunks",
        metavar="MODEL",
        help="merge its sentences into semantic chunks by this embedding model (folder or hub id)",
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(positive, text.split(",")))


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
    segmenter = _segmenter(args)
    generation = Generation(
        max_new_tokens=args.max_new_tokens, no_repeat_ngram_size=args.no_repeat_ngram_size
    )
    recipe = Recipe(
        tuple(args.signals.split(",")), generation, args.response_key, args.verify, args.compile
    )
    if args.estimate:
        return _estimate(choice, samples, recipe)
    outcome = trace_samples(
        choice,
        samples,
        args.out,
        recipe,
        runner=_runner(args),
        segmenter=segmenter,
    )
    print(
        f"{outcome.traced} traced, {outcome.present} already there, {len(outcome.failed)} failed",
        file=sys.stderr,
    )
    for name, message in outcome.failed:
        print(f"  {printable(name)}: {printable(message)}", file=sys.stderr)
    if args.verify:
        equal = outcome.traced - len(outcome.differing)
        print(f"{equal} of {outcome.traced} answers equal the untraced ones", file=sys.stderr)
    for name in outcome.differing:
        print(f"  {printable(name)}: another answer than untraced", file=sys.stderr)
    return 1 if outcome.failed or outcome.differing else 0


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
        document = to_json(explanation)
        document |= {"stopped": recorded.stopped, "shortage": recorded.shortage}
        if segments is not None:
            document["segments"] = {
                part: [segment._asdict() for segment in found] for part, found in segments.items()
            }
        json.dump(document, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return 0
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
    return 0


def _granularity(bin_seconds: float | None) -> Granularity:
    from core.sources import DEFAULT_GRANULARITY, Granularity

    if bin_seconds is None:
        return DEFAULT_GRANULARITY
    return Granularity(time="bins", bin_seconds=bin_seconds)


def _segmenter(args: argparse.Namespace) -> Segmenter | None:
    """The segmenter that was asked for, if any.

    Raises:
        InputError: chunks were asked for, and no segmenter.
    """
    if args.segmenter is None and args.chunks is None:
        return None
    from core.errors import InputError
    from core.segmenters import load_segmenter

    if args.segmenter is None:
        raise InputError("Chunks are made of what a recogniser heard: give --segmenter too.")
    return load_segmenter(args.segmenter, chunks=args.chunks)


def _segments(trace: Trace, args: argparse.Namespace) -> Transcript | None:
    """What the segmenter that was asked for finds: as the trace keeps it, else made anew."""
    if trace.transcripts and args.segmenter is not None:
        from core.segmenters import segmenter_name

        kept = trace.transcripts.get(segmenter_name(args.segmenter, chunks=args.chunks))
        if kept is not None:
            return kept
    segmenter = _segmenter(args)
    if segmenter is None:
        return None
    from core.segmenters import segment

    return segment(trace, segmenter)


def _dataset(args: argparse.Namespace) -> int:
    from core.evaluation.datasets import convert

    convert(args.name, args.source, args.out)
    return 0


def _labels(args: argparse.Namespace) -> int:
    from core.evaluation.labels import write_labels
    from core.evaluation.truth import label_folder
    from core.samples import read_samples

    labels, without = label_folder(args.traces, read_samples(args.samples))
    write_labels(args.out, labels)
    print(f"{len(labels)} labels, {len(without)} traces without truth", file=sys.stderr)
    for name in without:
        print(f"  {printable(name)}", file=sys.stderr)
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from core.errors import InputError
    from core.evaluation.evaluate import evaluate
    from core.evaluation.labels import read_labels
    from core.evaluation.report import report, told, write_report
    from core.models.registry import load_model
    from core.samples import read_samples

    samples = read_samples(args.samples) if args.samples else ()
    predictions = [one for path in args.predictions for one in read_labels(path)]
    if args.labels is None and args.causal is None:
        raise InputError("Give --labels to compare with, or --causal MODEL to judge without any.")
    labels = read_labels(args.labels) if args.labels else ()
    model = load_model(args.causal) if args.causal else None
    found = evaluate(
        args.traces, labels, samples, predictions=predictions, model=model, jobs=args.jobs
    )
    made = report(found)
    write_report(made, args.out)
    print(printable_lines(told(made)))
    return 0


def _leaderboard(args: argparse.Namespace) -> int:
    from core.evaluation.leaderboard import leaderboard, write_leaderboard

    rows, problems = leaderboard(args.reports)
    write_leaderboard(rows, problems, args.out)
    for row in rows[:20]:
        score = "–" if row["f1"] is None else f"{row['f1']:.1f}"
        named = " · ".join(row[key] for key in ("signal", "settings", "model", "report"))
        print(f"{score:>6}  {printable(named)}")
    for problem in problems:
        print(f"  no report: {printable(problem['problem'])}", file=sys.stderr)
    return 0


def _review(args: argparse.Namespace) -> int:
    from core.review.command import ACTIONS

    print(printable_lines(ACTIONS[args.action](args)))
    return 0


def _bench(args: argparse.Namespace) -> int:
    options = {key: value for key, value in vars(args).items() if key not in ("command", "name")}
    return import_module(BENCHES[args.name]).run(**options)
