"""Option consistency (appendix B.3): does the traced option match the one the model chose?

    "For each sample, we extract the model's predicted option from the generated response using
    deterministic parsing. … Let S denote the generation span containing the final answer statement.
    For each option k, … we compute the option-restricted attribution mass
    M_k = Σ_{t ∈ S, s_t = option k} v_t. … the option receiving the highest attribution mass
    matches the option explicitly selected by the model."

Whether the answer is right plays no part. Decided here: a response in which no option can be found
is counted apart and not averaged; no votes for any option, or a tie at the top, is a miss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from core.explain import Explanation, SpanExplanation
from core.sources import Sources

LETTERS = "ABCDEFGHIJ"

_OPTION = re.compile(r"\s*(?:\(([A-J])\)|([A-J])[.):])\s*(\S.*?)\s*", re.DOTALL)
_LETTER = r"[(\[*\"'“]*([A-J])(?![A-Za-z'’])"
_STATEMENT = re.compile(
    rf"(?:answer|option|choice)\b[\s*]*(?:is\b|:)[\s*:]*(?:option\s+|choice\s+)?{_LETTER}",
    re.IGNORECASE,
)
_ALONE = re.compile(r"[(\[*]*([A-J])[)\]*.:]*")
_LED = re.compile(r"(?:\(([A-J])\)|([A-J])[.):])\s+\S")


class Choice(NamedTuple):
    """The option that a response selects: its letter, and the character that says so."""

    letter: str
    at: int


class Consistency(NamedTuple):
    """One answered question: the letter chosen, and the one traced (``None``: none stands out)."""

    chosen: str
    traced: str | None

    @property
    def consistent(self) -> bool:
        """Top-1: both are one option."""
        return self.chosen == self.traced


def options_of(sources: Sources) -> dict[str, int]:
    """Letter → index of its unit, for the text units that are options of a question.

    Units count that begin with a letter and a stop, in order from A within one part; two at least.
    The last such list of the prompt is taken.
    """
    lists: list[dict[str, int]] = []
    part = -1
    for index, unit in enumerate(sources.units):
        found = _OPTION.fullmatch(unit.text) if unit.lane == "text" else None
        letter = (found[1] or found[2]) if found else ""
        if letter == "A":
            lists.append({"A": index})
            part = unit.part
        elif found and lists and unit.part == part and letter == LETTERS[len(lists[-1])]:
            lists[-1][letter] = index
    complete = [one for one in lists if len(one) > 1]
    return complete[-1] if complete else {}


def option_words(sources: Sources, options: Mapping[str, int]) -> dict[str, str]:
    """Letter → the option's words, without its letter."""
    return {
        letter: _OPTION.fullmatch(sources.units[index].text)[3] for letter, index in options.items()
    }


def parse_choice(response: str, words: Mapping[str, str]) -> Choice | None:
    """The option that a response selects, by the first of these rules that finds one.

    1. The last statement "answer is X", "answer: (X)", "option: X" with a letter of the question.
    2. The last line that is a letter alone ("B", "(B).") or begins with one ("B. Gun").
    3. The words of exactly one option, in the last line that holds words of any.

    Args:
        response: the whole answer.
        words: letter → words of the option.
    """
    stated = [
        Choice(match[1], match.start(1))
        for match in _STATEMENT.finditer(response)
        if match[1] in words  # "the answer is a cat" chooses nothing: letters are capitals
    ]
    if stated:
        return stated[-1]
    lines = list(re.finditer(r"[^\n]+", response))
    for line in reversed(lines):
        text = line.group().strip()
        found = _ALONE.fullmatch(text) or _LED.match(text)
        letter = next(filter(None, found.groups()), None) if found else None
        if letter in words:
            return Choice(letter, line.start() + line.group().index(letter))
    for line in reversed(lines):
        named = [
            Choice(letter, line.start() + match.start())
            for letter, option in words.items()
            if (match := _whole_words(option).search(line.group()))
        ]
        if named:
            return named[0] if len(named) == 1 else None
    return None


def expected_choice(expected: str, words: Mapping[str, str]) -> str | None:
    """The right letter, from a data set's answer: a letter, an option's words, or an answer."""
    plain = expected.strip()
    for letter, option in words.items():
        if plain.casefold().rstrip(".") == option.casefold().rstrip("."):
            return letter
    found = parse_choice(plain, words)
    return found.letter if found else None


def consistency(
    explanation: Explanation, choice: Choice, options: Mapping[str, int]
) -> Consistency | None:
    """Compare the option that was chosen with the one that got most votes.

    Returns ``None`` if no span holds the character that states the choice.
    """
    span = next((s for s in explanation.spans if s.start <= choice.at < s.end), None)
    if span is None:
        return None
    return Consistency(choice.letter, _traced(option_mass(span, options)))


def option_mass(span: SpanExplanation, options: Mapping[str, int]) -> dict[str, float]:
    """M_k: the votes of the span's tokens that are traced to each option."""
    letter_of = {index: letter for letter, index in options.items()}
    mass = dict.fromkeys(options, 0.0)
    for vote in span.votes:
        if vote.unit in letter_of:
            mass[letter_of[vote.unit]] += vote.vote
    return mass


def _traced(mass: Mapping[str, float]) -> str | None:
    letters: Sequence[str] = list(mass)
    values = np.array([mass[letter] for letter in letters])
    top = np.flatnonzero(values == values.max())
    return letters[top[0]] if len(top) == 1 and values[top[0]] > 0 else None


def _whole_words(option: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(option.rstrip('.'))}(?!\w)", re.IGNORECASE)
