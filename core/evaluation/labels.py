"""Labels: which sources support a sentence, by whom it was said (section 4.1, "Ground-truth").

A label file is JSON Lines, UTF-8; files can be concatenated. Every line is one label:

    {"format": 2, "answer_id": "0f1e2d3c4b5a6978", "span": 0, "text": "The first picture shows …",
     "units": ["p0.0"], "intervals": [{"part": 2, "lane": null, "start": 0.4, "end": 1.96}],
     "by": "judge", "name": "gpt-5.2", "prompt_version": "1", "malformed": ""}

``answer_id`` names a prompt together with one answer to it (``answer_id``), so a label holds for
every trace of that answer, whatever its file is called and whichever signals it recorded. ``span``
and ``text`` are the sentence's place and its words. ``units`` are ids of sentences and pictures as
``core.sources`` cuts them by default; sound and film are given as ``intervals`` in seconds, on one
stream (``lane``) or, with ``null``, on the recording's clock. Both lists empty: nothing in the
prompt supports the sentence.

``malformed`` says why what was answered of this sentence could not be understood; it is empty of
every label that says something. Lines of format 1 have no such key. What a post-hoc baseline names
(``core.evaluation.baselines``) has the same form, and ``by`` is ``baseline``: a prediction, which
is compared with labels and never taken for one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import InputError, TraceFileError
from core.prompt import Prompt, TextPart
from core.timeline import LANES
from core.trace import Trace
from core.tracefile.checks import array, exactly, integer, number, one_of, optional, text

FORMAT = 2
LABELLERS = ("generator", "judge", "person")
"""Who may label, in rising authority: a person's word outranks a judge's."""

BASELINE = "baseline"
"""Who predicts in the same form, and is no labeller."""

TIMED_LANES = LANES[2:]

_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Interval:
    """A stretch of a recording or film.

    Attributes:
        part: index into ``prompt.parts``.
        start, end: seconds, half-open, ``0 ≤ start < end``.
        lane: one of ``TIMED_LANES``, or ``None``: the clock of the part, whichever stream.
    """

    part: int
    start: float
    end: float
    lane: str | None = None


@dataclass(frozen=True)
class Label:
    """What one labeller says of one sentence of one answer.

    Attributes:
        answer_id: ``answer_id`` of the trace.
        span: place of the sentence in the answer, from 0.
        text: its words; a label fits only a sentence with exactly these.
        units: ids of text and picture units.
        intervals: of sound and film.
        by: ``judge``, ``person``, or ``generator`` (what made the data knows the truth);
            ``baseline`` for a prediction.
        name: the model that judged, the person, the generator, or the baseline.
        prompt_version: of the judge's prompt; empty where there is none.
        malformed: why the labeller's answer could not be used; ``units`` and ``intervals`` are then
            empty, and mean nothing.
    """

    answer_id: str
    span: int
    text: str
    units: tuple[str, ...]
    intervals: tuple[Interval, ...]
    by: Literal["generator", "judge", "person", "baseline"]
    name: str
    prompt_version: str = ""
    malformed: str = ""

    @property
    def labeller(self) -> tuple[str, str, str]:
        """``(by, name, prompt_version)``."""
        return self.by, self.name, self.prompt_version


def answer_id(trace: Trace) -> str:
    """16 hexadecimal digits that name a prompt and its answer, and nothing else of a trace."""
    what = json.dumps([*prompt_key(trace.prompt), trace.answer], ensure_ascii=False)
    return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:16]


def prompt_key(prompt: Prompt) -> tuple[Any, ...]:
    """What identifies a prompt on any machine: its texts, and its media's kinds and names."""
    parts = (
        (part.kind, part.text if isinstance(part, TextPart) else part.name) for part in prompt.parts
    )
    return prompt.instruction, *parts


def write_labels(path: str | Path, labels: Iterable[Label]) -> Path:
    """Write a label file; an existing one is replaced.

    Raises:
        InputError: the file cannot be written.
    """
    path = Path(path)
    lines = (
        json.dumps({"format": FORMAT, **asdict(label)}, ensure_ascii=False) + "\n"
        for label in labels
    )
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be written: {error.strerror}.") from error
    return path


def read_labels(path: str | Path) -> tuple[Label, ...]:
    """Read and check a label file; empty lines are passed over.

    Raises:
        InputError: the file cannot be read, or a line is wrong; names the line and the key.
    """
    path = Path(path)
    labels: list[Label] = []
    lines: dict[tuple[Any, ...], int] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number_, line in enumerate(file, 1):
                if line.strip():
                    label = _label(line, f"{path.name!r}, line {number_}")
                    key = (label.answer_id, label.span, *label.labeller)
                    if key in lines:
                        raise InputError(
                            f"{path.name!r}, line {number_} says again what line {lines[key]} "
                            "says: the same labeller on the same sentence. Keep one of them."
                        )
                    lines[key] = number_
                    labels.append(label)
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name!r} is not UTF-8 text.") from error
    return tuple(labels)


def _label_id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise TraceFileError(f"{where} is not 16 hexadecimal digits.")
    return value


_SECONDS = number(0, 1e7)
_LINE = exactly(
    format=integer(1, FORMAT),
    answer_id=_label_id,
    span=integer(0, 100_000),
    text=text(1_000_000),
    units=array(text(200), 100_000),
    intervals=array(
        exactly(
            part=integer(0, 10_000),
            lane=optional(one_of(*TIMED_LANES)),
            start=_SECONDS,
            end=_SECONDS,
        ),
        100_000,
    ),
    by=one_of(*LABELLERS, BASELINE),
    name=text(1_000),
    prompt_version=text(1_000),
    malformed=text(10_000),
)


def _label(line: str, where: str) -> Label:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not valid JSON.") from error
    _check_version(value, where)
    try:
        checked = _LINE(_upgraded(value), "the label")
    except TraceFileError as error:
        raise InputError(f"{where}: {error}") from error
    intervals = tuple(Interval(**interval) for interval in checked["intervals"])
    for one in intervals:
        if one.start >= one.end:
            raise InputError(f"{where}: an interval from {one.start:g} s to {one.end:g} s is none.")
    if checked["malformed"] and (checked["units"] or intervals):
        raise InputError(f"{where} is malformed, and names sources all the same.")
    del checked["format"]
    return Label(**{**checked, "intervals": intervals})


def _check_version(value: Any, where: str) -> None:
    version = value.get("format") if isinstance(value, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise InputError(
            f"{where} has format {version}, written by a newer OmniTrace Explorer; this one reads "
            f"up to {FORMAT}. Update it to read the file."
        )


def _upgraded(value: Any) -> Any:
    """What format 1 wrote, as this one would have."""
    old = isinstance(value, dict) and value.get("format") == 1
    return {"malformed": "", **value} if old else value
