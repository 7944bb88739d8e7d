"""Timed words → sentences, cut where written text is cut (``core.spans``), and texts joined.

The published code cuts after every full stop and puts a space between all words; here a
recogniser's words carry their own spaces, and "Mr." ends no sentence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from core.spans import sentence_ranges
from core.trace import Segment

PAUSE = 1.0
"""Seconds of silence between two words that end a sentence, whatever the words."""

_UNSPACED = (
    (0x2E80, 0x312F),  # radicals, CJK punctuation, kana, bopomofo
    (0x31A0, 0xA4CF),  # more kana, enclosed and compatibility forms, Han, Yi
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFE30, 0xFE4F),  # vertical punctuation
    (0xFF01, 0xFF9F),  # full-width forms, half-width kana
    (0x20000, 0x3FFFF),  # Han extensions
)
"""Ranges of characters that are written without spaces; not Hangul, for Korean has spaces."""


def sentences(words: Sequence[Segment]) -> tuple[Segment, ...]:
    """Sentences of one speaker each, from words in order whose texts spell the whole together.

    A sentence lasts from its first word's start to its last word's end. It also ends where the
    speaker changes and where nobody speaks for ``PAUSE`` seconds.
    """
    found: list[Segment] = []
    for run in _runs(words):
        text = "".join(word.text for word in run)
        ends = list(accumulate(len(word.text) for word in run))
        for first, last in sentence_ranges(text):
            held = run[bisect_right(ends, first) : bisect_right(ends, last - 1) + 1]
            start, end = held[0].start, max(word.end for word in held)
            found.append(Segment(start, end, text[first:last], run[0].speaker))
    return tuple(found)


def joined(texts: Iterable[str]) -> str:
    """Texts one after another: a space between them, but none beside a Chinese or Japanese sign."""
    return "".join(spaced(texts))


def spaced(texts: Iterable[str]) -> Iterator[str]:
    """Each text, stripped, after the space that parts it from the one before; empty if it is."""
    last = ""
    for text in map(str.strip, texts):
        if text and last and not (_is_unspaced(last) or _is_unspaced(text[0])):
            yield f" {text}"
        else:
            yield text
        last = text[-1] if text else last


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)


def _runs(words: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Words of one speaker without a long silence between them."""
    run: list[Segment] = []
    for word in words:
        if run and (word.speaker != run[-1].speaker or word.start - run[-1].end >= PAUSE):
            yield run
            run = []
        run.append(word)
    if run:
        yield run
