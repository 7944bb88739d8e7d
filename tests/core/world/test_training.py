"""Training in small: it learns, resumes, and exports what the ordinary loader opens."""

import random
from pathlib import Path

import pytest
import torch

from core.models.registry import load_model
from core.world import train
from core.world.bank import make_bank
from core.world.checkpoint import train_tokenizer, untrained
from core.world.compose import PRACTICE, compose
from core.world.hearing import SPOKEN, Ear, loss, sound_of, targets, train_hearing, transcribe


@pytest.fixture(scope="module")
def bank():
    return make_bank(pictures=60, utterances=4, held_out=False, workers=1)


@pytest.fixture(scope="module")
def tokenizer(bank):
    return train_tokenizer(train.corpus(bank.stock, count=60))


def test_a_run_goes_on_where_it_stopped(tmp_path: Path):
    work, out = tmp_path / "work", tmp_path / "model"
    common = ["--work", str(work), "--out", str(out), "--workers", "1"]
    common += ["--pictures", "40", "--utterances", "8"]
    assert train.main([*common, "--minutes", "0.01"]) == 0
    first = torch.load(work / "checkpoint.pt", weights_only=True)
    more = str(first["seconds"] / 60 + 0.01)
    assert train.main([*common, "--minutes", more, "--resume"]) == 0
    second = torch.load(work / "checkpoint.pt", weights_only=True)
    assert 0 < first["step"] < second["step"]
    assert first["seconds"] < second["seconds"]
    assert load_model(str(out)).info.parameters > 3_000_000


def test_the_tower_learns_to_hear_its_words(bank, tokenizer):
    model = untrained(tokenizer)
    utterances = bank.stock.utterances
    mels = [sound_of(bank, utterance) for utterance in utterances]
    with torch.no_grad():
        before = loss(Ear.of(model, tokenizer), utterances, mels).item()
    text = {k: v.clone() for k, v in model.model.language_model.state_dict().items()}
    ear = train_hearing(model, tokenizer, bank, minutes=0.15)
    with torch.no_grad():
        assert loss(ear, utterances, mels).item() < before / 2
        assert all(0 < word <= len(SPOKEN) for row in transcribe(ear, mels) for word in row)
    after = model.model.language_model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in text.items())


def test_targets_are_the_words_said(bank):
    utterance = bank.stock.utterances[0]
    said = " ".join(SPOKEN[word - 1] for word in targets(utterance))
    assert said == utterance.fact.clause


def test_drills_ask_for_what_the_prompt_holds(bank):
    rng = random.Random(2)
    for _ in range(60):
        scenario = compose(rng, bank.stock, PRACTICE[1])
        if scenario.instruction == "Find.":
            letters = {}
            for piece in scenario.pieces:
                letters |= {line[3:]: line[0] for line in piece.split("\n") if line[1:3] == ". "}
            for sentence in scenario.sentences:
                word, _, letter = sentence.text.removesuffix(".").split()
                assert letters[word] == letter
