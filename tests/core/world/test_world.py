"""The miniature world tells the truth about itself."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from core.media import Limits, load_audio, load_image, load_part, load_video
from core.samples import read_samples
from core.spans import sentence_ranges
from core.world import heldout
from core.world.bank import Bank, make_bank, patches, raw_log_mel, scaled
from core.world.batch import Encoder, collate
from core.world.checkpoint import SPECIAL_TOKENS, processor, train_tokenizer
from core.world.compose import FAMILIES, compose
from core.world.render import RATE, draw, save_film, sound
from core.world.scenario import Film, Picture, Recording
from core.world.train import corpus
from core.world.words import draw_fact

ASSETS = Path(__file__).parents[3] / "assets"
HELD_OUT = ASSETS / "heldout" / "samples.json"


@pytest.fixture(scope="session")
def bank() -> Bank:
    return make_bank(pictures=120, utterances=24, held_out=True, workers=1)


@pytest.fixture(scope="session")
def scenarios(bank: Bank):
    rng = random.Random(3)
    return [compose(rng, bank.stock, family) for family in FAMILIES for _ in range(60)]


@pytest.fixture(scope="session")
def tokenizer(bank: Bank):
    return train_tokenizer(corpus(bank.stock, count=120))


def test_the_same_seed_gives_the_same_world(bank: Bank):
    first, second = (
        [compose(random.Random(7), bank.stock, family) for family in FAMILIES] for _ in range(2)
    )
    assert first == second


def test_training_never_draws_what_is_held_out():
    rng = random.Random(0)
    trained = {draw_fact(rng, held_out=False) for _ in range(3_000)}
    unseen = {draw_fact(rng, held_out=True) for _ in range(3_000)}
    assert not any(fact.held_out for fact in trained)
    assert not trained & unseen


def test_every_written_source_is_the_sentence_it_names(scenarios):
    checked = 0
    for scenario in scenarios:
        for sentence in scenario.sentences:
            for source in sentence.sources:
                if source.lane != "text":
                    continue
                text = scenario.pieces[source.part][source.start : source.end]
                words = sentence.text.removesuffix(".").split()
                if sentence.text.startswith("The answer is"):
                    assert text.startswith(f"{words[-1]}. ")
                else:
                    assert text.startswith(words[0]) and " ".join(words[1:]) in text
                checked += 1
    assert checked > 100


def test_written_sources_are_units_of_their_own(scenarios):
    """What the truth names is exactly what the sentence cutter cuts."""
    for scenario in scenarios:
        for sentence in scenario.sentences:
            for source in sentence.sources:
                if source.lane == "text":
                    ranges = sentence_ranges(scenario.pieces[source.part])
                    assert (source.start, source.end) in ranges


def test_pictures_and_sentences_agree(scenarios):
    for scenario in scenarios:
        for sentence in scenario.sentences:
            for source in sentence.sources:
                piece = scenario.pieces[source.part]
                if isinstance(piece, Picture):
                    assert piece.thing in sentence.text


def test_two_pictures_can_be_one_sentence(scenarios):
    assert any(len(sentence.sources) == 2 for s in scenarios for sentence in s.sentences)


def test_the_right_option_says_what_the_reason_says(scenarios):
    for scenario in scenarios:
        if scenario.is_choice:
            reason, letter = scenario.sentences
            source = letter.sources[0]
            option = scenario.pieces[source.part][source.start + 3 : source.end]
            assert option in reason.text


def test_speech_lies_where_the_truth_says(bank: Bank):
    stock = bank.stock
    recording = Recording(stock.utterances[:2], (0.4, 0.8), 8.0)
    samples = sound(recording, held_out=True)
    for start, end in recording.intervals:
        inside = samples[round(start * RATE) : round(end * RATE)]
        assert np.abs(inside).max() > 0.05
        samples[round(start * RATE) : round(end * RATE)] = 0
    assert not samples.any()


def test_a_film_shows_its_scenes_when_the_truth_says(bank: Bank, tmp_path: Path):
    scenes = bank.stock.pictures[:3]
    film = Film(scenes, (1, 2, 1), Recording(bank.stock.utterances[:1], (0.2,), 4.0))
    save_film(film, tmp_path / "film.mp4", held_out=True)
    seen = load_video(tmp_path / "film.mp4", "film.mp4", limits=Limits())
    assert seen.info.duration == pytest.approx(4.0, abs=0.05)
    assert seen.sound is not None and np.abs(seen.sound).max() > 0.05
    for frame, time in zip(seen.frames, seen.times, strict=True):
        wanted = np.asarray(draw(film.frames[int(time)]), np.float32)
        others = [np.asarray(draw(scene), np.float32) for scene in scenes]
        errors = [np.abs(frame - other).mean() for other in others]
        assert min(errors) == np.abs(frame - wanted).mean() < 8


def test_patches_are_the_image_processors(bank: Bank, tokenizer):
    picture = bank.stock.pictures[0]
    theirs = processor(tokenizer).image_processor(draw(picture), return_tensors="pt")
    assert theirs["image_grid_thw"].tolist() == [[1, 6, 6]]
    ours = torch.from_numpy(patches(picture)).float()
    assert (ours - theirs["pixel_values"]).abs().max() < 0.02


def test_mels_are_the_feature_extractors(bank: Bank, tokenizer):
    told = bank.stock.utterances[0]
    samples = sound(Recording((told,), (0.0,), told.seconds), held_out=True)
    extractor = processor(tokenizer).feature_extractor
    theirs = extractor(samples, sampling_rate=RATE, padding="do_not_pad", return_tensors="pt")
    ours = scaled(raw_log_mel(samples))
    assert torch.allclose(ours, theirs["input_features"][0], atol=2e-3)


def test_batches_are_laid_out_as_the_model_lays_them_out(bank: Bank, tokenizer, scenarios):
    from core.world.checkpoint import untrained

    model = untrained(tokenizer)
    encoder = Encoder(tokenizer, bank)
    for family in range(len(FAMILIES)):
        rows = [encoder.encode(s) for s in scenarios[family * 60 : family * 60 + 6]]
        inputs, weights = collate(rows)
        films = inputs.get("video_grid_thw")
        sounds = inputs.get("feature_attention_mask")
        theirs, _ = model.model.get_rope_index(
            inputs["input_ids"],
            inputs.get("image_grid_thw"),
            films,
            inputs["attention_mask"],
            FAMILIES[family] == "av",
            None if sounds is None else sounds.sum(1),
            None if films is None else torch.ones(len(films)),
        )
        real = inputs["attention_mask"].bool()
        assert torch.equal(theirs[:, real], inputs["position_ids"][:, real])
        assert torch.isfinite(model.model(**inputs).last_hidden_state[real]).all()
        assert (weights.sum(1) > 0).all()


def test_the_tokenizer_takes_any_text(tokenizer):
    text = "naïve 北京 🐶\x00 ‮ <b> \ud7ff\t\r\n The picture shows a dog."
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert len(tokenizer.tokenize(" dogs")) == 1
    for token in SPECIAL_TOKENS:
        assert len(tokenizer.tokenize(token)) == 1


def test_the_held_out_set_is_what_its_seed_makes():
    entries = json.loads(HELD_OUT.read_text(encoding="utf-8"))
    made = heldout.scenarios(heldout.stock(), heldout.PER_TASK)
    assert [entry["answer"] for entry in entries] == [scenario.answer for scenario in made]
    assert len(entries) >= 40
    stated = [
        [[source["start"], source["end"]] for s in entry["sentences"] for source in s["sources"]]
        for entry in entries
    ]
    ours = [
        [[source.start, source.end] for s in scenario.sentences for source in s.sources]
        for scenario in made
    ]
    assert stated == ours


def test_the_held_out_files_open():
    readers = {"image": load_image, "audio": load_audio, "video": load_video}
    for sample in read_samples(HELD_OUT):
        for part in sample.prompt().parts:
            if part.kind != "text":
                readers[part.kind](part.path, part.name, limits=Limits())


def test_held_out_films_divide_at_their_scenes_and_recordings_at_their_utterances():
    """What time is cut at by default is what the generator put there."""
    scenes = utterances = 0
    for sample in read_samples(HELD_OUT):
        media = {
            index: load_part(part, limits=Limits()).info
            for index, part in sample.prompt().media
            if part.kind != "image"
        }
        for sentence in sample.extra["sentences"]:
            for source in sentence["sources"]:
                start, end = source.get("start"), source.get("end")
                if source["lane"] == "video_frames":
                    info = media[source["part"]]
                    assert {start, end} <= {*info.shots, info.duration}
                    scenes += 1
                elif source["part"] in media:
                    heard = media[source["part"]].speech
                    assert any(abs(a - start) < 0.3 and abs(b - end) < 0.4 for a, b in heard)
                    utterances += 1
    assert scenes > 20 and utterances > 20
