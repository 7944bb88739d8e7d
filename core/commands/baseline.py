"""``python -m core baseline NAME TRACES --out FILE``: predictions for ``core evaluate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.terminal import positive, printable

if TYPE_CHECKING:
    from core.evaluation.baselines.run import Predict
    from core.models.base import TracedModel
    from core.trace import Trace

NAMES = ("self", "embedding", "clip")


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    baseline = commands.add_parser("baseline", help="what a post-hoc method cites")
    baseline.add_argument(
        "name",
        choices=NAMES,
        help="self-attribution; vectors by the model's own embeddings, or by CLIP",
    )
    baseline.add_argument("traces", type=Path, help="folder of .omnitrace files")
    baseline.add_argument("--out", type=Path, required=True, metavar="FILE.jsonl")
    baseline.add_argument(
        "--model",
        default="",
        help="the one that answered (embedded); for clip: a folder or hub id (the paper's)",
    )
    baseline.add_argument("--device", help="e.g. cuda:0; default: CUDA if present, else CPU")
    baseline.add_argument("--trust-remote-code", action="store_true", help="as for core trace")
    baseline.add_argument(
        "--threshold",
        type=_thresholds,
        metavar="C,C…",
        help="of the cosine (0.25); several are a sweep, each a method of its own",
    )
    baseline.add_argument("--limit", type=positive, help="only the first N answers")
    baseline.set_defaults(command=_baseline)


def _thresholds(text: str) -> tuple[float, ...]:
    found = tuple(map(float, text.split(",")))
    if not all(-1 <= one <= 1 for one in found):
        raise argparse.ArgumentTypeError(f"{text}: a cosine is from -1 to 1")
    return found


def _baseline(args: argparse.Namespace) -> int:
    from core.evaluation.baselines.run import predict_folder
    from core.evaluation.labels import write_labels

    predict, applies = _method(args)
    predicted = predict_folder(args.traces, predict, applies=applies, limit=args.limit)
    write_labels(args.out, predicted.labels)
    malformed = sum(bool(label.malformed) for label in predicted.labels)
    print(f"{len(predicted.labels)} predictions, {malformed} of them malformed", file=sys.stderr)
    if predicted.passed:
        print(
            f"{len(predicted.passed)} answers left out: this baseline knows text and pictures only",
            file=sys.stderr,
        )
    for name, message in predicted.failed:
        print(f"  {printable(name)}: {printable(message)}", file=sys.stderr)
    return 1 if predicted.failed else 0


def _method(args: argparse.Namespace) -> tuple[Predict, Callable[[Trace], bool]]:
    """The baseline that was asked for, and to which traces it applies."""
    from core.evaluation.baselines import self_attribution, similarity

    if args.name == "self":
        if args.threshold:
            raise InputError("Self-attribution has no threshold: leave it out.")
        model = _model(args)
        return lambda trace: self_attribution.predict(trace, model), lambda trace: True
    if args.name == "clip":
        from core.evaluation.baselines.clip import load_clip

        embedder: similarity.Embedder = load_clip(args.model, device=args.device)
    else:
        from core.evaluation.baselines.own_embeddings import OwnEmbeddings

        embedder = OwnEmbeddings(_model(args))
    thresholds = args.threshold or (similarity.THRESHOLD,)
    return lambda trace: similarity.predict(trace, embedder, thresholds), similarity.applies_to


def _model(args: argparse.Namespace) -> TracedModel:
    from core.models.registry import load_model

    return load_model(
        args.model or "embedded", device=args.device, trust_remote_code=args.trust_remote_code
    )
