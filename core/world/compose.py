"""Scenarios: prompts of every task, their answers, and the exact sources of each sentence.

A *family* is what a training batch is made of (prompts of one family have similar lengths):
``text``, ``pic``, ``speech``, ``film`` (silent) and ``av`` (films with sound, mixed with all else).
Two more are practice for training alone: ``choice`` (written multiple choice) and ``drill``
(copying and looking up, many times a prompt: what a small transformer otherwise learns late).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.world import wording
from core.world.scenario import (
    Film,
    Picture,
    Piece,
    Recording,
    Scenario,
    Sentence,
    Source,
    Utterance,
)
from core.world.words import (
    COLOURS,
    DAYS,
    PEOPLE,
    PLURALS,
    THINGS,
    WORDS,
    Fact,
    draw_fact,
)

FAMILIES = ("text", "pic", "speech", "film", "av")
PRACTICE = ("choice", "drill")


@dataclass(frozen=True)
class Stock:
    """What scenarios may be made of: one part of the world, trained on or held out."""

    pictures: tuple[Picture, ...]
    utterances: tuple[Utterance, ...]
    held_out: bool

    @cached_property
    def by_thing(self) -> dict[str, list[Picture]]:
        """Pictures of each thing."""
        found: dict[str, list[Picture]] = {thing: [] for thing in THINGS}
        for picture in self.pictures:
            found[picture.thing].append(picture)
        return found


def compose(rng: random.Random, stock: Stock, family: str) -> Scenario:
    """A random scenario of a family."""
    composers = {
        "text": _text,
        "pic": _pictures,
        "speech": _speech,
        "film": _film,
        "av": _mixed,
        "choice": _choice_text,
        "drill": _drill,
    }
    return composers[family](rng, stock)


# What a piece contributes to an answer: its sentences, with sources inside part `at`.


def _facts_told(at: int, text: str, facts: Sequence[Fact]) -> list[Sentence]:
    """Each fact rests on its own sentence of a written part."""
    told, start = [], 0
    for fact in facts:
        end = text.index(".", start) + 1
        told.append(Sentence(f"{fact.clause}.", (Source(at, "text", start, end),)))
        start = end + 1
    return told


def _pictures_told(places: Sequence[int], pictures: Sequence[Picture]) -> list[Sentence]:
    said = wording.of_pictures(pictures)
    return [Sentence(text, (Source(at, "image"),)) for at, text in zip(places, said, strict=True)]


def _speech_told(at: int, recording: Recording) -> list[Sentence]:
    said = zip(wording.of_speech(recording), recording.intervals, strict=True)
    return [Sentence(text, (Source(at, "audio", *times),)) for text, times in said]


def _film_told(at: int, film: Film) -> list[Sentence]:
    seen = zip(wording.of_film(film), film.intervals, strict=True)
    told = [Sentence(text, (Source(at, "video_frames", *times),)) for text, times in seen]
    if film.narration:
        heard = zip(
            wording.of_speech(film.narration, "narrator"), film.narration.intervals, strict=True
        )
        told += [Sentence(text, (Source(at, "video_sound", *times),)) for text, times in heard]
    return told


# Pieces


def _some_facts(rng: random.Random, stock: Stock, least: int, most: int) -> list[Fact]:
    return [draw_fact(rng, held_out=stock.held_out) for _ in range(rng.randint(least, most))]


def _recording(rng: random.Random, stock: Stock, count: int, lead: float = 0.4) -> Recording:
    """Utterances with pauses; all times are multiples of the model's 40 ms positions."""
    utterances = tuple(rng.choice(stock.utterances) for _ in range(count))
    first = rng.randint(0, round(lead * 25)) / 25
    pauses = (first, *(rng.randint(10, 22) / 25 for _ in utterances[1:]))
    seconds = round(sum(pauses) + sum(u.seconds for u in utterances), 2)
    return Recording(utterances, pauses, seconds)


def _scenes(
    rng: random.Random, stock: Stock, *, counts: Sequence[int], seconds: int = 2
) -> tuple[tuple[Picture, ...], tuple[int, ...]]:
    """Scenes that differ from the one before, of 1–2 s each; the last is held until ``seconds``."""
    count = rng.choice(counts)
    scenes: list[Picture] = []
    while len(scenes) < count:
        picture = rng.choice(stock.pictures)
        if not scenes or (picture.thing, picture.colour) != (scenes[-1].thing, scenes[-1].colour):
            scenes.append(picture)
    lengths = [rng.randint(1, 2) for _ in scenes]
    lengths[-1] += max(0, seconds - sum(lengths))
    return tuple(scenes), tuple(lengths)


# Families


def _text(rng: random.Random, stock: Stock) -> Scenario:
    kind = rng.random()
    if kind < 0.3:
        return _choice_text(rng, stock)
    facts = _some_facts(rng, stock, 1, 5)
    if kind < 0.7 or len(facts) < 2:
        instruction = rng.choice(wording.CONVERSATION + wording.TEXT)
        if rng.random() < 0.7:
            return _retold(rng, "summary-text", instruction, facts)
        whole = " ".join(f"{fact.clause}." for fact in facts)
        told = _facts_told(0, whole, facts)
        return Scenario("summary-text", instruction, (whole,), tuple(told))
    person = rng.choice(facts).person
    return _retold(rng, "select-person", f"What does {person} do?", facts, person)


def _choice_text(rng: random.Random, stock: Stock) -> Scenario:
    fact = draw_fact(rng, held_out=stock.held_out)
    line = wording.written(rng, fact)
    return _choice(
        rng, "choice-text", line, *_about(rng, fact), lambda at: _facts_told(at, line, [fact])
    )


def _retold(
    rng: random.Random, task: str, instruction: str, facts: Sequence[Fact], person: str = ""
) -> Scenario:
    lines = tuple(wording.written(rng, fact) for fact in facts)
    told = [
        sentence
        for at, (line, fact) in enumerate(zip(lines, facts, strict=True))
        if person in ("", fact.person)
        for sentence in _facts_told(at, line, [fact])
    ]
    return Scenario(task, instruction, lines, tuple(told))


def _pictures(rng: random.Random, stock: Stock) -> Scenario:
    kind = rng.random()
    if kind < 0.25:
        picture = rng.choice(stock.pictures)
        return _choice(
            rng,
            "choice-picture",
            picture,
            *_seen(rng, picture, "picture"),
            lambda at: _pictures_told([at], [picture]),
        )
    if kind < 0.40:
        return _which_pictures(rng, stock)
    pictures = [rng.choice(stock.pictures) for _ in range(rng.randint(1, 4))]
    facts = _some_facts(rng, stock, 0, 3)
    summary = kind < 0.65 and bool(facts)
    if not summary and rng.random() >= 0.4:
        facts = []
    pieces: list[tuple[Piece, Fact | None]] = [(picture, None) for picture in pictures]
    pieces += [(wording.written(rng, fact), fact) for fact in facts]
    rng.shuffle(pieces)
    places = [at for at, (piece, _) in enumerate(pieces) if isinstance(piece, Picture)]
    shown = _pictures_told(places, [pieces[at][0] for at in places])
    if not summary:
        instruction = rng.choice(wording.PICTURES if len(places) > 1 else wording.PICTURE)
        task = "select-pictures" if facts else "describe-pictures"
        return Scenario(task, instruction, tuple(piece for piece, _ in pieces), tuple(shown))
    told = [
        sentence
        for at, (piece, fact) in enumerate(pieces)
        for sentence in (_facts_told(at, piece, [fact]) if fact else [shown[places.index(at)]])
    ]
    instruction = rng.choice(wording.CONVERSATION)
    return Scenario(
        "summary-conversation", instruction, tuple(piece for piece, _ in pieces), tuple(told)
    )


def _which_pictures(rng: random.Random, stock: Stock) -> Scenario:
    pictures: list[Picture] = []
    count = rng.randint(2, 4)
    while len(pictures) < count:
        picture = rng.choice(stock.pictures)
        if all((picture.thing, picture.colour) != (p.thing, p.colour) for p in pictures):
            pictures.append(picture)
    thing = rng.choice(pictures).thing
    others = [at for at, picture in enumerate(pictures) if picture.thing != thing]
    if others and len(others) == count - 1 and rng.random() < 0.6:
        pictures[rng.choice(others)] = rng.choice(stock.by_thing[thing])
    places = [at for at, picture in enumerate(pictures) if picture.thing == thing]
    sources = tuple(Source(at, "image") for at in places)
    colours = [pictures[at].colour for at in places]
    told = Sentence(wording.of_places(thing, places, colours), sources)
    return Scenario("which-pictures", wording.which_pictures(thing), tuple(pictures), (told,))


def _speech(rng: random.Random, stock: Stock) -> Scenario:
    kind = rng.random()
    if kind < 0.3:
        recording = _recording(rng, stock, 1)
        return _choice(
            rng,
            "choice-speech",
            recording,
            *_about(rng, recording.utterances[0].fact),
            lambda at: _speech_told(at, recording),
        )
    recording = _recording(rng, stock, rng.choice([1, 1, 2, 2, 3]))
    pieces: list[Piece] = [recording]
    if kind < 0.5:
        pieces += [wording.written(rng, fact) for fact in _some_facts(rng, stock, 1, 2)]
        pieces += [rng.choice(stock.pictures) for _ in range(rng.randint(0, 2))]
        rng.shuffle(pieces)
    told = _speech_told(pieces.index(recording), recording)
    task = "select-speech" if len(pieces) > 1 else "summary-speech"
    return Scenario(task, rng.choice(wording.SPEECH), tuple(pieces), tuple(told))


def _film(rng: random.Random, stock: Stock) -> Scenario:
    seconds = rng.choice((2, 2, 2, 4, 8, 12))
    film = Film(*_scenes(rng, stock, counts=(1, 2, 2, 3, 3, 4), seconds=seconds))
    if rng.random() < 0.25:
        return _choice_film(rng, film)
    pieces: list[Piece] = [film]
    if rng.random() < 0.2:
        pieces += [wording.written(rng, fact) for fact in _some_facts(rng, stock, 1, 1)]
        rng.shuffle(pieces)
    told = _film_told(pieces.index(film), film)
    task = "select-film" if len(pieces) > 1 else "describe-film"
    return Scenario(task, rng.choice(wording.FILM), tuple(pieces), tuple(told))


def _choice_film(rng: random.Random, film: Film) -> Scenario:
    if len(film.scenes) == 1:
        at_scene, asked = 0, _seen(rng, film.scenes[0], "film")
    elif rng.random() < 0.5:
        at_scene, asked = 0, ("Which thing comes first?", film.scenes[0].thing, THINGS)
    else:
        at_scene, asked = -1, ("Which thing comes last?", film.scenes[-1].thing, THINGS)
    return _choice(rng, "choice-film", film, *asked, lambda at: [_film_told(at, film)[at_scene]])


def _mixed(rng: random.Random, stock: Stock) -> Scenario:
    narration = _recording(rng, stock, 1, 0.6)
    seconds = math.ceil(narration.seconds)
    scenes, lengths = _scenes(rng, stock, counts=(1, 2, 2, 3), seconds=max(2, seconds))
    narration = Recording(narration.utterances, narration.pauses, float(sum(lengths)))
    film = Film(scenes, lengths, narration)
    if rng.random() < 0.5:
        told = _film_told(0, film)
        return Scenario("describe-narrated", rng.choice(wording.FILM), (film,), tuple(told))
    pieces: list[Piece] = [film]
    fact = draw_fact(rng, held_out=stock.held_out)
    if rng.random() < 0.7:
        pieces.append(wording.written(rng, fact))
    if rng.random() < 0.7:
        pieces.append(rng.choice(stock.pictures))
    if rng.random() < 0.5:
        pieces.append(_recording(rng, stock, 1))
    rng.shuffle(pieces)
    told = []
    for at, piece in enumerate(pieces):
        if isinstance(piece, str):
            told += _facts_told(at, piece, [fact])
        elif isinstance(piece, Picture):
            told += _pictures_told([at], [piece])
        elif isinstance(piece, Recording):
            told += _speech_told(at, piece)
        else:
            told += _film_told(at, piece)
    return Scenario(
        "summary-everything", rng.choice(wording.EVERYTHING), tuple(pieces), tuple(told)
    )


# Practice


def _drill(rng: random.Random, stock: Stock) -> Scenario:
    kind = rng.random()
    if kind < 0.25:
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(12, 30)))
        return Scenario("drill", "Repeat.", (text,), (Sentence(text, ()),))
    if kind < 0.45:
        return _looked_up(rng)
    instruction = rng.choice(wording.CONVERSATION + wording.TEXT)
    return _retold(rng, "drill", instruction, _some_facts(rng, stock, 2, 6))


def _looked_up(rng: random.Random) -> Scenario:
    """Options, and words in any order: every word's letter is asked for."""
    pool = rng.choice([tuple(PLURALS.values()), PEOPLE, DAYS, THINGS, tuple(COLOURS)])
    words = rng.sample(pool, rng.choice([3, 4, 4, 5]))
    letters = dict(zip(words, "ABCDE", strict=False))
    asked = [rng.choice(words) for _ in range(rng.randint(6, 12))]
    pieces = ["\n".join(f"{letters[word]}. {word}" for word in words), " ".join(asked)]
    rng.shuffle(pieces)
    told = tuple(Sentence(f"{word} is {letters[word]}.", ()) for word in asked)
    return Scenario("drill", "Find.", tuple(pieces), told)


# Multiple choice


def _about(rng: random.Random, fact: Fact) -> tuple[str, str, Sequence[str]]:
    """A question about a fact: the question, the right answer, and where wrong ones come from."""
    return rng.choice(
        [
            ("Which thing is it about?", PLURALS[fact.thing], tuple(PLURALS.values())),
            ("Who is it about?", fact.person, PEOPLE),
            ("Which day is it about?", fact.day, DAYS),
        ]
    )


def _seen(rng: random.Random, picture: Picture, what: str) -> tuple[str, str, Sequence[str]]:
    if rng.random() < 0.6:
        return f"Which thing does the {what} show?", picture.thing, THINGS
    return "Which colour is the background?", picture.colour, tuple(COLOURS)


def _choice(
    rng: random.Random,
    task: str,
    piece: Piece,
    question: str,
    right: str,
    pool: Sequence[str],
    reason: Callable[[int], list[Sentence]],
) -> Scenario:
    """A question with options before or after what it is about; ``reason(at)`` tells that."""
    lines, index = wording.options(rng, right, pool)
    text = "\n".join([question, *lines])
    first = rng.random() < 0.5
    at_text, at_piece = (0, 1) if first else (1, 0)
    start = text.index(lines[index])
    letter = Sentence(
        f"The answer is {'ABCD'[index]}.",
        (Source(at_text, "text", start, start + len(lines[index])),),
    )
    return Scenario(
        task,
        rng.choice(wording.CHOICE),
        (text, piece) if first else (piece, text),
        (*reason(at_piece), letter),
    )
