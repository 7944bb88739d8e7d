"""Instructions and answers of the miniature world, in English."""

from __future__ import annotations

import random
from collections.abc import Sequence

from core.world.scenario import Film, Picture, Recording
from core.world.words import ORDINALS, Fact, view, with_article

CONVERSATION = ("Summarise the conversation.", "What happens in this conversation?")
TEXT = ("Summarise the text.", "What does the text say?")
PICTURE = ("Describe the picture.", "What does the picture show?")
PICTURES = ("Describe the pictures.", "What do the pictures show?")
SPEECH = ("Summarise the recording.", "What does the speaker say?")
FILM = ("Describe the film.", "What happens in the film?")
EVERYTHING = ("Summarise everything.", "Describe all that you are given.")
CHOICE = ("Answer the question.", "Answer the question based on what you are given.")


def written(rng: random.Random, fact: Fact) -> str:
    """A fact as someone writes it: a turn of a conversation, or a plain sentence."""
    return f"{fact.person}: I {fact.deed}." if rng.random() < 0.6 else f"{fact.clause}."


def of_pictures(pictures: Sequence[Picture]) -> list[str]:
    """One sentence a picture."""
    views = [view(picture.thing, picture.colour) for picture in pictures]
    if len(views) == 1:
        return [f"The picture shows {views[0]}."]
    return [f"The {ORDINALS[i]} picture shows {seen}." for i, seen in enumerate(views)]


def of_film(film: Film) -> list[str]:
    """One sentence a scene."""
    first, *others = (view(scene.thing, scene.colour) for scene in film.scenes)
    if not others:
        return [f"The film shows {first}."]
    *middle, last = others
    return [
        f"At first the film shows {first}.",
        *(f"Then it shows {seen}." for seen in middle),
        f"At the end it shows {last}.",
    ]


def of_speech(recording: Recording, who: str = "speaker") -> list[str]:
    """One sentence an utterance."""
    return [
        f"The {who} {'also ' if index else ''}says that {utterance.fact.clause}."
        for index, utterance in enumerate(recording.utterances)
    ]


def of_places(thing: str, places: Sequence[int], colours: Sequence[str]) -> str:
    """``The dog is in the first picture on red and in the third picture on blue.``"""
    seen = zip(places, colours, strict=True)
    named = " and ".join(f"in the {ORDINALS[at]} picture on {colour}" for at, colour in seen)
    return f"The {thing} is {named}."


def which_pictures(thing: str) -> str:
    """The instruction that ``of_places`` answers."""
    return f"Which pictures show {with_article(thing)}?"


def options(rng: random.Random, right: str, pool: Sequence[str]) -> tuple[list[str], int]:
    """Three or four lines ``A. dog``, and which of them is right."""
    wrong = rng.sample([word for word in pool if word != right], rng.choice([2, 3]))
    words = [*wrong, right]
    rng.shuffle(words)
    return [f"{'ABCD'[i]}. {word}" for i, word in enumerate(words)], words.index(right)
