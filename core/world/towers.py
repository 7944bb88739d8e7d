"""Teach the two towers words before the rest looks at them, and while it does.

Left to the answer's loss alone, a tower gets almost no gradient until the text model looks at it,
and the text model does not look until there is something to see. So every output is also compared
with the embeddings of words: CTC (Graves et al., 2006) for what is said, cross-entropy for the
thing and the colour of a picture. What the text model learned to do with written words then works
on spoken and on pictured ones. The lesson adds no weights to the model.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from transformers import PreTrainedTokenizerFast, Qwen2_5OmniThinkerForConditionalGeneration

from core.world.bank import SILENCE, Bank, scaled, warped
from core.world.batch import positions_of
from core.world.scenario import Picture, Utterance
from core.world.words import COLOURS, DAYS, NUMBERS, PEOPLE, PLURALS, THINGS, VERBS

SPOKEN = ("on", *PEOPLE, *VERBS, *NUMBERS, *PLURALS.values(), *DAYS)
"""Every word that an utterance can hold."""

SURE = 12.0
"""Logit of a word whose embedding an output equals; that of saying nothing is half of it, so that
silence is a short output."""

UTTERANCES, PICTURES = 20, 32
"""Of one step."""


class Words:
    """Words as directions in a model's embedding space, which is read afresh at every use."""

    def __init__(
        self,
        model: Qwen2_5OmniThinkerForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        words: Sequence[str],
    ) -> None:
        ids = [tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in words]
        if any(len(word) != 1 for word in ids):
            raise ValueError("a word is not one token: the tokenizer is of another world")
        self._embedding = model.get_input_embeddings()
        self._ids = torch.tensor([word[0] for word in ids])
        self.index = {word: index for index, word in enumerate(words)}

    def logits(self, outputs: torch.Tensor) -> torch.Tensor:
        """``(…, width)`` → ``(…, n_words)``."""
        embedded = self._embedding.weight.detach()[self._ids]
        length = embedded.norm(dim=1).mean()
        return outputs @ F.normalize(embedded, dim=1).T * (SURE / length)


class Teacher:
    """Losses of the towers' outputs, as the model hands them to its text part."""

    def __init__(
        self,
        model: Qwen2_5OmniThinkerForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
    ) -> None:
        self.model = model
        self.spoken = Words(model, tokenizer, SPOKEN)
        self.things = Words(model, tokenizer, THINGS)
        self.colours = Words(model, tokenizer, tuple(COLOURS))

    def hearing(
        self, outputs: torch.Tensor, lengths: Sequence[int], said: Sequence[Sequence[str]]
    ) -> torch.Tensor:
        """CTC loss a word; ``outputs (sum(lengths), width)``, ``said``: the words of each sound."""
        targets = [self.spoken.index[word] + 1 for words in said for word in words]
        return F.ctc_loss(
            self._spelled(outputs, lengths),
            torch.tensor(targets),
            torch.tensor(lengths),
            torch.tensor([len(words) for words in said]),
            zero_infinity=True,
        )

    def seeing(self, outputs: torch.Tensor, pictures: Sequence[Picture]) -> torch.Tensor:
        """Cross-entropy of thing and colour; ``outputs (9 · pictures, width)``."""
        whole = outputs.view(len(pictures), -1, outputs.shape[-1]).mean(1)
        things = torch.tensor([self.things.index[picture.thing] for picture in pictures])
        colours = torch.tensor([self.colours.index[picture.colour] for picture in pictures])
        losses = F.cross_entropy(self.things.logits(whole), things)
        return losses + F.cross_entropy(self.colours.logits(whole), colours)

    def transcribe(self, outputs: torch.Tensor, lengths: Sequence[int]) -> list[list[str]]:
        """Best path: repeats and blanks removed."""
        best = self._spelled(outputs, lengths).argmax(-1).T.tolist()
        found = []
        for row, length in zip(best, lengths, strict=True):
            steps = zip(row[:length], [0, *row], strict=False)
            found.append([SPOKEN[word - 1] for word, before in steps if word and word != before])
        return found

    def hear(self, mels: Sequence[torch.Tensor]) -> tuple[torch.Tensor, list[int]]:
        """The audio tower's outputs, one sound after the other, and their lengths."""
        frames = max(mel.shape[1] for mel in mels)
        features = torch.stack([F.pad(mel, (0, frames - mel.shape[1])) for mel in mels])
        mask = torch.stack([(torch.arange(frames) < mel.shape[1]).long() for mel in mels])
        heard = self.model.model.get_audio_features(features, mask, None, return_dict=True)
        return heard.last_hidden_state, [positions_of(mel) for mel in mels]

    def look(self, patches: Sequence[torch.Tensor]) -> torch.Tensor:
        """The vision tower's outputs of pictures."""
        grid = torch.tensor([[1, 6, 6]] * len(patches))
        seen = self.model.model.get_image_features(torch.cat(list(patches)), grid, return_dict=True)
        return torch.cat(seen.pooler_output)

    def lesson(self, bank: Bank, rng: random.Random) -> torch.Tensor:
        """The loss of a few random utterances and pictures."""
        utterances = rng.choices(bank.stock.utterances, k=UTTERANCES)
        heard = self.hear([sound_of(bank, utterance, rng) for utterance in utterances])
        pictures = rng.choices(bank.stock.pictures, k=PICTURES)
        seen = self.look([bank.patches[picture].float() for picture in pictures])
        words = [utterance.fact.clause.split() for utterance in utterances]
        return self.hearing(*heard, words) + 0.3 * self.seeing(seen, pictures)

    def _spelled(self, outputs: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Log-probabilities ``(positions, sounds, 1 + len(SPOKEN))``, the blank first."""
        rows = torch.nn.utils.rnn.pad_sequence(outputs.split(list(lengths)))
        blank = torch.full((*rows.shape[:2], 1), SURE / 2)
        return torch.cat([blank, self.spoken.logits(rows)], -1).log_softmax(-1)


def sound_of(bank: Bank, utterance: Utterance, rng: random.Random | None = None) -> torch.Tensor:
    """The log-mel of one utterance; with a generator, of another voice, among silence and noise."""
    mel = bank.mels[utterance].float()
    if rng is None:
        return scaled(mel)
    before, after = (4 * rng.randint(0, 10) for _ in range(2))
    mel = F.pad(warped(mel, rng, tempo=True), (before, after), value=SILENCE)
    return scaled(mel) + rng.uniform(-0.1, 0.1) + torch.randn_like(mel) * rng.choice([0, 0.02, 0.05])
