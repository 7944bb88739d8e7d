"""Which options a model in training sees from where, and that nothing else changes."""

import random

import pytest
import torch

from core.world.bank import Bank, make_bank
from core.world.batch import Encoded, Encoder, collate
from core.world.checkpoint import train_tokenizer, untrained
from core.world.compose import compose
from core.world.lookup import Decoys, hidden, unseen
from core.world.train import corpus
from core.world.words import DAYS, PEOPLE, PLURALS


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
def scenarios(bank: Bank):
    rng = random.Random(2)
    return [compose(rng, bank.stock, family) for family in ("choice", "choice", "drill")]


@pytest.fixture(scope="module")
def rows(scenarios, bank: Bank, tokenizer) -> list[Encoded]:
    encoder, rng = Encoder(tokenizer, bank), random.Random(3)
    decoys = Decoys(encoder)
    return [decoys.add(encoder.encode(scenario), rng) for scenario in scenarios]


def spelled(tokenizer, row: Encoded, positions) -> str:
    return tokenizer.decode([row.ids[at] for at in positions])


def seen(tokenizer, row: Encoded, query: int) -> str:
    made = hidden([row])[0, 0]
    return spelled(tokenizer, row, (at for at in range(query + 1) if not made[query, at]))


def lines_of(scenario) -> list[str]:
    return next(piece for piece in scenario.pieces if "\nA. " in piece).split("\n")[1:]


def test_options_are_the_lines_with_a_letter(scenarios, rows, tokenizer):
    for scenario, row in zip(scenarios[:2], rows, strict=False):
        lines = [spelled(tokenizer, row, line) for line in row.options]
        assert lines == lines_of(scenario)


def test_decoys_stand_where_the_options_do_and_none_has_its_options_letter(rows, tokenizer):
    for row in rows[:2]:
        first, size = row.options[0].start, len(row.decoys)
        true = spelled(tokenizer, row, range(first, first + size)).split("\n")
        decoys = spelled(tokenizer, row, row.decoys).split("\n")
        assert sorted(line[:3] for line in decoys) == sorted(line[:3] for line in true)
        assert all(decoy[0] != line[0] for decoy, line in zip(decoys, true, strict=True))
        positions = torch.cat(row.positions, 1)
        assert positions.shape == (3, len(row.ids))
        assert torch.equal(positions[:, row.decoys], positions[:, first : first + size])


def test_half_the_decoys_have_other_words_of_the_same_kind(scenarios, bank, tokenizer):
    encoder, rng = Encoder(tokenizer, bank), random.Random(4)
    decoys, row = Decoys(encoder), encoder.encode(scenarios[0])
    words = [line[3:] for line in lines_of(scenarios[0])]
    kind = next(kind for kind in (PLURALS.values(), PEOPLE, DAYS) if words[0] in kind)
    same = 0
    for _ in range(100):
        made = decoys.add(row, rng)
        lines = spelled(tokenizer, made, made.decoys).split("\n")
        assert len({line[3:] for line in lines} & {*kind}) == len(words)
        same += [line[3:] for line in lines] == words
    assert 30 < same < 70


def test_the_reason_sees_the_decoys_and_the_letter_the_options(scenarios, rows, tokenizer):
    for scenario, row in zip(scenarios[:2], rows, strict=False):
        options = "\n".join(lines_of(scenario))
        decoys = spelled(tokenizer, row, row.decoys)
        whole = spelled(tokenizer, row, range(len(row.ids))).replace(options + decoys, "{}")
        reason = whole[: whole.index(" The answer is")]
        assert seen(tokenizer, row, len(row.ids) - 7) == reason.format(decoys)
        assert seen(tokenizer, row, len(row.ids) - 4) == f"{reason} The answer is".format(options)


def test_what_comes_before_the_decoys_sees_what_it_always_does(scenarios, rows, tokenizer):
    row = rows[0]
    whole = spelled(tokenizer, row, range(row.options[-1].stop))
    assert seen(tokenizer, row, row.options[-1].stop - 1) == whole


def test_without_letters_nothing_changes(scenarios, rows, bank, tokenizer):
    plain = Encoder(tokenizer, bank).encode(scenarios[2])
    assert Decoys(Encoder(tokenizer, bank)).add(plain, random.Random(3)) is plain
    assert not hidden(rows)[2].any()
    assert hidden(rows[2:]) is None


def test_options_are_computed_as_if_there_were_no_decoys(scenarios, rows, bank, tokenizer, model):
    plain, row = Encoder(tokenizer, bank).encode(scenarios[0]), rows[0]
    text = model.model.language_model
    with torch.no_grad():
        with unseen(text, hidden([row])):
            twice = model.model(**collate([row])[0], use_cache=False).last_hidden_state[0]
        once = model.model(**collate([plain])[0], use_cache=False).last_hidden_state[0]
    end = row.options[-1].stop
    assert torch.allclose(twice[:end], once[:end], atol=1e-5)
    assert not torch.allclose(twice[-4], once[-4], atol=1e-4)


def test_hiding_is_what_eager_attention_does_with_the_same_mask(rows, model):
    inputs, _ = collate(rows[:1])
    made = hidden(rows[:1])
    length = len(rows[0].ids)
    allowed = torch.ones(length, length, dtype=torch.bool).tril() & ~made
    text = model.model.language_model
    with torch.no_grad():
        with unseen(text, made):
            apart = model.model(**inputs, use_cache=False).last_hidden_state
        text.config._attn_implementation = "eager"
        try:
            mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo().min)
            wanted = text(
                inputs_embeds=text.embed_tokens(inputs["input_ids"]),
                position_ids=inputs["position_ids"],
                attention_mask={"full_attention": mask, "sliding_attention": mask},
                use_cache=False,
            ).last_hidden_state
        finally:
            text.config._attn_implementation = "sdpa"
    assert torch.allclose(apart, wanted, atol=1e-5)
