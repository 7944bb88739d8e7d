"""The embedded model's parts: tokenizer, processor and an untrained Qwen2.5-Omni thinker.

Same classes, special tokens and files as ``Qwen/Qwen2.5-Omni-7B``; only sizes differ, so that the
adapter which loads the one loads the other.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from core.models.torchvision_cpu import make_torchvision_importable

make_torchvision_importable()

from transformers import (  # noqa: E402
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    Qwen2VLVideoProcessor,
    WhisperFeatureExtractor,
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
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *MEDIA_TOKENS.values())

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for item in message['content'] %}"
    "{% if item['type'] == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif item['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif item['type'] == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% elif item['type'] == 'text' %}{{ item['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SIDE = 84
"""Pixels a side that a picture or frame is brought to: 3 × 3 positions of 28 pixels."""

MELS = 80


def train_tokenizer(corpus: Iterable[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE: the world's words become tokens of their own, and any text goes in."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1_200,
        min_frequency=30,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=dict(MEDIA_TOKENS),
        model_input_names=["input_ids", "attention_mask"],
    )


def processor(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5OmniProcessor:
    """The processor: pictures and frames of ``SIDE``², sound as ``MELS`` mels, up to 300 s."""
    size = {"shortest_edge": 28 * 28, "longest_edge": SIDE * SIDE}
    plain = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    return Qwen2_5OmniProcessor(
        Qwen2VLImageProcessorPil(size=size, **plain),
        Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False, **plain),
        WhisperFeatureExtractor(feature_size=MELS, chunk_length=300),
        tokenizer,
        chat_template=CHAT_TEMPLATE,
    )


def untrained(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5OmniThinkerForConditionalGeneration:
    """The thinker with fresh weights, 3.3 M parameters."""
    ids = {name: tokenizer.convert_tokens_to_ids(text) for name, text in MEDIA_TOKENS.items()}
    width = 160
    config = Qwen2_5OmniThinkerConfig(
        audio_config={
            "num_mel_bins": MELS,
            "encoder_layers": 3,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 384,
            "d_model": 128,
            "output_dim": width,
            "n_window": 100,
            "max_source_positions": 1_500,
        },
        vision_config={
            "depth": 3,
            "hidden_size": 96,
            "intermediate_size": 256,
            "num_heads": 4,
            "out_hidden_size": width,
            "window_size": 112,
            "fullatt_block_indexes": [0, 1, 2],
        },
        text_config={
            "vocab_size": (len(tokenizer) + 15) // 16 * 16,
            "hidden_size": width,
            "intermediate_size": 448,
            "num_hidden_layers": 6,
            "num_attention_heads": 5,
            "num_key_value_heads": 5,
            "max_position_embeddings": 8_192,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [8, 4, 4],
            },
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": None,
            "eos_token_id": tokenizer.eos_token_id,
            "initializer_range": 0.04,
        },
        audio_token_index=ids["audio_token"],
        image_token_index=ids["image_token"],
        video_token_index=ids["video_token"],
        audio_start_token_id=ids["audio_bos_token"],
        audio_end_token_id=ids["audio_eos_token"],
        # Read by get_rope_index, and without a default in the config class.
        vision_start_token_id=ids["vision_bos_token"],
        vision_end_token_id=ids["vision_eos_token"],
        user_token_id=tokenizer.convert_tokens_to_ids("<|im_start|>"),
        position_id_per_seconds=25,
        seconds_per_chunk=2,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = Qwen2_5OmniThinkerForConditionalGeneration(config)
    _start_equal(model, tokenizer)
    _look_back(model)
    return model


BACK = {0: (1, 2, 3, 25), 1: (1, 25)}
"""Layer → how many positions back its first heads begin by looking; 25 is a second."""


def _start_equal(
    model: Qwen2_5OmniThinkerForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
) -> None:
    """``Anna`` and `` Anna`` are different tokens; begin by taking them for nearly the same."""
    vocabulary = tokenizer.get_vocab()
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        for token, at in vocabulary.items():
            bare = vocabulary.get(token.removeprefix("Ġ"), at)
            if bare != at:
                weight[at] = weight[bare] + 0.2 * weight.std() * torch.randn_like(weight[at])


def _look_back(model: Qwen2_5OmniThinkerForConditionalGeneration) -> None:
    """Set biases so that some heads begin by attending to a fixed distance.

    Rotated by position, a constant query and a constant key give a score that depends on their
    distance alone; the key's phase chooses where it is highest. Copying ("what came after this word
    the last time?") stands on a head that looks one back, and finding that takes a small model
    longer than everything else.
    """
    text = model.config.text_config
    width = text.hidden_size // text.num_attention_heads
    strength, frequencies = 4.0, torch.arange(4)
    angles = text.rope_parameters["rope_theta"] ** (-frequencies / (width / 2))
    with torch.no_grad():
        for layer, distances in BACK.items():
            attention = model.model.language_model.layers[layer].self_attn
            for head, distance in enumerate(distances):
                first = head * width + frequencies
                attention.q_proj.bias[first] = strength
                attention.k_proj.bias[first] = strength * torch.cos(angles * distance)
                attention.k_proj.bias[first + width // 2] = strength * torch.sin(angles * distance)


def export(
    model: Qwen2_5OmniThinkerForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
) -> None:
    """Write a checkpoint that ``load_model`` opens: weights in float16, config, processor.

    A copy is rounded: training goes on with the float32 weights of ``model``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rounded = copy.deepcopy(model).half()
    rounded.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    processor(tokenizer).save_pretrained(folder)
    rounded.save_pretrained(folder)
