"""Which segmenter: the arguments of the commands that cut sound."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    from core.segmenters import Segmenter


def add_to(command: argparse.ArgumentParser, purpose: str) -> None:
    """The arguments that ``segmenter`` reads; ``purpose`` opens the help."""
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


def segmenter(args: argparse.Namespace) -> Segmenter | None:
    """The segmenter that was asked for, if any.

    Raises:
        InputError: chunks were asked for, and no segmenter.
    """
    if args.segmenter is None and args.chunks is None:
        return None
    if args.segmenter is None:
        raise InputError("Chunks are made of what a recogniser heard: give --segmenter too.")
    from core.segmenters import load_segmenter

    return load_segmenter(args.segmenter, chunks=args.chunks)
