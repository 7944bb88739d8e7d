"""What exists in the miniature world, and the sentences that state it.

A *fact* is ("Anna", "bought", "three", "apple", "Monday"). One fact in twenty is held out: it is
never trained on, neither written nor spoken.
"""

from __future__ import annotations

import random
import zlib
from typing import NamedTuple

PEOPLE = [
    "Anna",
    "Tom",
    "Maria",
    "John",
    "Lucy",
    "Peter",
    "Sara",
    "David",
    "Emma",
    "Paul",
    "Nina",
    "Mark",
    "Julia",
    "Oscar",
    "Clara",
    "Henry",
]
VERBS = ["bought", "sold", "found", "lost", "drew", "cooked"]
NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"]

GLYPHS = {
    "dog": "🐶", "cat": "🐱", "apple": "🍎", "car": "🚗", "house": "🏠", "tree": "🌳",
    "fish": "🐟", "star": "⭐", "book": "📕", "key": "🔑", "bell": "🔔", "cake": "🍰",
    "boat": "⛵", "bird": "🐦", "hat": "🎩", "moon": "🌙", "ball": "⚽", "carrot": "🥕",
    "clock": "⏰", "drum": "🥁", "egg": "🥚", "flower": "🌷", "guitar": "🎸", "horse": "🐴",
    "leaf": "🍁", "lemon": "🍋", "pizza": "🍕", "rocket": "🚀", "train": "🚂", "umbrella": "☂️",
}  # fmt: skip
THINGS = tuple(GLYPHS)
PLURALS = {thing: {"fish": "fish", "leaf": "leaves"}.get(thing, f"{thing}s") for thing in THINGS}

COLOURS = {
    "red": (220, 60, 60),
    "green": (70, 180, 80),
    "blue": (70, 100, 220),
    "yellow": (240, 220, 80),
    "white": (245, 245, 245),
    "black": (30, 30, 30),
    "purple": (150, 80, 190),
    "orange": (245, 150, 50),
}

WORDS = (*PEOPLE, *VERBS, *NUMBERS, *THINGS, *PLURALS.values(), *DAYS, *COLOURS)

HELD_OUT = 20
"""One fact in so many is never trained on."""


class Fact(NamedTuple):
    """Who did what to how many of which thing, and when."""

    person: str
    verb: str
    number: str
    thing: str
    day: str

    @property
    def held_out(self) -> bool:
        """Whether training never sees it."""
        return zlib.crc32(" ".join(self).encode()) % HELD_OUT == 0

    @property
    def clause(self) -> str:
        """``Anna bought three apples on Monday``, without a full stop."""
        return f"{self.person} {self.deed}"

    @property
    def deed(self) -> str:
        """The clause without its person."""
        return f"{self.verb} {self.number} {PLURALS[self.thing]} on {self.day}"


def draw_fact(rng: random.Random, *, held_out: bool) -> Fact:
    """A random fact of the part of the world asked for."""
    while True:
        fact = Fact(*map(rng.choice, (PEOPLE, VERBS, NUMBERS, THINGS, DAYS)))
        if fact.held_out == held_out:
            return fact


def with_article(word: str) -> str:
    """``a dog``, ``an egg``."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def view(thing: str, colour: str) -> str:
    """``a dog on an orange background``."""
    return f"{with_article(thing)} on {with_article(colour)} background"
