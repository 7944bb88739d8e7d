"""Teach the audio tower words before the rest listens to it: CTC over the text embeddings.

Left to the answer's loss alone, the tower gets almost no gradient until the text model looks at
it, and the text model does not look until there is something to hear. CTC (Graves et al., 2006)
gives every position of sound a reason to resemble the embedding of the word spoken there; the
copying that the text model learned on written words then works on spoken ones.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from transformers import PreTrainedTokenizerFast, Qwen2_5OmniThinkerForConditionalGeneration

from core.world.bank import SILENCE, Bank, scaled
from core.world.batch import positions_of
from core.world.scenario import Utterance
from core.world.words import DAYS, NUMBERS, PEOPLE, PLURALS, VERBS

SPOKEN = ("on", *PEOPLE, *VERBS, *NUMBERS, *PLURALS.values(), *DAYS)
"""Every word that an utterance can hold."""

ROWS = 32
RATES = (0.012, 0.0015)
"""Learning rates of Muon and of AdamW."""


@dataclass(frozen=True, eq=False)
class Ear:
    """The tower with a way to say words: unit word directions, a blank and a scale.

    ``words``: float32 ``(len(SPOKEN), width)``, from the model's embeddings, not trained here.
    """

    model: Qwen2_5OmniThinkerForConditionalGeneration
    words: torch.Tensor
    blank: torch.nn.Parameter
    scale: torch.nn.Parameter

    @classmethod
    def of(
        cls, model: Qwen2_5OmniThinkerForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
    ) -> Ear:
        """An untrained ear on a model."""
        ids = [tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in SPOKEN]
        if any(len(word) != 1 for word in ids):
            raise ValueError("a spoken word is not one token: the tokenizer is of another world")
        embedded = model.get_input_embeddings().weight.detach()[[word[0] for word in ids]]
        words = embedded / embedded.norm(dim=1, keepdim=True)
        return cls(
            model,
            words,
            torch.nn.Parameter(torch.zeros(1)),
            # Makes an output as long as an embedding say a word for sure: longer ones would drown
            # what attention adds to them.
            torch.nn.Parameter(torch.tensor(8.0)),
        )

    def hear(self, mels: Sequence[torch.Tensor]) -> torch.Tensor:
        """Log-probabilities ``(positions, batch, 1 + len(SPOKEN))``, the blank first."""
        frames = max(mel.shape[1] for mel in mels)
        features = torch.stack([F.pad(mel, (0, frames - mel.shape[1])) for mel in mels])
        mask = torch.stack([(torch.arange(frames) < mel.shape[1]).long() for mel in mels])
        heard = self.model.model.get_audio_features(features, mask, None, return_dict=True)
        rows = heard.last_hidden_state.split([positions_of(mel) for mel in mels])
        padded = torch.nn.utils.rnn.pad_sequence(rows)
        blank = self.blank.expand(*padded.shape[:2], 1)
        return torch.cat([blank, padded @ self.words.T * self.scale], -1).log_softmax(-1)


def loss(ear: Ear, utterances: Sequence[Utterance], mels: Sequence[torch.Tensor]) -> torch.Tensor:
    """CTC loss a word."""
    said = [targets(utterance) for utterance in utterances]
    return F.ctc_loss(
        ear.hear(mels),
        torch.tensor([word for words in said for word in words]),
        torch.tensor([positions_of(mel) for mel in mels]),
        torch.tensor([len(words) for words in said]),
        zero_infinity=True,
    )


def targets(utterance: Utterance) -> list[int]:
    """The words of an utterance as indices of ``Ear.hear``'s last axis."""
    return [SPOKEN.index(word) + 1 for word in utterance.fact.clause.split()]


def transcribe(ear: Ear, mels: Sequence[torch.Tensor]) -> list[list[int]]:
    """Best path: repeats and blanks removed."""
    best = ear.hear(mels).argmax(-1).T.tolist()
    found = []
    for row, mel in zip(best, mels, strict=True):
        row = row[: positions_of(mel)]
        found.append([w for w, before in zip(row, [0, *row], strict=False) if w and w != before])
    return found


def sound_of(bank: Bank, utterance: Utterance, rng: random.Random | None = None) -> torch.Tensor:
    """The log-mel of one utterance; with a generator, between silences and a little noisy."""
    mel = bank.mels[utterance].float()
    if rng is None:
        return scaled(mel)
    before, after = (4 * rng.randint(0, 10) for _ in range(2))
    mel = scaled(F.pad(mel, (before, after), value=SILENCE)) + rng.uniform(-0.1, 0.1)
    return mel + torch.randn_like(mel) * rng.choice([0.0, 0.02, 0.05])


def train_hearing(
    model: Qwen2_5OmniThinkerForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    bank: Bank,
    *,
    minutes: float,
    seed: int = 11,
) -> Ear:
    """Train the audio tower alone, in place, for so many minutes; returns the ear for tests."""
    ear = Ear.of(model, tokenizer)
    tower = model.model.audio_tower
    hidden = [p for p in tower.parameters() if p.ndim == 2]
    rest = [p for p in tower.parameters() if p.ndim != 2]
    optimisers = [
        torch.optim.Muon(
            hidden, lr=RATES[0], momentum=0.95, weight_decay=0.01, adjust_lr_fn="original"
        ),
        torch.optim.AdamW([*rest, ear.blank, ear.scale], lr=RATES[1], weight_decay=0.0),
    ]
    rng, began, step = random.Random(seed), time.monotonic(), 0
    while (spent := (time.monotonic() - began) / 60) < minutes:
        decay = min(1.0, max(0.03, (minutes - spent) / (0.3 * minutes)))
        for optimiser, rate in zip(optimisers, RATES, strict=True):
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / 60) * decay
        utterances = [rng.choice(bank.stock.utterances) for _ in range(ROWS)]
        value = loss(ear, utterances, [sound_of(bank, u, rng) for u in utterances])
        value.backward()
        torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        if step % 50 == 0:
            print(f"hearing · step {step} · {spent:.1f} min · {value.item():.3f}", flush=True)
    model.zero_grad()
    return ear
