"""``python -m core leaderboard``: many reports as one table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.terminal import printable


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    board = commands.add_parser("leaderboard", help="signals × models × settings of many reports")
    board.add_argument("reports", type=Path, help="folder of reports, at any depth")
    board.add_argument("--out", type=Path, required=True, help="folder for HTML, CSV and JSON")
    board.set_defaults(command=_leaderboard)


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
