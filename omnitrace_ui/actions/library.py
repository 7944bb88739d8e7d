"""What a visitor can start from: examples of the held-out set, and traces that were saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.prompt import Part, Prompt, TextPart
from core.samples import Sample, read_samples

SUFFIX = ".omnitrace"

TITLES = {
    "summary-everything": "All four kinds",
    "summary-conversation": "Conversation",
    "which-pictures": "Which pictures?",
    "describe-narrated": "Narrated film",
    "describe-film": "Film",
    "summary-speech": "Speech",
    "choice-picture": "Quiz on a picture",
    "choice-speech": "Quiz on speech",
}
"""Task of the held-out set → title on the page, in the page's order."""


@dataclass(frozen=True)
class Example:
    """One example: its title on the page, and what it puts into the form."""

    title: str
    sample: Sample


@dataclass(frozen=True)
class Library:
    """Examples and saved traces of this server; all may be empty.

    Attributes:
        examples: those offered on the page.
        samples: all that the embedded model was made for; the examples are among them.
        traces: name → trace file.
    """

    examples: tuple[Example, ...] = ()
    samples: tuple[Sample, ...] = ()
    traces: tuple[tuple[str, Path], ...] = ()

    @classmethod
    def read(cls, samples: Path, *traces: Path) -> Library:
        """What the places hold: a file of samples, folders of trace files; of a name the last.

        Raises:
            InputError: the file of samples is there but malformed.
        """
        known = read_samples(samples) if samples.is_file() else ()
        files = {path.stem: path for folder in traces for path in folder.glob(f"*{SUFFIX}")}
        return cls(choose(known), tuple(known), tuple(sorted(files.items())))

    def trace(self, name: str) -> Path:
        """The file of a saved trace.

        Raises:
            InputError: there is none of that name.
        """
        known = dict(self.traces)
        if name not in known:
            raise InputError(f"No saved trace {name!r} here. Known: {', '.join(known) or 'none'}.")
        return known[name]

    def knows(self, prompt: Prompt) -> bool:
        """Whether a prompt says what one of the samples does."""
        said = (prompt.instruction, [_said(part) for part in prompt.parts])
        return any(said == (s.instruction, _asked(s)) for s in self.samples)


def choose(samples: Sequence[Sample]) -> tuple[Example, ...]:
    """Of every titled task one sample: most kinds of parts first, then most parts."""
    chosen = []
    for task, title in TITLES.items():
        candidates = [sample for sample in samples if sample.extra.get("task") == task]
        if candidates:
            chosen.append(Example(title, max(candidates, key=_richness)))
    return tuple(chosen)


def _richness(sample: Sample) -> tuple[int, int]:
    return len({kind for kind, _ in sample.question}), len(sample.question)


def _said(part: Part) -> tuple[str, str]:
    return part.kind, part.text if isinstance(part, TextPart) else part.name


def _asked(sample: Sample) -> list[tuple[str, str]]:
    return [(kind, v if kind == "text" else Path(v).name) for kind, v in sample.question]
