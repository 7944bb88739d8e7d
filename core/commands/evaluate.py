"""``python -m core evaluate``: the paper's tables for a folder of traces."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.errors import InputError
from core.terminal import positive, printable_lines


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
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


def _evaluate(args: argparse.Namespace) -> int:
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
