"""Post-hoc baselines on real, tiny models: what they embed, are asked, and leave out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.cli import main
from core.errors import InputError, ModelError
from core.evaluation.baselines import self_attribution, similarity
from core.evaluation.baselines.own_embeddings import OwnEmbeddings
from core.evaluation.baselines.run import predict_folder
from core.evaluation.judge.question import question_of
from core.evaluation.labels import read_labels
from core.media import Limits
from core.prompt import ImagePart, Prompt, TextPart
from core.sources import cut
from core.spans import spans
from core.trace import Trace
from tests.core.evaluation.judge.answered import answered
from tests.core.tiny import tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def traced(model, tmp_path_factory) -> Trace:
    """By the tiny model; the answer is given, and its first sentence is the first source."""
    from core.decoding import trace

    folder = tmp_path_factory.mktemp("pictures")
    for name, colour in (("red", "red"), ("blue", "blue")):
        Image.new("RGB", (84, 84), colour).save(folder / f"{name}.png")
    prompt = Prompt(
        "What is there?",
        (
            TextPart("Anna flew to Paris. It was red."),
            ImagePart(folder / "red.png", "red.png"),
            ImagePart(folder / "blue.png", "blue.png"),
        ),
    )
    return trace(model, prompt, response="Anna flew to Paris. So she did.")


def test_cosine_by_hand():
    first, second = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [4.0, -3.0], [1, 0]])
    found = similarity.cosine(first, second)
    np.testing.assert_allclose(found, [[1.0, 0.0, 0.6], [0.0, 0.0, 0.0]], atol=1e-12)


class Fixed:
    """An embedder whose cosines are known: of the first sentence 1, 0.6, 0, 0; of the second 0."""

    name = "fixed"

    def embed(self, trace, sources, sentences):
        units = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 1, 0], [0, 0, 1.0]])
        return np.array([[1.0, 0, 0], [0, 0, 0]]), units


def test_every_threshold_is_a_method_of_its_own(traced: Trace):
    found = list(similarity.predict(traced, Fixed(), (0.25, 0.7)))
    assert [(label.name, label.span, label.units) for label in found] == [
        ("fixed ≥ 0.25", 0, ("p0.0", "p0.1")),
        ("fixed ≥ 0.25", 1, ()),
        ("fixed ≥ 0.7", 0, ("p0.0",)),
        ("fixed ≥ 0.7", 1, ()),
    ]
    assert {label.by for label in found} == {"baseline"}


def test_own_embeddings_are_what_the_text_model_reads(model, traced: Trace):
    """Text by the table of words, worked out here afresh; pictures by the tower and projection."""
    sources = cut(traced.prompt, traced.timeline, traced.media)
    said, units = OwnEmbeddings(model).embed(traced, sources, spans(traced.answer, traced.tokens))
    with torch.inference_mode():
        table = model.text_model.get_input_embeddings().weight
        prepared = model.prepare(traced.prompt, limits=Limits())
        own = table[prepared.inputs["input_ids"][0][torch.from_numpy(sources.unit_of == 0)]]
        seen = model.thinker.get_image_features(
            prepared.inputs["pixel_values"], prepared.inputs["image_grid_thw"]
        )
    pictures = getattr(seen, "pooler_output", seen)
    pictures = torch.cat(list(pictures)) if not isinstance(pictures, torch.Tensor) else pictures
    np.testing.assert_allclose(units[0], own.mean(0).numpy(), rtol=1e-4, atol=1e-5)
    in_red = int((sources.unit_of == 2).sum())
    np.testing.assert_allclose(units[2], pictures[:in_red].mean(0).numpy(), rtol=1e-4, atol=1e-4)
    # The same words, cut into the same tokens: the sentence is its source.
    cosines = similarity.cosine(said, units)
    assert cosines[0, 0] == pytest.approx(1, abs=0.05) and cosines[0].argmax() == 0


@pytest.mark.parametrize("name", ["llama", "llava"])
def test_any_adapter_can_be_embedded_and_asked(name: str, traced: Trace, monkeypatch):
    """A model that reads tokens, and one whose pictures are put among its words."""
    from core.decoding import trace
    from tests.core.tiny_multimodal import any_family

    model = any_family(name)
    parts = traced.prompt.parts if name == "llava" else traced.prompt.parts[:1]
    made = trace(model, Prompt("What?", parts), response="Anna flew to Paris. So she did.")
    sources = cut(made.prompt, made.timeline, made.media)
    said, units = OwnEmbeddings(model).embed(made, sources, spans(made.answer, made.tokens))
    assert said.shape[1] == units.shape[1] and len(units) == len(sources.units)
    assert similarity.cosine(said, units)[0].argmax() == 0
    monkeypatch.setattr(self_attribution, "_TOKENS_A_SENTENCE", 4)  # It never stops by itself.
    labels = list(self_attribution.predict(made, model))
    assert [label.text for label in labels] == ["Anna flew to Paris.", "So she did."]


def test_nothing_stays_hooked_to_the_model(model, traced: Trace):
    sources = cut(traced.prompt, traced.timeline, traced.media)
    OwnEmbeddings(model).embed(traced, sources, spans(traced.answer, traced.tokens))
    assert not model.text_model._forward_pre_hooks


def test_only_the_model_that_answered_is_asked(model, traced: Trace):
    other = replace(traced, model=replace(traced.model, name="other/model"))
    for predict in (
        lambda: list(self_attribution.predict(other, model)),
        lambda: list(similarity.predict(other, OwnEmbeddings(model), (0.25,))),
    ):
        with pytest.raises(InputError, match="by 'other/model', not by 'tiny'"):
            predict()


def test_self_attribution_asks_the_model_itself_and_guesses_nothing(model, traced: Trace):
    """A random model says nothing that can be read: recorded as malformed, every sentence of it."""
    labels = list(self_attribution.predict(traced, model))
    assert [label.span for label in labels] == [0, 1]
    assert all(label.malformed and not label.units for label in labels)
    assert {(label.by, label.name) for label in labels} == {("baseline", "self-attribution")}


def test_self_attribution_reads_what_the_model_says(model, traced: Trace, monkeypatch):
    """The same way, with the words put into its mouth: two tokens of its own spelling."""
    said = '{"sentences": [{"sentence": 1, "units": ["p1.0"]}, {"sentence": 2, "units": []}]}'
    asked = []

    def speak(model, prepared, generation, most):
        asked.append(prepared)
        return model.tokens_of(said)

    monkeypatch.setattr(self_attribution, "untraced", speak)
    first, second = self_attribution.predict(traced, model)
    assert first.units == ("p1.0",) and second.units == () and not second.malformed
    # It was given the pictures themselves, and the judge's words.
    (prepared,) = asked
    assert len(prepared.inputs["image_grid_thw"]) == 2
    text = model.processor.tokenizer.decode(prepared.inputs["input_ids"][0])
    assert question_of(traced).prompt.parts[-1].text.strip() in text


def test_a_question_that_outgrows_the_model_is_recorded(model, traced: Trace, monkeypatch):
    monkeypatch.setattr(model, "context", 100)
    labels = list(self_attribution.predict(traced, model))
    assert "reads at most" in labels[0].malformed


def save_clip(folder: Path, seed: int = 0) -> Path:
    """A tiny random CLIP in the released form: what ``from_pretrained`` reads."""
    from core.models.torchvision_cpu import make_torchvision_importable

    make_torchvision_importable()
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        PreTrainedTokenizerFast,
    )

    letters = [chr(c) for c in range(33, 127)]
    vocabulary = {word: n for n, word in enumerate(["<pad>", "<end>", "<unk>", *letters])}
    spelling = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    spelling.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=spelling, pad_token="<pad>", eos_token="<end>", unk_token="<unk>"
    )
    size = {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "projection_dim": 16,
    }
    torch.manual_seed(seed)
    config = CLIPConfig(
        text_config={
            **size,
            "vocab_size": len(vocabulary),
            "max_position_embeddings": 24,
            "eos_token_id": 1,
            "pad_token_id": 0,
            "bos_token_id": 1,
        },
        vision_config={**size, "image_size": 28, "patch_size": 14},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    square = {"height": 28, "width": 28}
    pictures = CLIPImageProcessor(size={"shortest_edge": 28}, crop_size=square)
    CLIPProcessor(image_processor=pictures, tokenizer=tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return save_clip(tmp_path_factory.mktemp("models") / "tiny-clip")


def test_clip_embeds_sentences_texts_and_pictures_in_one_space(traced: Trace, clip: Path):
    from core.evaluation.baselines.clip import load_clip

    embedder = load_clip(str(clip), device="cpu")
    assert embedder.name == "tiny-clip"
    sources = cut(traced.prompt, traced.timeline, traced.media)
    said, units = embedder.embed(traced, sources, spans(traced.answer, traced.tokens))
    assert said.shape == (2, 16) and units.shape == (4, 16)
    cosines = similarity.cosine(said, units)
    assert cosines[0, 0] == pytest.approx(1, abs=1e-5)  # The same words.
    assert not np.allclose(units[2], units[3])  # Red and blue.


@pytest.mark.parametrize("name", ["", "openai/clip-vit-large-patch14"])
def test_clip_that_is_not_here_is_told(name: str, monkeypatch):
    from core.evaluation.baselines.clip import load_clip

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"clip-vit-large-patch14.* not on this machine"):
        load_clip(name)


def test_a_folder_that_is_no_clip_is_told(tmp_path: Path):
    from core.evaluation.baselines.clip import load_clip

    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded as CLIP"):
        load_clip(str(tmp_path))


def test_prompts_with_sound_or_film_are_left_out_of_embeddings(traced: Trace, tmp_path: Path):
    traced.save(tmp_path / "one.omnitrace")
    answered(tmp_path).save(tmp_path / "two.omnitrace")
    predicted = predict_folder(
        tmp_path,
        lambda trace: similarity.predict(trace, Fixed(), (0.25,)),
        applies=similarity.applies_to,
    )
    assert len(predicted.labels) == 2 and predicted.passed == ("two.omnitrace",)
    assert predicted.failed == ()


def test_the_commands(traced: Trace, clip: Path, tmp_path: Path, capsys):
    traced.save(tmp_path / "one.omnitrace")
    out = tmp_path / "clip.jsonl"
    asked = [str(tmp_path), "--out", str(out)]
    assert main(["baseline", "clip", *asked, "--model", str(clip), "--threshold=-1,0.25"]) == 0
    assert "4 predictions, 0 of them malformed" in capsys.readouterr().err
    labels = read_labels(out)
    assert labels[0].name == "tiny-clip ≥ -1" and len(labels[0].units) == 4
    assert main(["baseline", "self", *asked, "--threshold", "0.3"]) == 1
    assert "no threshold" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["baseline", "clip", *asked, "--threshold", "2"])
