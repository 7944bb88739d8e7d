"""Loading any decoder-only checkpoint that transformers knows: a folder of weights, or one GGUF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMultimodalLM,
    AutoProcessor,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MULTIMODAL_LM_MAPPING,
)

from core.errors import ModelError
from core.models.base import Loading
from core.models.generic.model import GenericModel
from core.models.generic.voxtral import VoxtralProcessor
from core.models.heads import read_heads


def load(folder: Path, how: Loading) -> GenericModel:
    """Load a checkpoint from a folder.

    Raises:
        ModelError: not a decoder-only model, or one whose attention cannot be followed.
        OSError, ValueError: files are missing or do not fit; ``core.models.registry`` explains.
    """
    files = _source(folder)
    config = AutoConfig.from_pretrained(folder, **files)
    # Of an omni model, the part that writes; the part that talks is not traced.
    config = getattr(config, "thinker_config", config)
    multimodal = type(config) in MODEL_FOR_MULTIMODAL_LM_MAPPING
    if config.is_encoder_decoder or not (multimodal or type(config) in MODEL_FOR_CAUSAL_LM_MAPPING):
        raise ModelError(
            f"{how.name} is of the type {config.model_type!r}, which is no decoder-only language "
            "model: its answers cannot be traced. Choose one that is."
        )
    loader = AutoModelForMultimodalLM if multimodal else AutoModelForCausalLM
    model, report = loader.from_pretrained(
        folder,
        config=config,
        dtype=how.dtype,
        device_map=how.device_map,
        quantization_config=how.quantization,
        output_loading_info=True,
        **files,
    )
    _require_whole(model, report)
    if how.device is not None and how.device_map is None:
        model = model.to(how.device)
    processor = _processor(folder, config.model_type, files) if multimodal else None
    tokenizer = (
        processor.tokenizer if multimodal else AutoTokenizer.from_pretrained(folder, **files)
    )
    require_followable(model, tokenizer, how.name)
    # Frozen: gradients are taken with respect to attention only, from where it begins to count.
    model = model.eval().requires_grad_(False)
    text = config.get_text_config(decoder=True)
    chosen = read_heads(folder, text.num_hidden_layers, text.num_attention_heads)
    return GenericModel(model, tokenizer, processor, name=how.name, chosen_heads=chosen)


def require_followable(model: PreTrainedModel, tokenizer: Any, name: str) -> None:
    """Refuse at once what would fail, or mislead, at the first traced token.

    Raises:
        ModelError: attention does not go through transformers' interface, or the tokenizer cannot
            say which characters its tokens read.
    """
    if not model.get_decoder()._supports_attention_backend:
        raise ModelError(
            f"{name} computes its attention in a way of its own, so its rows cannot be recorded. "
            "Choose a model of a newer family, such as Llama, Qwen, Gemma or Mistral."
        )
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ModelError(
            f"The tokenizer of {name} does not say which characters its tokens read. Convert it "
            "to a tokenizer.json, or choose another model."
        )


def _processor(folder: Path, model_type: str, files: Mapping[str, Any]) -> Any:
    if model_type == "voxtral":
        return VoxtralProcessor.from_folder(folder)
    return AutoProcessor.from_pretrained(folder, **files)


def _source(folder: Path) -> dict[str, Any]:
    """Arguments that name the files: a GGUF file where there is no ``config.json``."""
    packed = sorted(folder.glob("*.gguf"))
    if (folder / "config.json").exists() or not packed:
        return {"local_files_only": True}
    if len(packed) > 1:
        raise ModelError(
            f"{folder.name!r} holds {len(packed)} GGUF files. Keep one of them in a folder of its "
            "own, and name that folder."
        )
    return {"local_files_only": True, "gguf_file": packed[0].name}


def _require_whole(model: PreTrainedModel, report: Mapping[str, Any]) -> None:
    """Missing weights are filled with random numbers, with no more than a warning."""
    missing = {name for name, _ in model.named_parameters()} & set(report["missing_keys"])
    if missing:
        raise ValueError(f"{len(missing)} weights are missing, among them {min(missing)}")
