"""Tiny random models of many families with their processors, built offline from configs.

``FAMILIES`` maps a family's name to a function that builds its adapter. All speak one byte-level
vocabulary, in which every family has the control tokens that its processor names.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from core.models.generic import GenericModel  # isort: skip  (first: it makes torchvision usable)
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
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


@lru_cache(maxsize=1)
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
    model.eval().set_attn_implementation("sdpa")
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


FAMILIES: dict[str, Callable[[], GenericModel]] = {"llama": llama, "qwen3": qwen3}


@lru_cache(maxsize=1)
def family(name: str) -> GenericModel:
    """One family's adapter; tests go family by family."""
    return FAMILIES[name]()
