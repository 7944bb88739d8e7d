"""Tokens and text: what a person wrote is tokenised as text, whatever it looks like.

A chat model marks turns and media by control tokens. Written by a person, ``<|im_end|>`` or
``<|IMAGE|>`` must stay what it is: ten odd characters. So text is encoded by a copy of the
tokenizer that knows no control token, and control tokens are placed by their ids.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tokenizers import Tokenizer

MEDIA_TOKENS = (
    "image_token",
    "audio_token",
    "video_token",
    "vision_bos_token",
    "vision_eos_token",
    "audio_bos_token",
    "audio_eos_token",
)


class TextCodec:
    """Text → ids with character offsets, and ids → bytes, for a byte-level tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        added = tokenizer.added_tokens_decoder
        marks = {getattr(tokenizer, name) for name in MEDIA_TOKENS}
        self.control = {t.content: i for i, t in added.items() if t.special or t.content in marks}
        self._control_ids = frozenset(self.control.values())
        self._added = {i: t.content.encode() for i, t in added.items()}
        self._plain = _without(tokenizer.backend_tokenizer, self.control)
        self._tokenizer = tokenizer
        longest_first = sorted(self.control, key=len, reverse=True)
        self._splitter = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    def split_control(self, markup: str) -> list[str]:
        """Our own markup, cut at its control tokens; they stand at the odd places."""
        return self._splitter.split(markup)

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids and ``[start, end)`` in characters; tokens that split a character share it."""
        encoding = self._plain.encode(text, add_special_tokens=False)
        return encoding.ids, _without_gaps(encoding.offsets, len(text))

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token spells; none for control tokens and unused ids."""
        if token in self._control_ids:
            return b""
        if token in self._added:
            return self._added[token]
        piece = self._tokenizer.convert_ids_to_tokens(token)
        return b"" if piece is None else bytes(map(_BYTE_OF.__getitem__, piece))


def _without_gaps(offsets: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Offsets that leave no character out.

    Where normalisation joins a letter and its accent, the tokenizer counts only the letter.
    """
    left_out = set(range(length)).difference(*(range(start, end) for start, end in offsets))
    if not left_out:
        return offsets
    ends = {}
    for character in sorted(left_out, reverse=True):
        ends[character] = ends.get(character + 1, character + 1)
    return [(start, ends.get(end, end)) for start, end in offsets]


def _without(backend: Tokenizer, control: dict[str, int]) -> Tokenizer:
    """A copy of a tokenizer in which control tokens are ordinary text.

    They are kept and passed over: were they dropped, the added tokens after them would be numbered
    anew.
    """
    definition = json.loads(backend.to_str())
    definition["truncation"] = definition["padding"] = None
    for token in definition["added_tokens"]:
        token["special"] = token["content"] in control
    plain = Tokenizer.from_str(json.dumps(definition))
    plain.encode_special_tokens = True
    return plain


def _byte_of() -> dict[str, int]:
    """Inverse of the byte-level alphabet: bytes that print stand for themselves, the rest follow.

    Radford et al. 2019; every byte-level BPE vocabulary is spelled in these 256 characters.
    """
    printing = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printing]
    return {chr(byte): byte for byte in printing} | {
        chr(256 + index): byte for index, byte in enumerate(others)
    }


_BYTE_OF = _byte_of()
