"""Tiny random models of many families with their processors, built offline from configs.

``FAMILIES`` maps a family's name to a function that builds its adapter. All speak one byte-level
vocabulary, in which every family has the control tokens that its processor names.
"""

from collections.abc import Callable
from functools import cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from core.models.generic import GenericModel  # isort: skip  (first: it makes torchvision usable)
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3NextConfig,
    Qwen3NextForCausalLM,
)

from tests.core.tiny import CORPUS

TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    # Wide enough that attention has opinions and answers vary.
    "initializer_range": 0.2,
}
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for c in message['content'] %}"
    "{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}{{ PLACES[c['type']] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@cache
def _vocabulary() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer.to_str()


def tokenizer_with(
    *special: str, bos: str | None = None, template: str | None = None, **named: str
) -> PreTrainedTokenizerFast:
    """The vocabulary with turns, the ``special`` tokens, and those ``named`` as processors ask."""
    backend = Tokenizer.from_str(_vocabulary())
    backend.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>", *special])
    backend.add_special_tokens([token for token in named.values() if token])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=bos,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=named,
        model_input_names=["input_ids", "attention_mask"],
        chat_template=template,
    )


def chat(**places: str) -> str:
    """A chat template that writes ``places[kind]`` where a medium of that kind stands."""
    return f"{{% set PLACES = {places!r} %}}{CHAT}"


def ends(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Sizes and control tokens of a text config."""
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }


def adapter(model: torch.nn.Module, tokenizer, processor=None) -> GenericModel:
    """The adapter around a random model that goes on talking."""
    model.eval()
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return GenericModel(model, tokenizer, processor, name=model.config.model_type)


def llama() -> GenericModel:
    tokenizer = tokenizer_with(template=chat())
    torch.manual_seed(0)
    return adapter(LlamaForCausalLM(LlamaConfig(**TEXT, **ends(tokenizer))), tokenizer)


def qwen3() -> GenericModel:
    tokenizer = tokenizer_with(template=chat())
    config = Qwen3Config(**TEXT, **ends(tokenizer), head_dim=16)
    torch.manual_seed(0)
    return adapter(Qwen3ForCausalLM(config), tokenizer)


def gemma2() -> GenericModel:
    """Capped attention, which sdpa cannot run; every other layer sees a window of 8."""
    tokenizer = tokenizer_with(template=chat())
    config = Gemma2Config(
        **TEXT, **ends(tokenizer), head_dim=16, sliding_window=8, attn_logit_softcapping=2.0
    )
    torch.manual_seed(0)
    return adapter(Gemma2ForCausalLM(config), tokenizer)


def qwen3_next() -> GenericModel:
    """A hybrid: linear attention, which has no rows, but for every other layer."""
    tokenizer = tokenizer_with(template=chat())
    config = Qwen3NextConfig(
        **{**TEXT, "num_hidden_layers": 4},
        **ends(tokenizer),
        head_dim=16,
        layer_types=["linear_attention", "full_attention"] * 2,
        linear_key_head_dim=16,
        linear_value_head_dim=16,
        linear_num_key_heads=2,
        linear_num_value_heads=2,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=32,
        shared_expert_intermediate_size=32,
    )
    torch.manual_seed(0)
    return adapter(Qwen3NextForCausalLM(config), tokenizer)


FAMILIES: dict[str, Callable[[], GenericModel]] = {
    "llama": llama,
    "qwen3": qwen3,
    "gemma2": gemma2,
    "qwen3_next": qwen3_next,
}


@cache
def family(name: str) -> GenericModel:
    """One text-only family's adapter."""
    return FAMILIES[name]()
