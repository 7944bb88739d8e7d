"""Prompts of a wanted length, for benches that know no model's tokenizer."""

from __future__ import annotations

from core.media import Limits
from core.models.base import TracedModel
from core.prompt import Prompt

_SENTENCE = "Anna cooked seven leaves on Wednesday. "
_FEW, _MORE = 2, 6
"""Sentences of two prompts that tell how many positions one takes."""


def prompt_of(model: TracedModel, positions: int) -> Prompt:
    """A text of whole sentences that takes ``positions`` positions, or a few less."""
    few, more = _length(model, _FEW), _length(model, _MORE)
    a_sentence = (more - few) / (_MORE - _FEW)
    return _prompt(max(1, _FEW + int((positions - few) / a_sentence)))


def _length(model: TracedModel, sentences: int) -> int:
    return len(model.prepare(_prompt(sentences), limits=Limits()).timeline)


def _prompt(sentences: int) -> Prompt:
    return Prompt.of("Summarise the text.", [_SENTENCE * sentences])
