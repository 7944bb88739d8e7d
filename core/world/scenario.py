"""The records of the miniature world: what a prompt is made of, and what its answer rests on."""

from __future__ import annotations

from dataclasses import dataclass

from core.world.words import Fact


@dataclass(frozen=True)
class Picture:
    """A thing on a coloured ground; ``seed`` fixes its place, size and shade."""

    thing: str
    colour: str
    seed: int


@dataclass(frozen=True)
class Utterance:
    """A spoken fact; ``seed`` fixes voice, speed and pitch. ``seconds``: a multiple of 0.04."""

    fact: Fact
    seed: int
    seconds: float


@dataclass(frozen=True)
class Recording:
    """Utterances, each after its pause in seconds, and silence up to ``seconds`` in all."""

    utterances: tuple[Utterance, ...]
    pauses: tuple[float, ...]
    seconds: float

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """``[start, end)`` of every utterance, seconds."""
        found, now = [], 0.0
        for utterance, pause in zip(self.utterances, self.pauses, strict=True):
            start = now + pause
            now = start + utterance.seconds
            found.append((round(start, 2), round(now, 2)))
        return tuple(found)


@dataclass(frozen=True)
class Film:
    """Scenes of whole seconds, and what is said over them, if anything."""

    scenes: tuple[Picture, ...]
    lengths: tuple[int, ...]
    narration: Recording | None = None

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """``[start, end)`` of every scene, seconds."""
        ends = [sum(self.lengths[: i + 1]) for i in range(len(self.lengths))]
        return tuple(
            (float(end - length), float(end))
            for end, length in zip(ends, self.lengths, strict=True)
        )

    @property
    def seconds(self) -> int:
        """The film's length."""
        return sum(self.lengths)

    @property
    def frames(self) -> tuple[Picture, ...]:
        """The picture shown in each second."""
        shown = zip(self.scenes, self.lengths, strict=True)
        return tuple(scene for scene, length in shown for _ in range(length))


Piece = str | Picture | Recording | Film


@dataclass(frozen=True)
class Source:
    """What a sentence rests on: a part, and where in it.

    ``start``/``end`` are characters for ``text``, seconds for sound and film, ``None`` for a
    picture. ``lane`` is one of ``core.timeline.LANES``.
    """

    part: int
    lane: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Sentence:
    """One sentence of an answer with its exact sources."""

    text: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Scenario:
    """A prompt of the miniature world and its only right answer."""

    task: str
    instruction: str
    pieces: tuple[Piece, ...]
    sentences: tuple[Sentence, ...]

    @property
    def answer(self) -> str:
        """The answer as the model should write it."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def is_choice(self) -> bool:
        """Whether the answer ends with an option's letter."""
        return self.task.startswith("choice")
