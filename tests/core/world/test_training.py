"""Training in small: it learns, resumes, and exports what the ordinary loader opens."""

import random
from pathlib import Path

import pytest
import torch

from core.models.registry import load_model
from core.world import train
from core.world.bank import SILENCE, make_bank, warped
from core.world.batch import Encoder
from core.world.checkpoint import BACK, train_tokenizer, untrained
from core.world.compose import PRACTICE, compose
from core.world.lesson import Lesson
from core.world.towers import SPOKEN, Teacher, sound_of
from core.world.words import THINGS


@pytest.fixture(scope="module")
def bank():
    return make_bank(pictures=60, utterances=4, held_out=False, workers=1)


@pytest.fixture(scope="module")
def tokenizer(bank):
    return train_tokenizer(train.corpus(bank.stock, count=60))


def checkpoint(path: Path):
    return torch.load(path, weights_only=True)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path):
    work, out = tmp_path / "work", tmp_path / "model"
    common = ["--work", str(work), "--out", str(out), "--workers", "1"]
    common += ["--pictures", "40", "--utterances", "8"]
    assert train.main([*common, "--minutes", "0.02"]) == 0
    first, reading = checkpoint(work / "everything.pt"), checkpoint(work / "reading.pt")
    more = str((first["seconds"] / 60 + 0.02) / (1 - train.READING_SHARE))
    assert train.main([*common, "--minutes", more, "--resume"]) == 0
    second = checkpoint(work / "everything.pt")
    assert 0 < first["step"] < second["step"]
    assert first["seconds"] < second["seconds"]
    # What was learned before is not learned again.
    assert checkpoint(work / "reading.pt")["step"] == reading["step"] > 0
    assert load_model(str(out)).info.parameters > 3_000_000


def test_the_towers_learn_words_and_the_text_model_is_left_alone(bank, tokenizer, tmp_path):
    model = untrained(tokenizer)
    teacher = Teacher(model, tokenizer)
    text = {k: v.clone() for k, v in model.model.language_model.state_dict().items()}

    def measured() -> float:
        with torch.no_grad():
            return teacher.lesson(bank, random.Random(0)).item()

    before = measured()
    lesson = Lesson(model, minutes=0.2, checkpoint=tmp_path / "towers.pt", shared=False)
    rng = random.Random(1)
    lesson.run(lambda: teacher.lesson(bank, rng), lambda: None)
    assert measured() < 0.6 * before
    after = model.model.language_model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in text.items())


def test_an_output_like_an_embedding_says_the_word_and_a_short_one_says_nothing(tokenizer):
    model = untrained(tokenizer)
    teacher = Teacher(model, tokenizer)
    ids = [tokenizer(f" {word}")["input_ids"][0] for word in ("Anna", "bought", "three", "three")]
    anna, bought, three, again = model.get_input_embeddings().weight.detach()[ids]
    silence = 0.1 * anna
    outputs = torch.stack([anna, anna, silence, bought, three, silence, again, silence])
    assert teacher.transcribe(outputs, [8]) == [["Anna", "bought", "three", "three"]]
    assert teacher.transcribe(outputs, [3, 5]) == [["Anna"], ["bought", "three", "three"]]
    right = teacher.hearing(outputs, [8], [["Anna", "bought", "three", "three"]])
    wrong = teacher.hearing(outputs, [8], [["Tom", "bought", "three", "three"]])
    assert right < 0.5 < wrong


def test_what_is_seen_is_compared_with_words(bank, tokenizer):
    model = untrained(tokenizer)
    teacher = Teacher(model, tokenizer)
    picture, other = (
        bank.stock.pictures[0],
        next(p for p in bank.stock.pictures if p.thing != bank.stock.pictures[0].thing),
    )
    ids = [tokenizer(f" {word}")["input_ids"][0] for word in (picture.thing, picture.colour)]
    outputs = model.get_input_embeddings().weight.detach()[ids].sum(0).expand(9, -1)
    assert teacher.seeing(outputs, [picture]) < 1 < teacher.seeing(outputs, [other])


def test_every_word_is_one_token_with_and_without_a_space(tokenizer):
    assert all(len(tokenizer(f" {word}")["input_ids"]) == 1 for word in (*SPOKEN, *THINGS))
    weight = untrained(tokenizer).get_input_embeddings().weight.detach()
    spaced, bare = (tokenizer(word)["input_ids"][0] for word in (" Anna", "Anna"))
    assert spaced != bare
    assert torch.cosine_similarity(weight[spaced], weight[bare], dim=0) > 0.9


def test_some_heads_begin_by_looking_back(tokenizer):
    model = untrained(tokenizer).model.language_model
    model.set_attn_implementation("eager")
    n = 60
    ids = torch.randint(20, 300, (1, n), generator=torch.Generator().manual_seed(1))
    positions = torch.arange(n).expand(3, 1, n)
    rows = model(input_ids=ids, position_ids=positions, output_attentions=True).attentions
    for layer, distances in BACK.items():
        for head, distance in enumerate(distances):
            weights = rows[layer][0, head]
            there = weights.diagonal(-distance)[n // 2 :]
            assert there.mean() > 0.5, (layer, head)


def test_an_echo_asks_for_what_stands_before(bank, tokenizer):
    encoder, rng = Encoder(tokenizer, bank), random.Random(4)
    for _ in range(20):
        row = encoder.echo(rng)
        half = len(row.ids) // 2
        assert row.ids[:half] == row.ids[half:]
        assert len(row.weights) == half - 1


def test_another_throat_says_the_same_in_whole_positions():
    rng = random.Random(5)
    raw = torch.full((80, 40), SILENCE)
    raw[30, 8:20] = 2.0
    peaks = set()
    for _ in range(30):
        kept, stretched = warped(raw, rng), warped(raw, rng, tempo=True)
        assert kept.shape == raw.shape
        assert stretched.shape[0] == 80 and stretched.shape[1] % 4 == 0
        assert (kept[:, :8] == SILENCE).all() and (kept[:, 20:] == SILENCE).all()
        peaks.add(int(kept.sum(1).argmax()))
    assert len(peaks) > 4
    assert min(peaks) >= 25 and max(peaks) <= 35


def test_sound_for_listening_is_framed_by_silence(bank):
    utterance = bank.stock.utterances[0]
    plain = sound_of(bank, utterance)
    assert plain.shape[1] == round(utterance.seconds * 100)
    assert sound_of(bank, utterance, random.Random(3)).shape[1] % 4 == 0


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
