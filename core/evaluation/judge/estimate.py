"""What judging a folder would cost, told before it is paid. Rough: services count as they like.

Text at 4 characters a token (OpenAI's rule of thumb for English); a picture, and a second of sound
or film, by what Google documents for Gemini: 258 tokens a tile of 768 x 768 pixels, 32 a second of
sound, 258 a frame at one frame a second.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from core.prompt import TextPart

if TYPE_CHECKING:
    from core.evaluation.judge.question import Question
    from core.trace import Trace

CHARACTERS_A_TOKEN = 4
TILE_TOKENS, TILE_SIDE = 258, 768
SOUND_TOKENS, FRAME_TOKENS = 32, 258
"""A second."""

_ANSWERED = 40
"""Tokens of JSON a sentence; what a model thinks before it is not foreseen."""


class Price(NamedTuple):
    """US dollars a million tokens read and written."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Dollars."""
        return (self.tokens_in * tokens_in + self.tokens_out * tokens_out) / 1e6


def tokens(question: Question, trace: Trace) -> tuple[int, int]:
    """Tokens read and written for one question, without asking again."""
    texts = [question.prompt.instruction]
    texts += [part.text for part in question.prompt.parts if isinstance(part, TextPart)]
    read = sum(map(len, texts)) / CHARACTERS_A_TOKEN
    for part, info in zip(trace.prompt.parts, trace.media, strict=True):
        seconds = info.duration or 0.0
        if part.kind == "image":
            tiles = ceil((info.width or 1) / TILE_SIDE) * ceil((info.height or 1) / TILE_SIDE)
            read += TILE_TOKENS * tiles
        elif part.kind == "audio":
            read += SOUND_TOKENS * seconds
        elif part.kind == "video":
            read += (FRAME_TOKENS + SOUND_TOKENS * info.has_sound) * seconds
    return ceil(read), _ANSWERED * len(question.sentences)
