"""Tokens and text: what a person wrote is tokenised as text, whatever it looks like.

A chat model marks turns and media by control tokens. Written by a person, ``<|im_end|>`` or
``<|IMAGE|>`` must stay what it is: ten odd characters. So text is encoded by a copy of the
tokenizer that knows no control token, and control tokens are placed by their ids.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from typing import Any

from tokenizers import AddedToken, Tokenizer


class TextCodec:
    """Text → ids with character offsets, and ids → bytes, for any tokenizer of ``tokenizers``.

    Args:
        tokenizer: of transformers, with a ``backend_tokenizer``.
        marks: control tokens that the tokenizer does not flag as special.
    """

    def __init__(self, tokenizer: Any, *, marks: Collection[str] = ()) -> None:
        added = tokenizer.added_tokens_decoder
        named = {*marks, *filter(_is_text, tokenizer.special_tokens_map.values())}
        held = {i: t for i, t in added.items() if t.special or t.content in named}
        self.control = {t.content: i for i, t in held.items()}
        self.swallows = {t.content: (t.lstrip, t.rstrip) for t in held.values()}
        """Control token → whether it takes the white space before it, and after it."""
        self._added = {i: t.content for i, t in added.items()}
        definition = json.loads(tokenizer.backend_tokenizer.to_str())
        self._start = f"\ue002{secrets.token_hex(8)}" if _begins_differently(definition) else ""
        self._plain = _without(definition, self.control, self._start)
        self._spell = _speller(definition, tokenizer)
        self._tokenizer = tokenizer
        longest_first = sorted(self.control, key=len, reverse=True)
        self._splitter = re.compile("(" + ("|".join(map(re.escape, longest_first)) or "(?!)") + ")")

    def split_control(self, markup: str) -> Iterator[tuple[str, bool]]:
        """Our own markup, cut at its control tokens: ``(piece, is one)``, no piece being empty."""
        for at, piece in enumerate(self._splitter.split(markup)):
            if piece:
                yield piece, at % 2 == 1

    def encode(self, text: str, *, first: bool = False) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids and ``[start, end)`` in characters; tokens that split a character share it.

        ``first``: nothing stands before the text; some tokenizers then put a space there.
        """
        start = "" if first else self._start
        encoding = self._plain.encode(start + text, add_special_tokens=False)
        ids, offsets = encoding.ids, encoding.offsets
        if start:
            ids, offsets = ids[1:], [(a - len(start), b - len(start)) for a, b in offsets[1:]]
        return ids, _without_gaps(offsets, len(text))

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token spells; none for control tokens and unused ids."""
        added = self._added.get(token)
        if added is not None:
            return b"" if added in self.control else self._spell(added, True)
        piece = self._tokenizer.convert_ids_to_tokens(token)
        return b"" if piece is None else self._spell(piece, False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _begins_differently(definition: dict[str, Any]) -> bool:
    """Whether the very first text is tokenised unlike what follows a control token."""
    return '"prepend_scheme": "first"' in json.dumps(definition["pre_tokenizer"])


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


def _without(definition: dict[str, Any], control: Collection[str], start: str) -> Tokenizer:
    """A copy of a tokenizer in which control tokens are ordinary text.

    They are kept and passed over: were they dropped, the added tokens after them would be numbered
    anew. ``start`` is a token of our own that nobody can write; it stands for "not the first".
    """
    added = [{**t, "special": t["content"] in control} for t in definition["added_tokens"]]
    changed = {**definition, "truncation": None, "padding": None, "added_tokens": added}
    plain = Tokenizer.from_str(json.dumps(changed))
    plain.encode_special_tokens = True
    if start:
        plain.add_tokens([AddedToken(start, normalized=False)])
    return plain


def _speller(definition: dict[str, Any], tokenizer: Any) -> Callable[[str, bool], bytes]:
    """How a piece of the vocabulary spells bytes; the flag says that it was added whole."""
    decoder = json.dumps(definition["decoder"])
    if '"ByteLevel"' in decoder:
        return lambda piece, added: piece.encode() if added else _byte_level(piece)
    if '"ByteFallback"' in decoder or '"Metaspace"' in decoder:
        return lambda piece, _: _sentence_piece(piece)
    return lambda piece, _: tokenizer.convert_tokens_to_string([piece]).encode()


def _byte_level(piece: str) -> bytes:
    return bytes(map(_BYTE_OF.__getitem__, piece))


def _sentence_piece(piece: str) -> bytes:
    """SentencePiece (Kudo & Richardson 2018): ``▁`` is a space, ``<0x0A>`` a byte."""
    byte = _BYTE_PIECE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else piece.replace("\u2581", " ").encode()


_BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")


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
