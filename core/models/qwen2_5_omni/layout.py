"""Prompt → ids and timeline: the chat template's markup with everything put in its place.

The user's turn is the instruction, then the parts, each on its own line. Structure (turns, begin
and end of media, line breaks between parts) is never a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from core.models.layout import Builder
from core.models.qwen2_5_omni.media import Reading
from core.models.text import TextCodec
from core.prompt import Prompt, TextPart
from core.timeline import INSTRUCTION, STRUCTURAL, Timeline

_PIECE = "\ue000{}\ue001"
"""Stands in the template for a text, so that the template never reads what a person wrote."""


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
    builder = Builder(codec)
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
                _add_reading(builder, *next(media))
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


def _add_reading(builder: Builder, part: int, reading: Reading) -> None:
    timeline = Timeline(
        part=np.where(reading.lane < 0, STRUCTURAL, part).astype(np.int16),
        lane=reading.lane,
        chars=np.full((len(reading.ids), 2), -1, np.int32),
        seconds=reading.seconds,
        box=reading.box,
    )
    builder.add_ids(reading.ids, timeline)
