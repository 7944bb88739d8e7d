"""The saved traces that come with the app: ``python -m core.world.gallery --out assets/traces``.

The embedded model answers one held-out prompt of each chosen task; a server without a model to run
still has something to show.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from core.decoding import trace
from core.models.registry import load_model
from core.samples import read_samples
from core.world.bench import HELD_OUT, SIGNALS

TASKS = {
    "summary-everything": "all-four-kinds",
    "summary-conversation": "conversation",
    "describe-narrated": "narrated-film",
    "choice-speech": "quiz-on-speech",
    "which-pictures": "which-pictures",
}
"""Task of the held-out set → name of the file, which is also what the page offers."""

MOST_TOKENS = 200


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("assets/traces"))
    parser.add_argument("--model", default="embedded")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    model = load_model(args.model)
    samples = read_samples(HELD_OUT)
    for task, name in TASKS.items():
        # The last of a task: the page's examples are others where there are several.
        sample = [one for one in samples if one.extra["task"] == task][-1]
        made = trace(model, sample.prompt(), signals=SIGNALS, max_new_tokens=MOST_TOKENS)
        print(made.save(args.out / f"{name}.omnitrace").name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
