"""Loading by name, and every way in which it can fail."""

import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from core.decoding import trace
from core.errors import InputError, ModelError
from core.models.registry import available_models, load_model
from core.prompt import Prompt
from tests.core.tiny import save_tiny, tiny_model
from tests.core.tiny_families import family, tokenizer_with

from transformers import BloomConfig, BloomForCausalLM  # isort: skip  (after our own)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "mine")


def test_a_local_folder_says_what_the_model_said(folder: Path):
    model, prompt = load_model(str(folder)), Prompt.of("Say.", ["A dog."])
    assert model.info.name == "mine" and not model.info.world_only
    assert (model.info.device, model.info.dtype) == ("cpu", "float32")
    here, there = (trace(one, prompt, max_new_tokens=6) for one in (tiny_model(), model))
    assert here.tokens == there.tokens
    assert np.array_equal(here.scores["rawatt"], there.scores["rawatt"])


def test_dtype_can_be_chosen(folder: Path):
    model = load_model(str(folder), device="cpu", dtype="bfloat16")
    assert model.info.dtype == "bfloat16"
    assert trace(model, Prompt.of("Say."), max_new_tokens=3).scores["attmean"].max() <= 1


def test_the_embedded_model_comes_first_and_by_default():
    assert available_models()[0].name == "embedded"
    model = load_model()
    assert model.info.name == "embedded" and model.info.world_only


@pytest.mark.parametrize("name", ["gpt", "", "a/b/c", "../x"])
def test_an_unknown_name_lists_the_known_ones(name: str):
    with pytest.raises(ModelError, match=r"embedded, Qwen/Qwen2\.5-Omni-7B"):
        load_model(name)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dtype": "int8"}, "float32, bfloat16"),
        ({"device": "cuda:99"}, "no device"),
        ({"device": "toaster"}, "no device"),
        ({"device": "cpu", "device_map": "auto"}, "not both"),
    ],
)
def test_a_place_that_cannot_be_had(wrong: dict, message: str):
    with pytest.raises(ModelError, match=message):
        load_model("embedded", **wrong)


def test_a_folder_without_a_model(tmp_path: Path):
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        load_model(str(tmp_path))


@pytest.mark.parametrize("kind", ["t5", "bert", "nothing-known"])
def test_what_is_no_decoder_only_model(tmp_path: Path, kind: str):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(ModelError, match=r"decoder-only|cannot be loaded"):
        load_model(str(tmp_path))


def test_a_family_whose_attention_cannot_be_followed(tmp_path: Path):
    tokenizer = tokenizer_with()
    small = {"hidden_size": 32, "n_layer": 1, "n_head": 2, "vocab_size": len(tokenizer)}
    BloomForCausalLM(BloomConfig(**small)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="a way of its own"):
        load_model(str(tmp_path))


def test_any_causal_model_from_a_folder(tmp_path: Path):
    model, prompt = family("llama"), Prompt.of("Say.", ["A dog."])
    model.model.save_pretrained(tmp_path / "small")
    model.tokenizer.save_pretrained(tmp_path / "small")
    loaded = load_model(str(tmp_path / "small"))
    assert (loaded.info.name, loaded.info.family) == ("small", "llama")
    here, there = (trace(one, prompt, max_new_tokens=6) for one in (model, loaded))
    assert here.tokens == there.tokens
    assert np.array_equal(here.scores["rawatt"], there.scores["rawatt"])


def test_a_model_of_texts_refuses_a_picture_and_says_what_to_do(tmp_path: Path):
    prompt = Prompt.of("See.", [tmp_path / "a.png"])
    with pytest.raises(
        InputError, match=r"'a.png' cannot be given to llama.*text and no pict.*Rem"
    ):
        trace(family("llama"), prompt)


def test_layers_left_on_the_disk_say_the_same(tmp_path: Path):
    """As where memory does not suffice: rows come from wherever a layer runs."""
    model, prompt = family("llama"), Prompt.of("Say.", ["A dog."])
    model.model.save_pretrained(tmp_path / "small")
    model.tokenizer.save_pretrained(tmp_path / "small")
    places = {"model.embed_tokens": "cpu", "model.layers.0": "cpu", "model.layers.1": "disk"}
    places |= {"model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "disk"}
    loaded = load_model(str(tmp_path / "small"), device_map=places, dtype="float32")
    here, there = (trace(one, prompt, max_new_tokens=4) for one in (model, loaded))
    assert here.tokens == there.tokens
    assert np.array_equal(here.scores["attmean"], there.scores["attmean"])


def test_quantisation_says_what_it_needs():
    with pytest.raises(ModelError, match="Known: 4bit, 8bit"):
        load_model("embedded", quantization="2bit")
    with pytest.raises(ModelError, match="needs a CUDA GPU"):
        load_model("embedded", quantization="4bit", device="cpu")


@pytest.mark.parametrize("lost", ["model.safetensors", "tokenizer.json", "processor_config.json"])
def test_a_folder_that_lost_a_file(folder: Path, tmp_path: Path, lost: str):
    shutil.copytree(folder, tmp_path / "half")
    (tmp_path / "half" / lost).unlink()
    with pytest.raises(ModelError, match="'half' cannot be loaded") as caught:
        load_model(str(tmp_path / "half"))
    assert str(tmp_path) not in str(caught.value)


def test_damaged_weights(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "half")
    weights = tmp_path / "half" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="incomplete or damaged"):
        load_model(str(tmp_path / "half"))


def test_weights_that_are_missing_are_not_made_up(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "half")
    weights = load_file(tmp_path / "half" / "model.safetensors")
    weights.pop(next(name for name in weights if name.endswith("layers.1.mlp.up_proj.weight")))
    save_file(weights, tmp_path / "half" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="incomplete"):
        load_model(str(tmp_path / "half"))


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch):
    """A hub that takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setattr("core.hub.ANSWER_SECONDS", 0.2)
        yield


@pytest.mark.usefixtures("silent_hub")
def test_a_hub_that_does_not_answer_is_not_waited_for():
    with pytest.raises(ModelError, match="is not on this machine, and the hub cannot be reached"):
        load_model("nobody/nothing-of-the-kind")


@pytest.fixture
def cached(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with a whole download of ``somebody/tiny``: the folder of its files."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--somebody--tiny"
    commit = "0123456789abcdef0123456789abcdef01234567"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(commit)
    shutil.copytree(folder, kept / "snapshots" / commit)
    return kept / "snapshots" / commit


@pytest.mark.usefixtures("silent_hub")
def test_a_whole_download_needs_no_hub(cached: Path):
    assert load_model("somebody/tiny").info.name == "somebody/tiny"


@pytest.mark.usefixtures("silent_hub")
def test_a_download_that_was_broken_off_goes_on(cached: Path):
    """The hub's client calls it present; without asking the hub it would be damaged for ever."""
    (cached / "model.safetensors").rename(cached / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = json.dumps({"weight_map": shards})
    (cached / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    with pytest.raises(ModelError, match=r"only in part on this machine, and the hub cannot be"):
        load_model("somebody/tiny")


@pytest.mark.usefixtures("silent_hub")
def test_code_that_is_trusted_later_is_fetched_later(cached: Path):
    """Without trust code is not downloaded; with it, the advice must not be to give trust."""
    config = json.loads((cached / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "minicpmo", "auto_map": {"AutoModel": "modeling_minicpmo.MiniCPMO"}}
    (cached / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="load with trust_remote_code=True"):
        load_model("somebody/tiny")
    with pytest.raises(ModelError, match=r"only in part on this machine, and the hub cannot be"):
        load_model("somebody/tiny", trust_remote_code=True)
