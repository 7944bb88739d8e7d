"""``python -m core dataset``: a published data set as a sample file."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    dataset = commands.add_parser("dataset", help="a published data set as a sample file")
    dataset.add_argument("name", help="mantis, mmdialog, cliconsummation, mmau, misp, videomme")
    dataset.add_argument("source", type=Path, help="its file or folder, as published")
    dataset.add_argument("--out", type=Path, required=True, help="folder for samples.json")
    dataset.set_defaults(command=_dataset)


def _dataset(args: argparse.Namespace) -> int:
    from core.evaluation.datasets import convert

    convert(args.name, args.source, args.out)
    return 0
