"""Tiny random Gemma 3n, Gemma 4 and Phi-4-multimodal with their processors, offline."""

import torch

from core.models.generic import GenericModel
from tests.core.tiny_families import TEXT, adapter, chat, ends, tokenizer_with

from transformers import (  # isort: skip  (after our own, which make torchvision usable)
    Gemma3nAudioFeatureExtractor,
    Gemma3nConfig,
    Gemma3nForConditionalGeneration,
    Gemma3nProcessor,
    Gemma4AudioFeatureExtractor,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4ImageProcessorPil,
    Gemma4Processor,
    Gemma4VideoProcessor,
    Phi4MultimodalConfig,
    Phi4MultimodalFeatureExtractor,
    Phi4MultimodalForCausalLM,
    Phi4MultimodalImageProcessor,
    Phi4MultimodalProcessor,
    SiglipImageProcessorPil,
)

GEMMA = {
    "image_token": "<image_soft_token>",
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "audio_token": "<audio_soft_token>",
    "boa_token": "<start_of_audio>",
    "eoa_token": "<end_of_audio>",
}


def _ids(tokenizer, names: dict[str, str]) -> dict[str, int]:
    return {f"{key}_id": tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


def gemma3n() -> GenericModel:
    """Sliding and full layers in turn, the last two of which share the keys of earlier ones."""
    tokenizer = tokenizer_with(
        template=chat(image="<image_soft_token>", audio="<audio_soft_token>"), **GEMMA
    )
    processor = Gemma3nProcessor(
        Gemma3nAudioFeatureExtractor(),
        SiglipImageProcessorPil(size={"height": 128, "width": 128}),
        tokenizer,
        chat_template=tokenizer.chat_template,
        image_seq_length=16,
    )
    held = len(tokenizer)  # Beyond it: what stands for padding of pictures and of sound.
    text = {**TEXT, **ends(tokenizer), "vocab_size": held + 16}
    config = Gemma3nConfig(
        text_config={
            **text, "num_hidden_layers": 4, "head_dim": 16, "sliding_window": 32,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "num_kv_shared_layers": 2, "vocab_size_per_layer_input": held,
            "hidden_size_per_layer_input": 8, "altup_num_inputs": 2, "laurel_rank": 4,
        },
        vision_config={
            "architecture": "test_resnet", "hidden_size": 96, "vocab_offset": held,
            "vocab_size": 8,
        },
        audio_config={
            "hidden_size": 64, "conf_num_attention_heads": 4, "conf_num_hidden_layers": 2,
            "sscp_conv_channel_size": (8, 8), "vocab_offset": held + 8, "vocab_size": 8,
        },
        vision_soft_tokens_per_image=16,
        **_ids(tokenizer, GEMMA),
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(Gemma3nForConditionalGeneration(config), tokenizer, processor)


def gemma4() -> GenericModel:
    tokenizer = tokenizer_with(
        template=chat(image="<image_soft_token>", audio="<audio_soft_token>", video="<|video|>"),
        **GEMMA,
    )
    processor = Gemma4Processor(
        Gemma4AudioFeatureExtractor(),
        Gemma4ImageProcessorPil(max_soft_tokens=70),
        tokenizer,
        Gemma4VideoProcessor(max_soft_tokens=70),
        chat_template=tokenizer.chat_template,
    )
    config = Gemma4Config(
        text_config={
            **TEXT, **ends(tokenizer), "head_dim": 16, "sliding_window": 32,
            "layer_types": ["sliding_attention", "full_attention"],
            "vocab_size_per_layer_input": len(tokenizer), "hidden_size_per_layer_input": 8,
        },
        vision_config={
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 16,
            "position_embedding_size": 256,
        },
        audio_config={
            "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "subsampling_conv_channels": (128, 8), "output_proj_dims": 64,
        },
        **_ids(tokenizer, {**GEMMA, "video_token": "<|video|>"}),
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(Gemma4ForConditionalGeneration(config), tokenizer, processor)


def phi4_multimodal() -> GenericModel:
    tokenizer = tokenizer_with(
        template=chat(image="<|image|>", audio="<|audio|>"),
        image_token="<|image|>", audio_token="<|audio|>",
    )  # fmt: skip
    processor = Phi4MultimodalProcessor(
        Phi4MultimodalImageProcessor(),
        Phi4MultimodalFeatureExtractor(),
        tokenizer,
        chat_template=tokenizer.chat_template,
    )
    config = Phi4MultimodalConfig(
        **{**TEXT, **ends(tokenizer)},
        vision_config={
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "image_size": 448, "crop_size": 448,
            "image_token_id": tokenizer.convert_tokens_to_ids("<|image|>"),
        },
        audio_config={
            "hidden_size": 64, "intermediate_size": 64, "num_blocks": 2, "num_attention_heads": 4,
            "nemo_conv_channels": 32, "ext_pw_out_channel": 64,
            "depthwise_separable_out_channel": 64,
            "audio_token_id": tokenizer.convert_tokens_to_ids("<|audio|>"),
        },
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(Phi4MultimodalForCausalLM(config), tokenizer, processor)
