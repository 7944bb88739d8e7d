"""The blindfold hides the reason from the letter's sentence, in upper layers, and nothing else."""

import random

import pytest
import torch

from core.world.bank import Bank, make_bank
from core.world.batch import Encoded, Encoder, collate
from core.world.blindfold import FIRST_LAYER, blindfolded, hidden_reasons
from core.world.checkpoint import train_tokenizer, untrained
from core.world.compose import compose
from core.world.train import corpus


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank(pictures=40, utterances=8, held_out=False, workers=1)


@pytest.fixture(scope="module")
def tokenizer(bank: Bank):
    return train_tokenizer(corpus(bank.stock, count=300))


@pytest.fixture(scope="module")
def model(tokenizer):
    return untrained(tokenizer).eval()


@pytest.fixture(scope="module")
def rows(bank: Bank, tokenizer) -> list[Encoded]:
    encoder, rng = Encoder(tokenizer, bank), random.Random(2)
    made = [encoder.encode(compose(rng, bank.stock, "choice")) for _ in range(2)]
    return [*made, encoder.encode(compose(rng, bank.stock, "drill"))]


def test_hidden_is_the_reason_from_the_three_words_before_the_letter(rows, tokenizer):
    hidden = hidden_reasons(rows, [True, False, True])
    row = rows[0]
    queries, keys = hidden[0, 0].nonzero(as_tuple=True)
    words = [tokenizer.decode([row.ids[at]]).strip() for at in sorted(set(queries.tolist()))]
    assert words == ["The", "answer", "is"]
    reason = tokenizer.decode([row.ids[at] for at in sorted(set(keys.tolist()))])
    answer = tokenizer.decode(row.ids[-len(row.weights) :])
    assert answer.startswith(f"{reason} The answer is ") and reason.endswith(".")
    assert not hidden[1:].any()


def test_nothing_is_hidden_where_nobody_is_blindfolded(rows):
    assert hidden_reasons(rows, [False, False, True]) is None


def test_only_the_upper_layers_of_the_letters_sentence_differ(rows, model):
    """Hidden states against a run without a blindfold: they differ where they may, only there."""
    inputs, _ = collate(rows[:1])
    hidden = hidden_reasons(rows[:1], [True])
    seen = torch.arange(len(rows[0].ids)) < len(rows[0].ids) - 6
    with torch.no_grad():
        plain = model.model(**inputs, use_cache=False, output_hidden_states=True).hidden_states
        with blindfolded(model.model.language_model, hidden & False):
            same = model.model(**inputs, use_cache=False, output_hidden_states=True).hidden_states
        with blindfolded(model.model.language_model, hidden):
            blind = model.model(**inputs, use_cache=False, output_hidden_states=True).hidden_states
    assert torch.allclose(same[-1], plain[-1], atol=1e-5)
    assert torch.allclose(blind[FIRST_LAYER], plain[FIRST_LAYER], atol=1e-6)
    assert torch.allclose(blind[-1][:, seen], plain[-1][:, seen], atol=1e-5)
    assert not torch.allclose(blind[-1][:, -4], plain[-1][:, -4], atol=1e-3)
