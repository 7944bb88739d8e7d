"""A trace → what a judge is asked about its answer (appendix B.1).

    "We give the LLM judge the chunked source as well as chunked model generation and ask it to
    treat it as a multi-label prediction problem. … [For audio and video] we give the judge the raw
    audio/video source and ask it output relevant timespans for each generated chunk."

The paper prints no prompt; this wording is ours, and ``PROMPT_VERSION`` names it in every label.
One question holds a whole answer, so that the sentences are judged in their context. A prompt that
mixes pictures with sound asks for both kinds of source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from core.errors import InputError
from core.evaluation.labels import TIMED_LANES, answer_id
from core.prompt import MediaPart, Part, Prompt, TextPart
from core.sources import SourceUnit, cut
from core.spans import spans
from core.trace import Trace

PROMPT_VERSION = "1"
"""Of the wording and the form of the answer: raise it with every change of either."""

_MOST_NAMED = 250
"""Ids that a schema lists; services refuse longer lists. Beyond, ids are checked here alone."""

_RULES = """\
You decide which sources support the sentences of an answer. A model was given an instruction \
and sources, and wrote the answer; its sentences are numbered. Judge each sentence by its meaning: \
name every source that is needed to see that the sentence is true, and no other. If the sentence \
chooses one of the options of a question, that option is a source of it. If no source supports \
the sentence, name none."""
_OF_UNITS = "Sentences of text and pictures are sources with an id in square brackets: give ids."
_OF_TIME = """\
Of recordings and films give the stretches that support the sentence, in seconds from their start \
(numbers such as 2.5), as short as they can be."""
_KINDS = {"image": "picture", "audio": "recording", "video": "film"}


@dataclass(frozen=True)
class Question:
    """What is asked about one answer.

    Attributes:
        answer_id: of the trace.
        sentences: of the answer, in order.
        units: ids that may be named: sentences of text, pictures, recordings without times.
        timed: id → (part, seconds or ``None``) of what is answered in stretches of time.
        prompt: the question as a prompt: rules, then sources in their order and form, sentences,
            and the form of the answer. Any model that takes the trace's prompt can be given it.
        schema: JSON Schema of the answer.
    """

    answer_id: str
    sentences: tuple[str, ...]
    units: tuple[str, ...]
    timed: Mapping[str, tuple[int, float | None]]
    prompt: Prompt
    schema: Mapping[str, Any]


def question_of(trace: Trace) -> Question:
    """What a judge is asked about a trace's answer.

    Raises:
        InputError: the answer has no sentence, or the prompt no source.
    """
    sentences = tuple(span.text for span in spans(trace.answer, trace.tokens))
    sources = cut(trace.prompt, trace.timeline, trace.media).units
    if not sentences or not sources:
        missing = "The prompt has no sources" if sentences else "The answer has no sentences"
        raise InputError(f"{missing}: there is nothing to judge.")
    whole = [unit for unit in sources if not _is_timed(unit)]
    timed = {
        f"p{unit.part}": (unit.part, trace.media[unit.part].duration)
        for unit in sources
        if _is_timed(unit)
    }
    units = tuple(unit.id for unit in whole)
    rules = [_RULES, *[_OF_UNITS] * bool(units), *[_OF_TIME] * bool(timed)]
    parts = _merged(
        [
            f"The instruction was: {trace.prompt.instruction}\n\nSources:",
            *_sources(trace.prompt, whole, timed),
            _asked(sentences, bool(units), bool(timed)),
        ]
    )
    return Question(
        answer_id(trace),
        sentences,
        units,
        timed,
        Prompt(" ".join(rules), parts),
        _schema(units, tuple(timed)),
    )


def _is_timed(unit: SourceUnit) -> bool:
    return unit.lane in TIMED_LANES and unit.start is not None


def _sources(
    prompt: Prompt,
    whole: Sequence[SourceUnit],
    timed: Mapping[str, tuple[int, float | None]],
) -> Iterator[str | MediaPart]:
    """The parts in order: text by its units, media after a line that names them."""
    for index, part in enumerate(prompt.parts):
        own = [unit for unit in whole if unit.part == index]
        if isinstance(part, TextPart):
            yield from (f"[{unit.id}] {unit.text}" for unit in own)
        elif f"p{index}" in timed:
            _, seconds = timed[f"p{index}"]
            length = "" if seconds is None else f", {seconds:.2f} s"
            yield f"[p{index}] a {_KINDS[part.kind]}{length}:"
            yield part
        elif own:
            yield f"[{own[0].id}] a {_KINDS[part.kind]}:"
            yield part


def _asked(sentences: Sequence[str], units: bool, timed: bool) -> str:
    numbered = "\n".join(f"{n}. {text}" for n, text in enumerate(sentences, 1))
    form = '{"sentence": NUMBER'
    form += ', "units": ["ID", …]' * units
    form += ', "intervals": [{"source": "ID", "start": SECONDS, "end": SECONDS}, …]' * timed
    return (
        f"\nSentences of the answer:\n{numbered}\n\n"
        f'Reply with JSON alone, in this form: {{"sentences": [{form}}}, …]}}. '
        "Every sentence occurs once, also one that nothing supports: its lists are empty."
    )


def _merged(pieces: Sequence[str | MediaPart]) -> tuple[Part, ...]:
    """Adjacent lines as one text part."""
    parts: list[Part] = []
    for is_text, run in groupby(pieces, lambda piece: isinstance(piece, str)):
        same = list(run)
        parts += [TextPart("\n".join(same))] if is_text else same
    return tuple(parts)


def _schema(units: Sequence[str], timed: Sequence[str]) -> dict[str, Any]:
    sentence: dict[str, Any] = {"sentence": {"type": "integer"}}
    if units:
        sentence["units"] = {"type": "array", "items": _one_of(units)}
    if timed:
        seconds = {"type": "number"}
        stretch = _object(source=_one_of(timed), start=seconds, end=seconds)
        sentence["intervals"] = {"type": "array", "items": stretch}
    return _object(sentences={"type": "array", "items": _object(**sentence)})


def _one_of(ids: Sequence[str]) -> dict[str, Any]:
    listed = {"enum": list(ids)} if len(ids) <= _MOST_NAMED else {}
    return {"type": "string", **listed}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
