"""Prompt → markup in which numbered marks stand for texts, so that no template reads them.

What a person wrote is put in its place only after the template, and the processor, have had their
say. So a literal ``<image>`` or ``<|im_end|>`` in a text stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import ModelError
from core.prompt import Prompt, TextPart
from core.timeline import INSTRUCTION, STRUCTURAL

_MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Markup:
    """A rendered prompt.

    Attributes:
        text: the markup, with marks for texts and the model's placeholders for media.
        texts: what the marks stand for, as ``(text, owner)``; an owner is a part or
            ``INSTRUCTION``.
        chat: a chat template rendered it; else it is the plain parts, a line each.
    """

    text: str
    texts: tuple[tuple[str, int], ...]
    chat: bool

    def pieces(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        """The stretch ``[start, end)`` as ``(text, owner)``, texts in the place of their marks."""
        for at, piece in enumerate(_MARKS.split(self.text[start:end])):
            yield self.texts[int(piece)] if at % 2 else (piece, STRUCTURAL)


def render(
    prompt: Prompt,
    speaker: Any,
    *,
    written: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Markup:
    """Lay a prompt out as the user's turn: the instruction, then the parts, each on its own line.

    Args:
        prompt: instruction and parts.
        speaker: the processor or tokenizer that has the chat template, if there is one.
        written: kind of media → what stands for it, where the template takes one string; by
            default it takes a list of typed items, and writes the placeholders itself.
        options: further names that the template reads.

    Raises:
        ModelError: the template loses a text.
    """
    texts, content = _content(prompt)
    chat = bool(getattr(speaker, "chat_template", None))
    if written is not None:
        line = "".join(item.get("text") or written[item["type"]] for item in content)
    if chat:
        text = speaker.apply_chat_template(
            [{"role": "user", "content": content if written is None else line}],
            tokenize=False,
            add_generation_prompt=True,
            **(options or {}),
        )
    else:
        text = "".join(_plain(item, speaker) for item in content) if written is None else line
    if _MARKS.findall(text) != [str(number) for number in range(len(texts))]:
        raise ModelError(
            "The model's chat template leaves out or reorders texts, so they cannot be followed. "
            "Choose a model with another template."
        )
    return Markup(text, texts, chat)


def _content(prompt: Prompt) -> tuple[tuple[tuple[str, int], ...], list[dict[str, str]]]:
    texts = [(prompt.instruction, INSTRUCTION)] if prompt.instruction else []
    content = [_text_item(0)] if texts else []
    for index, part in enumerate(prompt.parts):
        if isinstance(part, TextPart):
            content.append(_text_item(len(texts)))
            texts.append((part.text, index))
        else:
            content += [{"type": part.kind}, {"type": "text", "text": "\n"}]
    return tuple(texts), content


def _text_item(number: int) -> dict[str, str]:
    return {"type": "text", "text": _MARK.format(number) + "\n"}


def _plain(item: dict[str, str], speaker: Any) -> str:
    return item["text"] if item["type"] == "text" else getattr(speaker, f"{item['type']}_token")
