"""Trace ↔ what a trace file holds: a JSON document and named arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from core.errors import TraceFileError
from core.prompt import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    MEDIA_PARTS,
    VIDEO_SUFFIXES,
    MediaPart,
    Part,
    Prompt,
    TextPart,
)
from core.sources import in_order
from core.timeline import INSTRUCTION, LANES, Timeline
from core.trace import Generation, MediaInfo, ModelInfo, Segment, Token, Trace, Transcript
from core.tracefile.checks import (
    array,
    boolean,
    exactly,
    integer,
    number,
    one_of,
    optional,
    table,
    text,
)

VERSION = 3
"""Of the format. Raise it with every change that an older version could not read.

2: ``transcripts``, ``given``, ``as_untraced``. 3: ``shortage`` (``stopped`` may be ``memory``),
``view``, and ``speech`` and ``shots`` of media. Older files have none of it, and open as they did.
"""

_SINCE = {
    2: {"given": False, "as_untraced": None, "transcripts": []},
    3: {"shortage": None, "view": {}},
}
"""Version → what files of earlier ones lack, and what it is for them."""

_MEDIA_SINCE_3 = {"speech": [], "shots": []}

SUFFIXES = {"image": IMAGE_SUFFIXES, "audio": AUDIO_SUFFIXES, "video": VIDEO_SUFFIXES}
"""Media are stored, and so served, under these endings only: never as a page or a script."""

_PLAIN_SUFFIX = {"image": ".png", "audio": ".wav", "video": ".mp4"}
_LANES_OF = {
    "text": ("text",),
    "image": ("image",),
    "audio": ("audio",),
    "video": ("video_frames", "video_sound"),
}

_NAME, _TEXT, _MANY = 1_000, 1_000_000, 1_000_000
_SECONDS, _AT = number(0, 1e7), integer(0, _TEXT)
LONGEST = 100_000.0
"""Seconds of a trace's recordings and films, over a day: they may be cut into quarters of one."""

_MOMENT = number(0, LONGEST)
_DOCUMENT = exactly(
    format=one_of("omnitrace"),
    version=integer(1, VERSION),
    instruction=text(_TEXT),
    parts=array(
        lambda value, where: _PARTS[_kind(value, where)](value, where),
        10_000,
    ),
    answer=text(_TEXT),
    tokens=array(
        exactly(id=integer(0, 2**31), text=text(_NAME), start=_AT, end=_AT),
        100_000,
    ),
    signals=array(text(200), 100),
    media=array(
        exactly(
            width=optional(integer(1, _MANY)),
            height=optional(integer(1, _MANY)),
            duration=optional(_MOMENT),
            fps=optional(number(0, 1e6)),
            peaks=array(number(0, 1), _MANY),
            has_sound=boolean,
            speech=array(array(_MOMENT, 2), _MANY),
            shots=array(_MOMENT, _MANY),
            notes=array(text(_NAME), 1_000),
        ),
        10_000,
    ),
    model=exactly(
        name=text(_NAME),
        family=text(_NAME),
        parameters=integer(0, 10**15),
        dtype=text(_NAME),
        device=text(_NAME),
        world_only=boolean,
    ),
    generation=exactly(
        max_new_tokens=integer(1, _MANY),
        temperature=number(0, 1_000),
        top_p=number(0, 1),
        seed=integer(-(2**63), 2**64),
        no_repeat_ngram_size=integer(0, _MANY),
    ),
    stopped=one_of("end", "length", "cancelled", "memory", "running"),
    timings=table(_SECONDS, 1_000),
    given=boolean,
    as_untraced=optional(boolean),
    shortage=optional(text(_NAME)),
    transcripts=array(
        exactly(
            segmenter=text(_NAME),
            part=integer(0, 10_000),
            segments=array(
                exactly(
                    start=_MOMENT,
                    end=_MOMENT,
                    text=text(_TEXT),
                    speaker=optional(text(_NAME)),
                ),
                100_000,
            ),
        ),
        10_000,
    ),
    view=table(text(200), 100),
)
_MEDIA_PART = exactly(kind=one_of(*MEDIA_PARTS), name=text(_NAME), file=optional(text(20)))
_PARTS = {
    "text": exactly(kind=one_of("text"), text=text(_TEXT)),
    **dict.fromkeys(MEDIA_PARTS, _MEDIA_PART),
}


def encode(trace: Trace) -> tuple[bytes, dict[str, np.ndarray], dict[str, Path]]:
    """The document as UTF-8 JSON, the arrays, and entry name → file for the media that exist."""
    parts, media = [], {}
    for index, part in enumerate(trace.prompt.parts):
        if isinstance(part, TextPart):
            parts.append({"kind": part.kind, "text": part.text})
            continue
        entry = _entry_name(index, part) if part.path.is_file() else None
        parts.append({"kind": part.kind, "name": part.name, "file": entry})
        if entry:
            media[entry] = part.path
    document = {
        "format": "omnitrace",
        "version": VERSION,
        "instruction": trace.prompt.instruction,
        "parts": parts,
        "answer": trace.answer,
        "tokens": [vars(token).copy() for token in trace.tokens],
        "signals": list(trace.signals),
        "media": [asdict(info) for info in trace.media],
        "model": asdict(trace.model),
        "generation": asdict(trace.generation),
        "stopped": trace.stopped,
        "timings": dict(trace.timings),
        "given": trace.given,
        "as_untraced": trace.as_untraced,
        "view": dict(trace.view),
        "shortage": trace.shortage,
        "transcripts": [
            {"segmenter": name, "part": part, "segments": [s._asdict() for s in segments]}
            for name, transcript in trace.transcripts.items()
            for part, segments in transcript.items()
        ],
    }
    plain = json.dumps(document, ensure_ascii=False, allow_nan=False)
    # Half a character, as a file name may hold, becomes "?": UTF-8 has no such thing.
    return plain.encode("utf-8", "replace"), _arrays(trace), media


def decode(
    document: Any,
    arrays: Mapping[str, np.ndarray],
    media: Mapping[str, Path] = MappingProxyType({}),
    nowhere: Path = Path(),
) -> Trace:
    """Check everything and build the trace.

    Args:
        document: parsed JSON.
        arrays: as in ``scores.safetensors``.
        media: entry name → file.
        nowhere: a folder in which the file of absent media is said to be.

    Raises:
        TraceFileError: something is missing, out of range, or does not fit the rest.
    """
    _check_format(document)
    values = _DOCUMENT(_upgraded(document), "trace")
    prompt = Prompt(
        values["instruction"],
        tuple(_part(index, part, media, nowhere) for index, part in enumerate(values["parts"])),
    )
    texts = (prompt.instruction, values["answer"], *(getattr(p, "text", "") for p in prompt.parts))
    _require(sum(map(len, texts)) <= _TEXT, f"it has more than {_TEXT} characters of text")
    tokens = tuple(Token(**token) for token in values["tokens"])
    _check_tokens(tokens, values["answer"])
    _require(len(values["media"]) == len(prompt.parts), "media and parts differ in number")
    _check_time(values["media"])
    _require(len(set(values["signals"])) == len(values["signals"]), "a signal occurs twice")
    scores, own, timeline = _read_arrays(arrays, values["signals"], len(tokens))
    _check_timeline(timeline, prompt)
    return Trace(
        prompt=prompt,
        timeline=timeline,
        answer=values["answer"],
        tokens=tokens,
        scores=scores,
        own=own,
        media=tuple(MediaInfo(**info) for info in values["media"]),
        model=ModelInfo(**values["model"]),
        generation=Generation(**values["generation"]),
        stopped=values["stopped"],
        timings=values["timings"],
        given=values["given"],
        as_untraced=values["as_untraced"],
        shortage=values["shortage"],
        transcripts=_transcripts(values["transcripts"], prompt),
        view=values["view"],
    )


def _require(condition: bool | np.bool_, otherwise: str) -> None:
    if not condition:
        raise TraceFileError(f"{otherwise}.")


def _check_time(media: Sequence[Mapping[str, Any]]) -> None:
    lasting = sum(info["duration"] or 0 for info in media)
    _require(lasting <= LONGEST, f"its media last more than {LONGEST:g} s together")
    for info in media:
        speech, shots = info["speech"], info["shots"]
        pairs = all(len(stretch) == 2 for stretch in speech)
        _require(pairs and in_order(speech), "its speech is out of order")
        rising = all(a < b for a, b in pairwise(shots))
        _require(rising and shots[:1] in ((), (0,)), "its shots are out of order")


def _check_format(document: Any) -> None:
    if not isinstance(document, dict) or document.get("format") != "omnitrace":
        raise TraceFileError("it is not a trace file.")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise TraceFileError(
            f"it has format version {version}, written by a newer OmniTrace Explorer; this one "
            f"reads up to version {VERSION}. Update it to open the file."
        )


def _upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """What an older version wrote, as this one would have."""
    version, media = document.get("version"), document.get("media")
    if not isinstance(version, int):
        return document
    lacking = [fields for since, fields in _SINCE.items() if version < since]
    document = {name: value for fields in lacking for name, value in fields.items()} | document
    if version < 3 and isinstance(media, list):
        of_media = [_MEDIA_SINCE_3 | one if isinstance(one, dict) else one for one in media]
        document = {**document, "media": of_media}
    return document


def _transcripts(values: Sequence[Mapping[str, Any]], prompt: Prompt) -> dict[str, Transcript]:
    found: dict[str, dict[int, tuple[Segment, ...]]] = {}
    for value in values:
        name, part = value["segmenter"], value["part"]
        segments = tuple(Segment(**segment) for segment in value["segments"])
        sounding = part < len(prompt.parts) and prompt.parts[part].kind in ("audio", "video")
        _require(sounding, "a transcript is of a part that has no sound")
        _require(part not in found.get(name, {}), "a part is transcribed twice by one segmenter")
        _require(in_order(segments), "the segments of a transcript are out of order")
        found.setdefault(name, {})[part] = segments
    return found


def _kind(value: Any, where: str) -> str:
    kind = value.get("kind") if isinstance(value, dict) else None
    return one_of(*_PARTS)(kind, f"{where}.kind")


def _entry_name(index: int, part: MediaPart) -> str:
    given = (Path(name).suffix.lower() for name in (part.name, part.path.name))
    suffix = next((s for s in given if s in SUFFIXES[part.kind]), _PLAIN_SUFFIX[part.kind])
    return f"media/{index:04d}{suffix}"


def _part(index: int, value: dict[str, Any], media: Mapping[str, Path], nowhere: Path) -> Part:
    if value["kind"] == "text":
        return TextPart(value["text"])
    kind, entry = value["kind"], value["file"]
    expected = {f"media/{index:04d}{suffix}" for suffix in SUFFIXES[kind]}
    own = entry is None or entry in expected
    _require(own, f"part {index + 1} names a file that is not its own")
    absent = nowhere / f"absent-{index:04d}{_PLAIN_SUFFIX[kind]}"
    return MEDIA_PARTS[kind](media.get(entry, absent), value["name"])


def _check_tokens(tokens: tuple[Token, ...], answer: str) -> None:
    before = 0
    for token in tokens:
        inside = before <= token.start <= token.end <= len(answer)
        _require(inside, "a token lies outside the answer, or they are out of order")
        before = token.start


_LARGEST_HALF = np.finfo(np.float16).max.view(np.uint16)

_TIMELINE = {
    "part": (np.int16, ()),
    "lane": (np.int8, ()),
    "chars": (np.int32, (2,)),
    "seconds": (np.float32, (2,)),
    "box": (np.float32, (4,)),
}


def _arrays(trace: Trace) -> dict[str, np.ndarray]:
    """Arrays under names made here: a signal's own name is data, and stays in the document."""
    arrays = {
        f"timeline.{name}": getattr(trace.timeline, name).astype(dtype)
        for name, (dtype, _) in _TIMELINE.items()
    }
    for index, signal in enumerate(trace.signals):
        arrays[f"scores.{index}"] = np.asarray(trace.scores[signal], np.float16)
        arrays[f"own.{index}"] = np.asarray(trace.own[signal], np.float32)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _read_arrays(
    arrays: Mapping[str, np.ndarray], signals: tuple[str, ...], n_tokens: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Timeline]:
    first = arrays.get("timeline.part")
    _require(first is not None and first.ndim == 1, "the timeline is missing")
    n_prompt = len(first)
    expected = {f"timeline.{n}": (t, (n_prompt, *shape)) for n, (t, shape) in _TIMELINE.items()}
    for index in range(len(signals)):
        expected[f"scores.{index}"] = (np.float16, (n_tokens, n_prompt))
        expected[f"own.{index}"] = (np.float32, (n_tokens,))
    _require(set(arrays) == set(expected), "its arrays are not those of its signals")
    for name, (dtype, shape) in expected.items():
        array = arrays[name]
        _require(array.dtype == dtype and array.shape == shape, f"array {name!r} has a wrong shape")
        if not name.startswith("timeline."):
            _require(_is_sound(array), f"array {name!r} holds a negative or endless number")
    return (
        {signal: arrays[f"scores.{index}"] for index, signal in enumerate(signals)},
        {signal: arrays[f"own.{index}"] for index, signal in enumerate(signals)},
        Timeline(**{name: arrays[f"timeline.{name}"] for name in _TIMELINE}),
    )


def _is_sound(array: np.ndarray) -> bool:
    """Whether every number is finite and not negative."""
    # The bits of halves are compared much faster; those of endless ones and −0 are greater.
    if array.dtype == np.float16 and array.size and array.view(np.uint16).max() <= _LARGEST_HALF:
        return True
    return bool(np.isfinite(array).all() and (array >= 0).all())


def _check_timeline(timeline: Timeline, prompt: Prompt) -> None:
    part, lane, chars = timeline.part, timeline.lane, timeline.chars
    inside = (part >= INSTRUCTION) & (part < len(prompt.parts))
    _require(inside.all(), "the timeline names a part that is not there")
    _require(((lane >= -1) & (lane < len(LANES))).all(), "the timeline names an unknown lane")
    allowed = np.zeros((len(prompt.parts) + 1, len(LANES) + 1), bool)
    allowed[-1, -1] = True
    for index, given in enumerate(prompt.parts):
        allowed[index, [LANES.index(name) for name in _LANES_OF[given.kind]]] = True
    _require(allowed[np.maximum(part, -1), lane].all(), "a position's lane does not fit its part")
    lengths = [len(p.text) if isinstance(p, TextPart) else 0 for p in prompt.parts]
    room = np.array([*lengths, len(prompt.instruction), 0])[part]
    none = (chars == -1).all(axis=1)
    held = (chars[:, 0] >= 0) & (chars[:, 0] <= chars[:, 1]) & (chars[:, 1] <= room)
    _require((none | held).all(), "a position's characters lie outside its text")
    _check_extents(timeline.seconds, ((0, 1),), "seconds", most=LONGEST)
    _check_extents(timeline.box, ((0, 2), (1, 3)), "box", most=_MANY)


def _check_extents(
    values: np.ndarray, pairs: tuple[tuple[int, int], ...], name: str, *, most: float
) -> None:
    absent = np.isnan(values).all(axis=1)
    ordered = ((values >= 0) & (values <= most)).all(axis=1)
    for low, high in pairs:
        ordered &= values[:, low] <= values[:, high]
    _require((absent | ordered).all(), f"a position's {name} is out of order")
