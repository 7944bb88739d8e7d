"""A GGUF file alone, as packages and local tools carry models: written here, loaded by name."""

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from core.decoding import trace
from core.errors import ModelError
from core.models.registry import load_model
from core.prompt import Prompt
from tests.core.tiny_families import family

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in GGUF's order: the two halves of a head, which rotate together, in turn."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write(path: Path) -> Path:
    model = family("llama")
    config, tokenizer = model.model.config, model.tokenizer
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    control = set(tokenizer.all_special_ids)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(pieces)
    writer.add_token_types([3 if index in control else 1 for index in range(len(pieces))])
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    state = {name: value.numpy() for name, value in model.model.state_dict().items()}
    writer.add_tensor("token_embd.weight", state["model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", state["model.norm.weight"])
    writer.add_tensor("output.weight", state["lm_head.weight"])
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for layer in range(config.num_hidden_layers):
        for theirs, name in NAMES.items():
            weight = state[f"model.layers.{layer}.{theirs}.weight"]
            weight = interleaved(weight, heads[name]) if name in heads else weight
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ascontiguousarray(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_folder_with_one_gguf_file(tmp_path: Path):
    write(tmp_path / "small.gguf")
    loaded, original = load_model(str(tmp_path)), family("llama")
    ids = torch.arange(20, 40)[None]
    with torch.inference_mode():
        there, here = (model.model(ids).logits for model in (loaded, original))
    assert (there - here).abs().max() < 1e-4
    traced = trace(loaded, Prompt.of("Say what.", ["A dog."]), max_new_tokens=3)
    assert traced.model.family == "llama" and len(traced.tokens) == 3
    assert (traced.timeline.part == 0).sum() > 0


def test_two_gguf_files_are_not_chosen_between(tmp_path: Path):
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).touch()
    with pytest.raises(ModelError, match="holds 2 GGUF files"):
        load_model(str(tmp_path))
