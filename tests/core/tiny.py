"""A tiny random Qwen2.5-Omni and its processor, built offline: same code path, no knowledge.

``tiny_model()`` is the adapter around it; ``save_tiny(folder)`` writes what ``load_model`` reads.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from core.models.qwen2_5_omni import Qwen25Omni  # isort: skip  (first: it makes torchvision usable)
from core.models.registry import Stage  # isort: skip
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    Qwen2VLVideoProcessor,
    WhisperFeatureExtractor,
)

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for c in message['content'] %}"
    "{% if c['type'] == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif c['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif c['type'] == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% elif c['type'] == 'text' %}{{ c['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MEDIA_TOKENS = {
    "image_token": "<|IMAGE|>",
    "video_token": "<|VIDEO|>",
    "audio_token": "<|AUDIO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
# The released tokenizer's own: words, digits one by one, and line breaks that join what is before.
QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = [
    "You are a helpful assistant. What do you see and hear?\nuser\nassistant\nsystem\n",
    "The first picture shows a dog. The speaker says that Anna flew to Paris on Monday.\n\n",
    "A. red\nB. blue\n\n\nThe answer is B.\n  two  spaces\n",
]


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE like the released one: NFC, Qwen's words, an ordinary added token as well."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_special_tokens(list(MEDIA_TOKENS.values()))
    tokenizer.add_tokens(["<tool_call>"])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=MEDIA_TOKENS,
        model_input_names=["input_ids", "attention_mask"],
    )


def tiny_processor(*, audio_seconds: int = 30) -> Qwen2_5OmniProcessor:
    """Pictures of up to 64 positions, frames of 4 to 16, recordings of up to ``audio_seconds``."""
    cell = 28 * 28
    return Qwen2_5OmniProcessor(
        Qwen2VLImageProcessorPil(size={"shortest_edge": cell, "longest_edge": cell * 64}),
        Qwen2VLVideoProcessor(size={"shortest_edge": cell * 4, "longest_edge": cell * 16}),
        WhisperFeatureExtractor(
            feature_size=80, sampling_rate=16000, hop_length=160, chunk_length=audio_seconds
        ),
        tiny_tokenizer(),
        chat_template=CHAT_TEMPLATE,
    )


def tiny_thinker(
    tokenizer: PreTrainedTokenizerFast, *, seed: int = 0, **text: object
) -> Qwen2_5OmniThinkerForConditionalGeneration:
    """Random weights, grouped key heads; ``text`` overrides the text config."""
    ids = {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in MEDIA_TOKENS.items()}
    config = Qwen2_5OmniThinkerConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e4,
                "mrope_section": [2, 3, 3],
            },
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "tie_word_embeddings": False,
            # Wide enough that attention has opinions and answers vary.
            "initializer_range": 0.2,
            **text,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_heads": 4,
            "out_hidden_size": 64,
            "window_size": 112,
            "fullatt_block_indexes": [1],
        },
        audio_config={
            "num_mel_bins": 80,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
            "d_model": 64,
            "output_dim": 64,
            "n_window": 100,
            "max_source_positions": 1500,
        },
        image_token_index=ids["image_token"],
        video_token_index=ids["video_token"],
        audio_token_index=ids["audio_token"],
        audio_start_token_id=ids["audio_bos_token"],
        audio_end_token_id=ids["audio_eos_token"],
        vision_start_token_id=ids["vision_bos_token"],
        vision_end_token_id=ids["vision_eos_token"],
        position_id_per_seconds=25,
        seconds_per_chunk=2,
    )
    torch.manual_seed(seed)
    thinker = Qwen2_5OmniThinkerForConditionalGeneration(config).eval()
    thinker.set_attn_implementation("sdpa")
    thinker.generation_config.pad_token_id = tokenizer.pad_token_id
    thinker.generation_config.eos_token_id = tokenizer.eos_token_id
    return thinker


def tiny_model(*, on_stage: Callable[[Stage], None] = lambda _: None) -> Qwen25Omni:
    """The adapter around the tiny model; shared, as visitors share a model."""
    on_stage("reading")
    return _shared_model()


@lru_cache(maxsize=1)
def _shared_model() -> Qwen25Omni:
    processor = tiny_processor()
    return Qwen25Omni(tiny_thinker(processor.tokenizer), processor, name="tiny")


def save_tiny(folder: Path) -> Path:
    """Write the tiny model as a local folder."""
    model = tiny_model()
    model.thinker.save_pretrained(folder)
    model.processor.save_pretrained(folder)
    return folder
