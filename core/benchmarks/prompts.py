"""Prompts of a wanted length, for benches that know no model's tokenizer."""

from __future__ import annotations

import math
from bisect import bisect_right

from core.errors import LimitError
from core.media import Limits
from core.models.base import TracedModel
from core.prompt import Prompt

_SENTENCE = "Anna cooked seven leaves on Wednesday. "
_ROOMY = Limits(text_chars=10_000_000)


def prompt_of(model: TracedModel, positions: int) -> Prompt:
    """A text that takes ``positions`` positions of the model, or as few fewer as can be."""
    written = _SENTENCE * positions

    def length(characters: int) -> float:
        try:
            prepared = model.prepare(_prompt(written[:characters]), limits=_ROOMY)
        except LimitError:  # Beyond the model's context.
            return math.inf
        return len(prepared.timeline)

    return _prompt(written[: bisect_right(range(len(written)), positions, key=length) - 1])


def _prompt(text: str) -> Prompt:
    return Prompt.of("Summarise the text.", [text])
