"""What is taught of letters: what is hidden, in which layers, and where the pointer points."""

import random

import pytest
import torch

from core.world.bank import Bank, make_bank
from core.world.batch import Encoded, Encoder, collate
from core.world.checkpoint import train_tokenizer, untrained
from core.world.compose import compose
from core.world.lookup import FIRST_BLIND, HEADS, POINTING, lookup, taught
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


def spelled(tokenizer, row: Encoded, positions) -> str:
    return tokenizer.decode([row.ids[at] for at in positions])


def test_hidden_is_the_reason_from_the_three_words_before_the_letter(rows, tokenizer):
    made = lookup(rows, [True, False, True])
    row = rows[0]
    queries, keys = made.hidden[0, 0].nonzero(as_tuple=True)
    assert spelled(tokenizer, row, queries.unique().tolist()) == " The answer is"
    reason = spelled(tokenizer, row, keys.unique().tolist())
    answer = tokenizer.decode(row.ids[-len(row.weights) :])
    assert answer.startswith(f"{reason} The answer is ") and reason.endswith(".")
    assert not made.hidden[1:].any()


def test_the_pointer_is_told_the_option_that_the_letter_names(rows, tokenizer):
    made = lookup(rows, [True, False, True])
    assert made.rows.tolist() == [0, 1]
    for n, row in enumerate(rows[:2]):
        option = spelled(tokenizer, row, made.options[n].nonzero()[:, 0].tolist())
        letter = spelled(tokenizer, row, [len(row.ids) - 3]).strip()
        assert option.startswith(f"{letter}. ") and option.removeprefix(f"{letter}. ").isalpha()
        assert spelled(tokenizer, row, [int(made.queries[n])]) == " is"


def test_without_letters_nothing_is_taught(rows):
    assert lookup(rows[2:], [True]) is None


def test_only_the_upper_layers_of_the_letters_sentence_differ(rows, model):
    """Hidden states against an ordinary run: they differ where they may, only there."""
    inputs, _ = collate(rows[:1])
    seen = torch.arange(len(rows[0].ids)) < len(rows[0].ids) - 6

    def states(*, blind: bool, teach: bool = True) -> tuple[torch.Tensor, ...]:
        with (
            torch.no_grad(),
            taught(model.model.language_model, lookup(rows[:1], [blind]) if teach else None),
        ):
            return model.model(**inputs, use_cache=False, output_hidden_states=True).hidden_states

    plain, same, blind = states(blind=False, teach=False), states(blind=False), states(blind=True)
    assert torch.allclose(same[-1], plain[-1], atol=1e-5)
    assert torch.allclose(blind[FIRST_BLIND], plain[FIRST_BLIND], atol=1e-6)
    assert torch.allclose(blind[-1][:, seen], plain[-1][:, seen], atol=1e-5)
    assert not torch.allclose(blind[-1][:, -4], plain[-1][:, -4], atol=1e-3)


def test_the_pointers_loss_is_that_of_eager_attention(rows, model):
    """Against the weights that the model itself reports."""
    inputs, _ = collate(rows[:2])
    made = lookup(rows[:2], [False, False])
    with torch.no_grad(), taught(model.model.language_model, made):
        model.model(**inputs, use_cache=False)
    text = model.model.language_model.config
    text._attn_implementation = "eager"
    try:
        with torch.no_grad():
            seen = model.model(**inputs, use_cache=False, output_attentions=True).attentions
    finally:
        text._attn_implementation = "sdpa"
    shares = [
        seen[POINTING][row, head, query][options].sum()
        for row, query, options in zip(made.rows, made.queries, made.options, strict=True)
        for head in HEADS
    ]
    assert made.losses[0].item() == pytest.approx(
        -torch.stack(shares).log().mean().item(), rel=1e-4
    )
