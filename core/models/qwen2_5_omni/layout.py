"""Prompt → ids and timeline: the chat template's markup with everything put in its place.

The user's turn is the instruction, then the parts, each on its own line. Structure (turns, begin
and end of media, line breaks between parts) is never a source. Text is tokenised over stretches
that lie between control tokens, so that a token may reach from a part into the line break after
it, exactly as in the model's own tokenization; such a token belongs to the part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from core.models.qwen2_5_omni.media import Reading
from core.models.qwen2_5_omni.text import TextCodec
from core.prompt import Prompt, TextPart
from core.timeline import INSTRUCTION, LANES, STRUCTURAL, Timeline

_PIECE = "\ue000{}\ue001"
"""Stands in the template for a text, so that the template never reads what a person wrote."""

_LANE = {True: LANES.index("text"), False: -1}


def lay_out(
    prompt: Prompt, readings: Sequence[Reading], processor: Any, codec: TextCodec
) -> tuple[np.ndarray, Timeline]:
    """Ids, int64 ``(n,)``, and the provenance of each.

    Args:
        prompt: instruction and parts.
        readings: one for every media part, in order.
        processor: gives the chat template and the placeholders' names.
        codec: the processor's tokenizer, safe for text of any kind.
    """
    builder = _Builder(codec)
    placeholders = {processor.image_token, processor.audio_token, processor.video_token}
    media = iter(
        [(index, reading) for (index, _), reading in zip(prompt.media, readings, strict=True)]
    )
    for text, owner in _pieces(prompt, processor):
        if owner != STRUCTURAL:
            builder.add_text(text, owner)
            continue
        for at, stretch in enumerate(codec.split_control(text)):
            if at % 2 == 0:
                builder.add_text(stretch, STRUCTURAL)
            elif stretch in placeholders:
                builder.add_reading(*next(media))
            else:
                builder.add_control(stretch)
    return builder.finish()


def _pieces(prompt: Prompt, processor: Any) -> Iterator[tuple[str, int]]:
    """The rendered template as ``(text, owner)``: what a person wrote, and the markup around it."""
    texts = [(prompt.instruction, INSTRUCTION)] if prompt.instruction else []
    content = [_text_item(0)] if texts else []
    for index, part in enumerate(prompt.parts):
        if isinstance(part, TextPart):
            content.append(_text_item(len(texts)))
            texts.append((part.text, index))
        else:
            content += [{"type": part.kind}, {"type": "text", "text": "\n"}]
    rest = processor.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
    )
    for number, piece in enumerate(texts):
        before, _, rest = rest.partition(_PIECE.format(number))
        yield before, STRUCTURAL
        yield piece
    yield rest, STRUCTURAL


def _text_item(number: int) -> dict[str, str]:
    return {"type": "text", "text": _PIECE.format(number) + "\n"}


class _Builder:
    """Collects ids and their provenance; text waits until a control token ends its stretch."""

    def __init__(self, codec: TextCodec) -> None:
        self._codec = codec
        self._waiting: list[tuple[str, int]] = []
        self._ids: list[np.ndarray] = []
        self._timelines: list[Timeline] = []

    def add_text(self, text: str, owner: int) -> None:
        self._waiting.append((text, owner))

    def add_control(self, token: str) -> None:
        self._flush()
        self._add([self._codec.control[token]], Timeline.structural(1))

    def add_reading(self, part: int, reading: Reading) -> None:
        self._flush()
        timeline = Timeline(
            part=np.where(reading.lane < 0, STRUCTURAL, part).astype(np.int16),
            lane=reading.lane,
            chars=np.full((len(reading.ids), 2), -1, np.int32),
            seconds=reading.seconds,
            box=reading.box,
        )
        self._add(reading.ids, timeline)

    def finish(self) -> tuple[np.ndarray, Timeline]:
        self._flush()
        joined = {
            name: np.concatenate([getattr(timeline, name) for timeline in self._timelines])
            for name in ("part", "lane", "chars", "seconds", "box")
        }
        return np.concatenate(self._ids), Timeline(**joined)

    def _add(self, ids: Sequence[int] | np.ndarray, timeline: Timeline) -> None:
        self._ids.append(np.asarray(ids, np.int64))
        self._timelines.append(timeline)

    def _flush(self) -> None:
        text = "".join(text for text, _ in self._waiting)
        if text:
            ids, offsets = self._codec.encode(text)
            self._add(ids, _text_timeline(self._waiting, offsets))
        self._waiting = []


def _text_timeline(pieces: list[tuple[str, int]], offsets: list[tuple[int, int]]) -> Timeline:
    """Provenance of the tokens of a stretch made of ``(text, owner)`` pieces."""
    lengths = [len(text) for text, _ in pieces]
    owner = np.repeat([owner for _, owner in pieces], lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    timeline = Timeline.structural(len(offsets))
    for position, (start, end) in enumerate(offsets):
        owners = owner[start:end]
        owned = owners[owners != STRUCTURAL]
        if not len(owned):
            continue
        values, counts = np.unique(owned, return_counts=True)
        part = values[counts.argmax()]
        chars = place[start:end][owners == part]
        timeline.part[position] = part
        timeline.lane[position] = _LANE[bool(part >= 0)]
        timeline.chars[position] = chars[0], chars[-1] + 1
    return timeline
