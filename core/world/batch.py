"""Scenarios → training tensors: the tokens, positions and towers' inputs of the real processor.

The layout is that of ``core.models.qwen2_5_omni``: instruction, then every part on a line of its
own. Tests compare a batch with what the processor and ``get_rope_index`` give for the same files.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from core.world.bank import Bank
from core.world.checkpoint import MEDIA_TOKENS, MELS
from core.world.scenario import Film, Picture, Recording, Scenario
from core.world.words import WORDS

HEAD = "<|im_start|>user\n"
TAIL = "<|im_end|>\n<|im_start|>assistant\n"
LETTER_WEIGHT = 5.0
"""The option's letter is one token in twelve and the slow part to learn."""

SECOND = 25
"""Positions a second."""

_GRID = torch.stack([torch.zeros(9, dtype=torch.long), torch.arange(9) // 3, torch.arange(9) % 3])


@dataclass
class Encoded:
    """One scenario: ``ids`` and ``positions (3, n)`` grow together; towers' inputs in order.

    ``said`` and ``shown`` are what the towers should make of their inputs: the words of each sound,
    and the pictures, then the films' seconds. ``options``: where each option's line stands, if a
    letter ends the answer; ``decoys``: where they stand again (``core.world.lookup``).
    """

    ids: list[int] = field(default_factory=list)
    positions: list[torch.Tensor] = field(default_factory=list)
    next: int = 0
    pictures: list[torch.Tensor] = field(default_factory=list)
    films: list[torch.Tensor] = field(default_factory=list)
    sounds: list[torch.Tensor] = field(default_factory=list)
    said: list[list[str]] = field(default_factory=list)
    shown: list[Picture] = field(default_factory=list)
    filmed: list[Picture] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    options: tuple[range, ...] = ()
    decoys: range = range(0)

    def add(self, ids: Sequence[int], positions: torch.Tensor) -> None:
        """Append tokens at given positions; what follows starts after the largest."""
        self.ids += ids
        self.positions.append(positions)
        self.next = max(self.next, int(positions.max()) + 1)

    def add_line(self, ids: Sequence[int]) -> None:
        """Append tokens one after the other, as text is."""
        self.add(ids, _line(len(ids), self.next))


class Encoder:
    """Scenarios → ``Encoded``, with a little noise where a random generator is given."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, bank: Bank) -> None:
        self.bank = bank
        self._tokenizer = tokenizer.backend_tokenizer
        self._id = {k: tokenizer.convert_tokens_to_ids(v) for k, v in MEDIA_TOKENS.items()}

    def text(self, text: str) -> list[int]:
        """Token ids of text (special tokens included)."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode(self, scenario: Scenario, noise: random.Random | None = None) -> Encoded:
        """Prompt and answer; weights are given to the answer's tokens alone."""
        made = Encoded()
        pending = f"{HEAD}{scenario.instruction}\n"
        for piece in scenario.pieces:
            if isinstance(piece, str):
                pending += f"{piece}\n"
                continue
            made.add_line(self.text(pending))
            self._media(made, piece, noise)
            pending = "\n"
        made.add_line(self.text(pending + TAIL))
        answer = self.text(f"{scenario.answer}<|im_end|>")
        made.add_line(answer)
        made.weights = [1.0] * len(answer)
        if scenario.is_choice:
            made.weights[-3] = LETTER_WEIGHT
            made.options = self._options(made.ids[: -len(answer)])
        return made

    def echo(self, rng: random.Random) -> Encoded:
        """Random words, then the same again: the copy is to be written."""
        count = rng.randint(5, 24)
        words = self.text("".join(f" {rng.choice(WORDS)}" for _ in range(count)))
        made = Encoded(next=rng.randint(0, 60))
        made.add_line(words * 2)
        made.weights = [1.0] * (len(words) - 1)
        return made

    def _options(self, ids: Sequence[int]) -> tuple[range, ...]:
        """Every ``A. dog``: a letter, a dot, and words up to the end of the line."""
        dot, (newline,) = self.text(".")[0], self.text("\n")
        lines = []
        for letter in "ABCD":
            opening = [self.text(letter)[0], dot]
            starts = (at for at in range(len(ids)) if ids[at : at + 2] == opening)
            if (start := next(starts, None)) is not None:
                lines.append(range(start, ids.index(newline, start)))
        return tuple(lines)

    def _media(
        self, made: Encoded, piece: Picture | Recording | Film, noise: random.Random | None
    ) -> None:
        if isinstance(piece, Picture):
            made.add_line([self._id["vision_bos_token"]])
            made.add([self._id["image_token"]] * 9, _GRID + made.next)
            made.add_line([self._id["vision_eos_token"]])
            made.pictures.append(_noisy(self.bank.patches[piece].float(), noise))
            made.shown.append(piece)
        elif isinstance(piece, Recording):
            positions = self._sound(made, piece, noise)
            made.add_line([self._id["audio_bos_token"]])
            made.add_line([self._id["audio_token"]] * positions)
            made.add_line([self._id["audio_eos_token"]])
        else:
            self._film(made, piece, noise)

    def _sound(self, made: Encoded, recording: Recording, noise: random.Random | None) -> int:
        """Add a sound; how many positions it takes."""
        mel = _noisy_sound(self.bank.log_mel(recording, noise), noise)
        made.sounds.append(mel)
        made.said.append([w for u in recording.utterances for w in u.fact.clause.split()])
        return positions_of(mel)

    def _film(self, made: Encoded, film: Film, noise: random.Random | None) -> None:
        made.films.append(_noisy(self.bank.film_patches(film), noise))
        made.filmed += film.frames
        opening, closing = [self._id["vision_bos_token"]], [self._id["vision_eos_token"]]
        sound = None
        if film.narration:
            sound = self._sound(made, film.narration, noise)
            opening.append(self._id["audio_bos_token"])
            closing.insert(0, self._id["audio_eos_token"])
        # Both marks of a pair share one position.
        made.add(opening, _line(1, made.next).repeat(1, len(opening)))
        seconds = [
            _GRID + torch.tensor([[SECOND * second], [0], [0]]) + made.next
            for second in range(film.seconds)
        ]
        frame = [self._id["video_token"]] * 9
        if sound is None:
            for grid in seconds:
                made.add(frame, grid)
        else:
            heard = _line(sound, made.next)
            # Pictures and sound alternate every two seconds.
            for chunk in range(max((len(seconds) + 1) // 2, -(-sound // (2 * SECOND)))):
                for grid in seconds[2 * chunk : 2 * chunk + 2]:
                    made.add(frame, grid)
                part = heard[:, 2 * SECOND * chunk : 2 * SECOND * (chunk + 1)]
                if part.shape[1]:
                    made.add([self._id["audio_token"]] * part.shape[1], part)
        end = int(made.positions[-1].max()) + 1 if sound is not None else made.next
        made.add(closing, _line(1, end).repeat(1, len(closing)))
        made.next = end + 1


def collate(rows: Sequence[Encoded]) -> tuple[dict[str, Any], torch.Tensor]:
    """Model inputs of a batch, right-padded, and float32 weights ``(batch, length)``."""
    length = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros_like(ids)
    positions = torch.zeros(3, len(rows), length, dtype=torch.long)
    weights = torch.zeros(len(rows), length)
    for index, row in enumerate(rows):
        n = len(row.ids)
        ids[index, :n] = torch.tensor(row.ids)
        mask[index, :n] = 1
        positions[:, index, :n] = torch.cat(row.positions, 1)
        weights[index, n - len(row.weights) : n] = torch.tensor(row.weights)
    inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    return inputs | _towers(rows), weights


def positions_of(mel: torch.Tensor) -> int:
    """Positions that ``(MELS, frames)`` of sound take."""
    return ((mel.shape[1] - 1) // 2 + 1 - 2) // 2 + 1


def _towers(rows: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    inputs: dict[str, torch.Tensor] = {}
    if pictures := [picture for row in rows for picture in row.pictures]:
        inputs["pixel_values"] = torch.cat(pictures)
        inputs["image_grid_thw"] = torch.tensor([[1, 6, 6]] * len(pictures))
    if films := [film for row in rows for film in row.films]:
        inputs["pixel_values_videos"] = torch.cat(films)
        inputs["video_grid_thw"] = torch.tensor([[len(film) // 36, 6, 6] for film in films])
    if sounds := [sound for row in rows for sound in row.sounds]:
        frames = max(sound.shape[1] for sound in sounds)
        inputs["input_features"] = torch.zeros(len(sounds), MELS, frames)
        inputs["feature_attention_mask"] = torch.zeros(len(sounds), frames, dtype=torch.long)
        for index, sound in enumerate(sounds):
            inputs["input_features"][index, :, : sound.shape[1]] = sound
            inputs["feature_attention_mask"][index, : sound.shape[1]] = 1
    return inputs


def _line(n: int, start: int) -> torch.Tensor:
    return (torch.arange(n) + start).expand(3, n)


def _noisy(values: torch.Tensor, rng: random.Random | None) -> torch.Tensor:
    if rng is None:
        return values
    return values + torch.randn_like(values) * rng.choice([0.0, 0.02, 0.05])


def _noisy_sound(values: torch.Tensor, rng: random.Random | None) -> torch.Tensor:
    return values if rng is None else _noisy(values + rng.uniform(-0.1, 0.1), rng)
