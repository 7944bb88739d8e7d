"""Answer → spans, and a part of speech for every generated token (section 3.2, "Span-Level").

Rule 9 of the design: spaCy sentences, split further at newlines; a bare list marker (``1.``,
``a.``, ``(A)``) joins the chunk after it. Source text is cut by the same function.

Parsed lines are kept (``parsing``): a slider never parses again, and a streaming answer parses
only its last line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.spans.parsing import Parsed, Range, parse_lines
from core.trace import Token

__all__ = ["Range", "Span", "parts_of_speech", "sentence_ranges", "spans"]

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_MARKER = re.compile(r"(?:\d{1,3}|[A-Za-z])[.)]|\((?:\d{1,3}|[A-Za-z])\)[.:]?")
_SENTENCE_END = tuple(".?!:;…)]}\"'”’»。！？｡؟۔।॥")


@dataclass(frozen=True)
class Span:
    """A chunk of the answer, by default a sentence.

    ``start``/``end``: characters of the answer; ``first``/``last``: half-open range of tokens.
    """

    text: str
    start: int
    end: int
    first: int
    last: int


def sentence_ranges(text: str) -> tuple[Range, ...]:
    """Cut any text into sentences: half-open character ranges, in order, disjoint, never empty.

    Every non-space character lies in exactly one range; no range begins or ends with a space.

    Raises:
        MissingExtraError: the English model of spaCy is not installed.
    """
    return _ranges(text, words=False)


def spans(answer: str, tokens: Sequence[Token]) -> tuple[Span, ...]:
    """The spans of an answer with their tokens.

    A token belongs to the span where its first non-space character lies, so every token with
    text belongs to exactly one span. A sentence that begins and ends inside another's token is
    part of that token's span: each span has at least one token.
    """
    ranges = _ranges(answer, words=True)  # ``parts_of_speech`` will ask for them
    starts = [start for start, _ in ranges]
    held: dict[int, Range] = {}
    for index, token in enumerate(tokens):
        at = _first_character(answer, token)
        if at is not None:
            sentence = max(0, bisect_right(starts, at) - 1)
            held[sentence] = (held.get(sentence, (index, 0))[0], index + 1)
    owners = sorted(held)
    found = []
    for order, sentence in enumerate(owners):
        start = ranges[sentence if order else 0][0]
        following = owners[order + 1] if order + 1 < len(owners) else len(ranges)
        end = ranges[following - 1][1]
        found.append(Span(answer[start:end], start, end, *held[sentence]))
    return tuple(found)


def parts_of_speech(answer: str, tokens: Sequence[Token]) -> tuple[str, ...]:
    """Universal POS of the word that holds each token's first character; ``X`` where unknown.

    Parts of a word inherit its POS. Words in a script other than Latin are ``X``.
    """
    words = [
        (at + start, at + end, pos)
        for at, _, parsed in _parsed_lines(answer, words=True)
        for start, end, pos in parsed.words or ()
    ]
    starts = [start for start, _, _ in words]
    found = []
    for token in tokens:
        at = _first_character(answer, token)
        word = words[bisect_right(starts, at) - 1] if at is not None and words else (0, 0, "X")
        found.append(word[2] if at is not None and word[0] <= at < word[1] else "X")
    return tuple(found)


def _ranges(text: str, *, words: bool) -> tuple[Range, ...]:
    """``sentence_ranges``, by a parse with words or without."""
    chunks: list[Range] = []
    for at, line, parsed in _parsed_lines(text, words=words):
        chunks += [(at + start, at + end) for start, end in _pieces(line, parsed.sentences)]
    return tuple(_join_markers(text, chunks))


def _parsed_lines(text: str, *, words: bool) -> Iterator[tuple[int, str, Parsed]]:
    """Where each line begins, the line, and its parse."""
    lines = list(_LINE.finditer(text))
    parses = parse_lines([line.group() for line in lines], words=words)
    for line, parsed in zip(lines, parses, strict=True):
        yield line.start(), line.group(), parsed


def _first_character(answer: str, token: Token) -> int | None:
    """Index of a token's first non-space character in the answer; ``None`` if it has none."""
    text = answer[token.start : token.end]
    bare = text.lstrip()
    return token.start + len(text) - len(bare) if bare else None


def _pieces(line: str, sentences: Sequence[Range]) -> list[Range]:
    """The parser's sentences of one line, trimmed, with its stray fragments put back.

    The parser sometimes cuts off a quotation mark, or the letter of "The answer is B.": what has
    no letter or digit belongs to its neighbour, and so does a marker after an unfinished sentence.
    """
    joined: list[Range] = []
    loose: int | None = None
    for start, end in sentences:
        text = line[start:end]
        if joined and (_is_bare(text) or _finishes(line[slice(*joined[-1])], text)):
            joined[-1] = (joined[-1][0], end)
        elif _is_bare(text):
            loose = start if loose is None else loose
        else:
            joined.append((start if loose is None else loose, end))
            loose = None
    if loose is not None:
        joined.append((loose, len(line.rstrip())))
    return joined


def _is_bare(text: str) -> bool:
    return not any(map(str.isalnum, text))


def _finishes(before: str, text: str) -> bool:
    return bool(_MARKER.fullmatch(text)) and not before.endswith(_SENTENCE_END)


def _join_markers(text: str, chunks: Sequence[Range]) -> Iterator[Range]:
    """Give a bare list marker to the chunk after it, over a line break too."""
    marker: Range | None = None
    for start, end in chunks:
        if _MARKER.fullmatch(text, start, end):
            if marker:
                yield marker
            marker = (start, end)
        else:
            yield (marker[0] if marker else start), end
            marker = None
    if marker:
        yield marker
