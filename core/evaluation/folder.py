"""A folder of traces, one at a time: opened without their media, which no explanation reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError, TraceFileError
from core.evaluation.labels import prompt_key
from core.prompt import Prompt
from core.samples import Sample
from core.trace import Trace
from core.tracefile.archive import Archive
from core.tracefile.record import decode


def trace_files(folder: Path) -> tuple[Path, ...]:
    """The trace files of a folder, by name.

    Raises:
        InputError: it is no folder, or holds none.
    """
    found = tuple(sorted(folder.glob("*.omnitrace"))) if folder.is_dir() else ()
    if not found:
        raise InputError(f"{folder.name!r} holds no .omnitrace files: run `core trace` into it.")
    return found


def open_scores(path: Path) -> Trace:
    """A trace without its media: nothing is unpacked to disk.

    Raises:
        TraceFileError: as ``core.tracefile.load_trace``.
    """
    try:
        with Archive.open(path) as archive:
            return decode(archive.document(), archive.arrays())
    except TraceFileError as error:
        raise TraceFileError(f"{path.name!r} cannot be opened: {error}") from error


class SampleFinder:
    """Finds the sample that a trace answers: by its prompt's texts and media names.

    Attributes:
        ambiguous: entries whose prompt an earlier entry has too; the earlier one is found.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._by_prompt: dict[tuple[Any, ...], Sample] = {}
        self.ambiguous: list[int] = []
        for sample in samples:
            key = _sample_key(sample)
            if self._by_prompt.setdefault(key, sample) is not sample:
                self.ambiguous.append(sample.entry)

    def find(self, prompt: Prompt) -> Sample | None:
        """The sample, or ``None``."""
        return self._by_prompt.get(prompt_key(prompt))

    def extra(self, prompt: Prompt) -> Mapping[str, Any]:
        """The sample's other keys (task, answer, …); empty where there is no sample."""
        sample = self.find(prompt)
        return sample.extra if sample else {}


def _sample_key(sample: Sample) -> tuple[Any, ...]:
    parts = (
        (kind, value if kind == "text" else Path(value).name) for kind, value in sample.question
    )
    return sample.instruction, *parts
