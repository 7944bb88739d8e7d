"""What a visitor can start from: examples of the held-out set, and traces that were saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.prompt import Prompt
from core.samples import Sample, read_samples

SUFFIX = ".omnitrace"
_PER_TASK = 2


@dataclass(frozen=True)
class Example:
    """One example: its title on the page, and what it puts into the form."""

    title: str
    sample: Sample


@dataclass(frozen=True)
class Library:
    """Examples and saved traces of this server; both may be empty."""

    examples: tuple[Example, ...] = ()
    traces: tuple[tuple[str, Path], ...] = ()

    @classmethod
    def read(cls, samples: Path, traces: Path) -> Library:
        """What the two places hold: a file of samples, a folder of trace files.

        Raises:
            InputError: the file of samples is there but malformed.
        """
        examples = choose(read_samples(samples)) if samples.is_file() else ()
        files = sorted(traces.glob(f"*{SUFFIX}"))
        return cls(examples, tuple((path.stem, path) for path in files))

    def trace(self, name: str) -> Path:
        """The file of a saved trace.

        Raises:
            InputError: there is none of that name.
        """
        known = dict(self.traces)
        if name not in known:
            raise InputError(f"No saved trace {name!r} here. Known: {', '.join(known) or 'none'}.")
        return known[name]

    def is_example(self, prompt: Prompt) -> bool:
        """Whether a prompt says what one of the examples does."""
        return any(_said(example.sample.prompt()) == _said(prompt) for example in self.examples)


def choose(samples: Sequence[Sample]) -> tuple[Example, ...]:
    """The first few samples of every task, in the file's order."""
    counts: dict[str, int] = {}
    chosen = []
    for sample in samples:
        task = str(sample.extra.get("task", ""))
        counts[task] = counts.get(task, 0) + 1
        if counts[task] <= _PER_TASK:
            chosen.append(Example(_title(sample, task), sample))
    return tuple(chosen)


def _title(sample: Sample, task: str) -> str:
    return task or sample.instruction


def _said(prompt: Prompt) -> tuple[str, tuple[str, ...]]:
    return prompt.instruction, tuple(getattr(p, "text", None) or p.name for p in prompt.parts)
