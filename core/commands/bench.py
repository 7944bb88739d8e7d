"""``python -m core bench NAME``: measure, and print a table."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from core.terminal import positive

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


def add_to(commands: argparse._SubParsersAction) -> None:
    """Every bench and its options."""
    bench = commands.add_parser("bench", help="measure, and print a table")
    names = bench.add_subparsers(required=True, metavar="|".join(BENCHES))
    for name in BENCHES:
        one = names.add_parser(name)
        one.add_argument("--json", action="store_true", help="for programs")
        one.set_defaults(command=_bench, name=name)
        _BENCH_OPTIONS.get(name, lambda _: None)(one)


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


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(positive, text.split(",")))


def _bench(args: argparse.Namespace) -> int:
    options = {key: value for key, value in vars(args).items() if key not in ("command", "name")}
    return import_module(BENCHES[args.name]).run(**options)
