"""Prompt → ids and timeline: the chat template's markup with everything put in its place.

The user's turn is the instruction, then the parts, each on its own line. Structure (turns, begin
and end of media, line breaks between parts) is never a source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.models.chat import render
from core.models.layout import Builder
from core.models.qwen2_5_omni.media import Reading
from core.models.text import TextCodec
from core.prompt import Prompt
from core.timeline import STRUCTURAL, Timeline


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
    names = (processor.image_token, processor.audio_token, processor.video_token)
    placeholders = "|".join(map(re.escape, names))
    media = iter(
        [(index, reading) for (index, _), reading in zip(prompt.media, readings, strict=True)]
    )
    markup, at = render(prompt, processor), 0
    for place in re.finditer(placeholders, markup.text):
        builder.add_markup(markup.pieces(at, place.start()))
        _add_reading(builder, *next(media))
        at = place.end()
    builder.add_markup(markup.pieces(at, len(markup.text)))
    return builder.finish()


def _add_reading(builder: Builder, part: int, reading: Reading) -> None:
    timeline = Timeline(
        part=np.where(reading.lane < 0, STRUCTURAL, part).astype(np.int16),
        lane=reading.lane,
        chars=np.full((len(reading.ids), 2), -1, np.int32),
        seconds=reading.seconds,
        box=reading.box,
    )
    builder.add_ids(reading.ids, timeline)
