"""The command line: ``python -m core COMMAND``; ``--help`` lists the commands.

It only parses; each command is a file of ``core.commands``, which calls the public face and prints.
What it prints for programs (``--json``) is the documented output of ``core.explain.to_json`` and of
each bench.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from core.commands import (
    agreement,
    baseline,
    bench,
    dataset,
    evaluate,
    explain,
    judge,
    labels,
    leaderboard,
    review,
    trace,
)
from core.errors import OmniTraceError
from core.terminal import printable

COMMANDS = (
    trace,
    explain,
    dataset,
    labels,
    judge,
    agreement,
    baseline,
    evaluate,
    leaderboard,
    review,
    bench,
)
"""As ``--help`` lists them; each is a module with ``add_to(commands)``."""


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
    for command in COMMANDS:
        command.add_to(commands)
    return parser
