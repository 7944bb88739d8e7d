"""All that training looks at and listens to, made once and kept in memory as tensors.

The model's own processors are slow for tens of thousands of tiny inputs; what is kept here equals
what they give (tests compare): patches of a picture, and a log-mel before its clip-wide floor, so
that utterances can be strung together with silence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from core.world.checkpoint import MELS, SIDE
from core.world.compose import Stock
from core.world.render import RATE, draw, speak
from core.world.scenario import Film, Picture, Recording, Utterance
from core.world.words import COLOURS, THINGS, draw_fact

SILENCE = -10.0
"""The log-mel of digital silence: log10 of the extractor's floor, 1e-10."""

PATCH = 14
HOP = 160


@dataclass(frozen=True, eq=False)
class Bank:
    """Tensors of a stock.

    Attributes:
        stock: what scenarios may be made of.
        patches: picture → float16 ``(36, 1176)``, as the processor cuts them.
        mels: utterance → float16 ``(MELS, 4·positions)``, before floor and scale.
    """

    stock: Stock
    patches: Mapping[Picture, torch.Tensor]
    mels: Mapping[Utterance, torch.Tensor]

    def log_mel(self, recording: Recording, rng: random.Random | None = None) -> torch.Tensor:
        """float32 ``(MELS, frames)`` of a recording, floor and scale as the extractor's.

        With a generator, each utterance is ``warped``.
        """
        whole = torch.full((MELS, round(recording.seconds * RATE) // HOP), SILENCE)
        for utterance, (start, _) in zip(recording.utterances, recording.intervals, strict=True):
            mel = self.mels[utterance].float()
            mel = mel if rng is None else warped(mel, rng)
            at = round(start * RATE) // HOP
            whole[:, at : at + mel.shape[1]] = mel
        return scaled(whole)

    def film_patches(self, film: Film) -> torch.Tensor:
        """float32 ``(36 · seconds, 1176)``: a second is one grid step of two equal frames."""
        return torch.cat([self.patches[picture] for picture in film.frames]).float()


def make_bank(*, pictures: int, utterances: int, held_out: bool, workers: int) -> Bank:
    """Draw and speak everything; takes about 100 s for 16,000 pictures and 8,000 utterances."""
    rng = random.Random(1 if held_out else 0)
    base = 10**9 if held_out else 0
    drawn = [
        Picture(rng.choice(THINGS), rng.choice(tuple(COLOURS)), base + index)
        for index in range(pictures)
    ]
    facts = [draw_fact(rng, held_out=held_out) for _ in range(utterances)]
    seeds = range(base, base + utterances)
    pixels = _mapped(patches, drawn, workers=workers)
    heard = _mapped(partial(_heard, held_out=held_out), facts, seeds, workers=workers)
    spoken = [
        Utterance(fact, seed, mel.shape[1] * HOP / RATE)
        for fact, seed, mel in zip(facts, seeds, heard, strict=True)
    ]
    return Bank(
        Stock(tuple(drawn), tuple(spoken), held_out),
        {picture: torch.from_numpy(array) for picture, array in zip(drawn, pixels, strict=True)},
        {told: torch.from_numpy(array) for told, array in zip(spoken, heard, strict=True)},
    )


def load_bank(folder: Path, *, pictures: int, utterances: int, workers: int) -> Bank:
    """The training bank, made on first use and kept in ``folder``."""
    path = folder / f"bank-{pictures}-{utterances}.pt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = make_bank(pictures=pictures, utterances=utterances, held_out=False, workers=workers)
        torch.save(made, path)
    # Our own file, made by the line above: not something that was handed to us.
    return torch.load(path, weights_only=False)


def patches(picture: Picture) -> np.ndarray:
    """float16 ``(36, 1176)``: resized, scaled to −1..1, cut in the order that the tower wants."""
    image = draw(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pixels = np.asarray(image, np.float32).transpose(2, 0, 1) / 127.5 - 1
    cells = SIDE // (2 * PATCH)
    pair = np.broadcast_to(pixels, (2, *pixels.shape))
    cut = pair.reshape(1, 2, 3, cells, 2, PATCH, cells, 2, PATCH)
    ordered = cut.transpose(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return ordered.reshape(4 * cells * cells, -1).astype(np.float16)


def raw_log_mel(samples: np.ndarray) -> torch.Tensor:
    """float32 ``(MELS, frames)``: log10 of the mel power, before floor and scale."""
    filters, window = _filters()
    spectrum = torch.stft(torch.from_numpy(samples), 400, HOP, window=window, return_complex=True)
    power = spectrum[..., :-1].abs() ** 2
    return torch.clamp(filters @ power, min=1e-10).log10()


def scaled(raw: torch.Tensor) -> torch.Tensor:
    """The extractor's last step: a floor 8 below the loudest, then to about −1..1."""
    return (torch.maximum(raw, raw.max() - 8.0) + 4.0) / 4.0


def warped(raw: torch.Tensor, rng: random.Random, *, tempo: bool = False) -> torch.Tensor:
    """A raw log-mel as if a longer or shorter throat had spoken (and faster or slower: ``tempo``).

    Vocal tract length perturbation (Jaitly and Hinton, 2013): voices that were never heard are
    understood as well. Frames stay a multiple of 4, whole positions of the model.
    """
    mels, frames = raw.shape
    length = round(frames * rng.uniform(0.85, 1.15) / 4) * 4 if tempo else frames
    factor = rng.uniform(0.88, 1.14)
    rows = (torch.arange(mels) * factor).clamp(max=mels - 1)
    low = rows.long()
    part = (rows - low)[:, None]
    moved = raw[low] * (1 - part) + raw[(low + 1).clamp(max=mels - 1)] * part
    if length == frames:
        return moved
    return torch.nn.functional.interpolate(moved[None], size=length, mode="linear")[0]


def _mapped(
    function: Callable[..., np.ndarray], *arguments: Iterable[Any], workers: int
) -> list[np.ndarray]:
    if workers == 1:
        return list(map(function, *arguments))
    # Spawned, not forked: a fork of a process that has used torch's threads can hang for good.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, *arguments, chunksize=50))


def _heard(fact, seed: int, *, held_out: bool) -> np.ndarray:
    return raw_log_mel(speak(fact, seed, held_out=held_out)).numpy().astype(np.float16)


@cache
def _filters() -> tuple[torch.Tensor, torch.Tensor]:
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=MELS)
    filters = torch.tensor(extractor.mel_filters.T, dtype=torch.float32)
    return filters, torch.hann_window(400)
