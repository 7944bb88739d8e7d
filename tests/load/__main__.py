"""Stand in public: figures of a crowd and of a siege, against the program in its own process.

python -m tests.load crowd --visitors 20 --seconds 120
python -m tests.load siege --files 300
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from core.samples import read_samples
from tests.load.crowd import answers_alone, crowd
from tests.load.program import Program, running
from tests.load.siege import besiege

SAMPLES = Path(__file__).resolve().parents[2] / "assets" / "heldout" / "samples.json"
QUIET_SECONDS = 45
"""Longer than the program takes to forget those who left."""


def main() -> int:
    """Run one of both; the exit status says whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    commands = parser.add_subparsers(required=True)
    many = commands.add_parser("crowd", help="many visitors at once")
    many.add_argument("--visitors", type=int, default=20)
    many.add_argument("--seconds", type=float, default=120)
    many.set_defaults(command=_crowd)
    hostile = commands.add_parser("siege", help="hostile files and requests")
    hostile.add_argument("--files", type=int, default=300)
    hostile.set_defaults(command=_siege)
    args = parser.parse_args()
    return args.command(args)


def _crowd(args: argparse.Namespace) -> int:
    prompts = [sample.prompt() for sample in read_samples(SAMPLES)[: args.visitors]]
    known = answers_alone(prompts)
    with running("--per-address", "64", "--waiting", "64", "--keep-minutes", "0") as program:
        crowd(program.url, known, 0)
        before = _settled(program)
        outcome = crowd(program.url, known, args.seconds)
        after = _settled(program)
    change = after / before - 1
    print(
        f"{len(known)} visitors, {args.seconds:.0f} s: {outcome.answers} answers, "
        f"{outcome.said['waited in line']} after waiting in line; median "
        f"{statistics.median(outcome.seconds):.1f} s, slowest {max(outcome.seconds):.1f} s\n"
        f"mixed up, lost or failed: {len(outcome.wrong)}\n"
        f"memory: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after ({change:+.1%})"
    )
    for line in outcome.wrong[:20]:
        print(" ", line)
    return int(bool(outcome.wrong) or abs(change) > 0.05)


def _siege(args: argparse.Namespace) -> int:
    with running("--keep-minutes", "0") as program:
        before = _settled(program)
        siege = besiege(program.url, args.files)
        alive = program.alive
        after = _settled(program)
    print(
        f"{siege.files} hostile files: {siege.refused_uploads} uploads refused, {siege.told} told, "
        f"{siege.used} usable after all; {siege.requests} malformed requests; slowest "
        f"{siege.slowest:.1f} s; the program {'lives' if alive else 'DIED'}\n"
        f"crashes, hangs, leaks: {len(siege.wrong)}\n"
        f"memory: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after"
    )
    for line in siege.wrong[:40]:
        print(" ", line)
    return int(bool(siege.wrong) or not alive)


def _settled(program: Program) -> int:
    """Memory once those who left are forgotten."""
    time.sleep(QUIET_SECONDS)
    return program.memory


if __name__ == "__main__":
    raise SystemExit(main())
