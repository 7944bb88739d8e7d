"""``python -m core labels``: the truth that samples carry, as labels."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.terminal import printable


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    labels = commands.add_parser("labels", help="labels from the truth that samples carry")
    labels.add_argument("traces", type=Path, help="folder of .omnitrace files")
    labels.add_argument("--samples", type=Path, required=True, help="SAMPLES.json they answer")
    labels.add_argument("--out", type=Path, required=True, metavar="LABELS.jsonl")
    labels.set_defaults(command=_labels)


def _labels(args: argparse.Namespace) -> int:
    from core.evaluation.labels import write_labels
    from core.evaluation.truth import label_folder
    from core.samples import read_samples

    labels, without = label_folder(args.traces, read_samples(args.samples))
    write_labels(args.out, labels)
    print(f"{len(labels)} labels, {len(without)} traces without any", file=sys.stderr)
    for why in without:
        print(f"  {printable(why)}", file=sys.stderr)
    return 0
