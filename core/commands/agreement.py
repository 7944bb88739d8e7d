"""``python -m core agreement``: how far labellers agree."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from core.terminal import printable


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    agreement = commands.add_parser("agreement", help="how far labellers agree")
    agreement.add_argument("traces", type=Path, help="folder of .omnitrace files")
    agreement.add_argument("labels", type=Path, nargs="+", metavar="LABELS.jsonl")
    agreement.add_argument("--json", action="store_true", help="for programs")
    agreement.set_defaults(command=_agreement)


def _agreement(args: argparse.Namespace) -> int:
    from core.evaluation.judge.agreement import agreements
    from core.evaluation.labels import read_labels

    labels = [label for path in args.labels for label in read_labels(path)]
    rows, problems = agreements(args.traces, labels)
    if args.json:
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
        print()
    for row in () if args.json else rows:
        between = "" if row["low"] is None else f"  ({row['low']:.1f}–{row['high']:.1f})"
        left = f"; {row['left_out']} left out" if row["left_out"] else ""
        pair = printable(f"{row['first']} | {row['second']}")
        print(
            f"{pair}  {row['modality']:<6} F1 {row['f1']:5.1f}{between}  "
            f"{row['sentences']} sentences of {row['answers']} answers{left}"
        )
    for kind, where, detail in problems:
        print(f"{kind}: {printable(where)}: {printable(detail)}", file=sys.stderr)
    return 0
