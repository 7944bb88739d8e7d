"""Tiny random multimodal models with the processors that they are published with, offline."""

import json
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from core.models.generic import GenericModel
from core.models.generic.voxtral import VoxtralProcessor
from tests.core.tiny_families import TEXT, adapter, chat, ends, family, tokenizer_with
from tests.core.tiny_gemma_phi import gemma3n, gemma4, phi4_multimodal

from transformers import (  # isort: skip  (after our own, which make torchvision usable)
    CLIPVisionConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaImageProcessorPil,
    LlavaProcessor,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    Qwen2VLImageProcessorPil,
    Qwen2VLVideoProcessor,
    Qwen3OmniMoeProcessor,
    Qwen3OmniMoeThinkerConfig,
    Qwen3OmniMoeThinkerForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessorPil,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
    VoxtralConfig,
    VoxtralForConditionalGeneration,
    WhisperFeatureExtractor,
)

MROPE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
SEEN = {"depth": 2, "hidden_size": 64, "intermediate_size": 64, "num_heads": 4}
QWEN_VISION = {
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
}
QWEN_PLACES = {
    "image": "<|vision_start|><|image_pad|><|vision_end|>",
    "video": "<|vision_start|><|video_pad|><|vision_end|>",
}
OMNI = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "audio_token": "<|audio_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "audio_bos_token": "<|audio_start|>",
    "audio_eos_token": "<|audio_end|>",
}


def _sizes(cell: int, *, image: int = 64, frame: int = 16) -> tuple[dict[str, int], dict[str, int]]:
    """Least and most pixels of a picture, and of a film's frames."""
    return (
        {"shortest_edge": cell, "longest_edge": cell * image},
        {"shortest_edge": cell * 4, "longest_edge": cell * frame},
    )


def _whisper(bins: int = 80) -> WhisperFeatureExtractor:
    return WhisperFeatureExtractor(feature_size=bins, sampling_rate=16000, hop_length=160)


def _ids(tokenizer, **names: str) -> dict[str, int]:
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


def qwen2_5_vl() -> GenericModel:
    tokenizer = tokenizer_with(template=chat(**QWEN_PLACES), **QWEN_VISION)
    image, video = _sizes(28 * 28)
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessorPil(size=image),
        tokenizer,
        Qwen2VLVideoProcessor(size=video),
        chat_template=tokenizer.chat_template,
    )
    config = Qwen2_5_VLConfig(
        text_config={**TEXT, **ends(tokenizer), "rope_parameters": MROPE},
        vision_config={
            **SEEN, "out_hidden_size": 64, "window_size": 112, "fullatt_block_indexes": [1]
        },
        **_ids(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(Qwen2_5_VLForConditionalGeneration(config), tokenizer, processor)


def qwen3_vl() -> GenericModel:
    tokenizer = tokenizer_with(template=chat(**QWEN_PLACES), **QWEN_VISION)
    image, video = _sizes(32 * 32)
    processor = Qwen3VLProcessor(
        Qwen2VLImageProcessorPil(size=image, patch_size=16),
        tokenizer,
        Qwen3VLVideoProcessor(size=video),
        chat_template=tokenizer.chat_template,
    )
    config = Qwen3VLConfig(
        text_config={**TEXT, **ends(tokenizer), "head_dim": 16, "rope_parameters": MROPE},
        vision_config={
            **SEEN, "out_hidden_size": 64, "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        **_ids(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(Qwen3VLForConditionalGeneration(config), tokenizer, processor)


def qwen3_omni() -> GenericModel:
    """The thinker, the part that writes."""
    places = {**QWEN_PLACES, "audio": "<|audio_start|><|audio_pad|><|audio_end|>"}
    tokenizer = tokenizer_with(template=chat(**places), **OMNI)
    image, video = _sizes(32 * 32)
    processor = Qwen3OmniMoeProcessor(
        Qwen2VLImageProcessorPil(size=image, patch_size=16),
        Qwen2VLVideoProcessor(size=video, patch_size=16),
        _whisper(),
        tokenizer,
        chat_template=tokenizer.chat_template,
    )
    config = Qwen3OmniMoeThinkerConfig(
        text_config={
            **TEXT, **ends(tokenizer), "rope_parameters": MROPE, "head_dim": 16,
            "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
        },
        vision_config={
            **SEEN, "out_hidden_size": 64, "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        audio_config={
            "num_mel_bins": 80, "encoder_layers": 2, "encoder_attention_heads": 4,
            "encoder_ffn_dim": 64, "d_model": 64, "output_dim": 64, "downsample_hidden_size": 16,
            "n_window_infer": 100,
        },
        **_ids(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            audio_token_id="<|audio_pad|>",
            audio_start_token_id="<|audio_start|>",
        ),
    )  # fmt: skip
    for key, token in (("vision_start_token_id", "<|vision_start|>"),):
        setattr(config, key, tokenizer.convert_tokens_to_ids(token))
    torch.manual_seed(0)
    return adapter(Qwen3OmniMoeThinkerForConditionalGeneration(config), tokenizer, processor)


def qwen2_audio() -> GenericModel:
    tokenizer = tokenizer_with(
        template=chat(audio="<|audio_bos|><|AUDIO|><|audio_eos|>"),
        audio_token="<|AUDIO|>", audio_bos_token="<|audio_bos|>", audio_eos_token="<|audio_eos|>",
    )  # fmt: skip
    processor = Qwen2AudioProcessor(_whisper(), tokenizer, chat_template=tokenizer.chat_template)
    config = Qwen2AudioConfig(
        text_config={"model_type": "qwen2", **TEXT, **ends(tokenizer)},
        audio_config={
            "num_mel_bins": 80, "encoder_layers": 2, "encoder_attention_heads": 4,
            "encoder_ffn_dim": 64, "d_model": 64,
        },
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(Qwen2AudioForConditionalGeneration(config), tokenizer, processor)


def llava() -> GenericModel:
    tokenizer = tokenizer_with(
        "<s>", bos="<s>", template=chat(image="<image>\n"), image_token="<image>"
    )
    processor = LlavaProcessor(
        LlavaImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    )
    config = LlavaConfig(
        text_config={"model_type": "llama", **TEXT, **ends(tokenizer)},
        vision_config=CLIPVisionConfig(
            hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            image_size=56, patch_size=14,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
        vision_feature_layer=-2,
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(LlavaForConditionalGeneration(config), tokenizer, processor)


def smolvlm() -> GenericModel:
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    named = {
        "image_token": "<image>",
        "video_token": "<video>",
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
    }
    tokenizer = tokenizer_with(*tiles, template=chat(image="<image>", video="<video>"), **named)
    side = {"longest_edge": 64}
    processor = SmolVLMProcessor(
        SmolVLMImageProcessorPil(size={"longest_edge": 160}, max_image_size=side),
        tokenizer,
        SmolVLMVideoProcessor(size={"longest_edge": 64}, max_image_size=side),
        image_seq_len=4,
        chat_template=tokenizer.chat_template,
    )
    config = SmolVLMConfig(
        text_config={"model_type": "llama", **TEXT, **ends(tokenizer)},
        vision_config={
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "image_size": 64, "patch_size": 16,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(SmolVLMForConditionalGeneration(config), tokenizer, processor)


def tekken(folder: Path) -> Path:
    """Write a tiny vocabulary of Voxtral's kind: bytes and a few words; its control tokens."""
    special = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]"]
    special += ["[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]"]
    special += ["<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"]
    special += ["[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"]
    special += [f"<SPECIAL_{rank}>" for rank in range(len(special), 24)]
    special += ["[AUDIO]", "[BEGIN_AUDIO]"]
    pieces = [bytes([byte]) for byte in range(256)] + [b"th", b"the", b" d", b"og"]
    written = {
        "config": {
            "pattern": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+",
            "num_vocab_tokens": len(pieces),
            "default_vocab_size": len(pieces) + len(special),
            "default_num_special_tokens": len(special),
            "version": "v7",
        },
        "vocab": [
            {"rank": rank, "token_bytes": b64encode(piece).decode(), "token_str": None}
            for rank, piece in enumerate(pieces)
        ],
        "special_tokens": [
            {"rank": rank, "token_str": token, "is_control": True}
            for rank, token in enumerate(special)
        ],
    }
    (folder / "tekken.json").write_text(json.dumps(written))
    return folder


def voxtral() -> GenericModel:
    """From the files of a checkpoint, as there is no processor to build."""
    with TemporaryDirectory() as name:
        folder = tekken(Path(name))
        _whisper().save_pretrained(folder)
        processor = VoxtralProcessor.from_folder(folder)
    tokenizer = processor.tokenizer
    tokenizer.chat_template = "<s>[INST]{{ messages[0]['content'] }}[/INST]"
    config = VoxtralConfig(
        text_config={"model_type": "llama", **TEXT, **ends(tokenizer)},
        audio_config={
            "num_mel_bins": 80, "num_hidden_layers": 2, "num_attention_heads": 4,
            "hidden_size": 32, "intermediate_size": 128, "max_source_positions": 1500,
        },
        audio_token_id=processor.audio_token_ids[0],
    )  # fmt: skip
    torch.manual_seed(0)
    return adapter(VoxtralForConditionalGeneration(config), tokenizer, processor)


MULTIMODAL: dict[str, Callable[[], GenericModel]] = {
    "qwen3_omni": qwen3_omni,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "qwen2_audio": qwen2_audio,
    "gemma3n": gemma3n,
    "gemma4": gemma4,
    "phi4_multimodal": phi4_multimodal,
    "voxtral": voxtral,
    "smolvlm": smolvlm,
    "llava": llava,
}
KINDS = {
    "qwen3_omni": ("image audio video", "audio film"),
    "qwen2_5_vl": ("image video",),
    "qwen3_vl": ("image video",),
    "qwen2_audio": ("audio",),
    "gemma3n": ("image audio",),
    "gemma4": ("image audio video",),
    "phi4_multimodal": ("image audio",),
    "voxtral": ("audio",),
    "smolvlm": ("image", "video"),
    "llava": ("image",),
}
"""Family → the media that it takes in one prompt; SmolVLM never mixes its two.

A ``film`` is one whose sound is heard.
"""


@cache
def any_family(name: str) -> GenericModel:
    """One family's adapter, of texts or of media."""
    return MULTIMODAL[name]() if name in MULTIMODAL else family(name)
