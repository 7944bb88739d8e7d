"""A folder → the adapter: the code and the weights that lie in it, put together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from core.errors import ModelError
from core.models.base import Loading
from core.models.heads import read_heads
from core.models.minicpm_o.code import HubCode, import_code
from core.models.minicpm_o.mending import mend
from core.models.minicpm_o.model import MiniCPMO45


def load(folder: Path, how: Loading) -> MiniCPMO45:
    """Load a checkpoint, the speaking part left out, from a folder.

    Raises:
        ModelError: its code is not trusted, or it is asked to be spread or quantised.
        OSError, ValueError: files are missing or do not fit; ``core.models.registry`` explains.
    """
    if how.device_map is not None or how.quantization is not None:
        raise ModelError(
            f"{how.name} is loaded whole onto one device: leave out the device map and the "
            "quantisation, or choose another model."
        )
    code = import_code(folder, name=how.name, trusted=how.trust_remote_code)
    config = code.configuration.MiniCPMOConfig.from_pretrained(folder, local_files_only=True)
    config.init_tts = False
    config._attn_implementation = "sdpa"
    with _default_dtype(how.dtype):
        # In memory from the start: see ``mending``.
        model = code.modeling.MiniCPMO(config)
    _load_weights(model, folder)
    mend(model)
    model = model.to(how.device).eval().requires_grad_(False)
    text = model.llm.config
    return MiniCPMO45(
        model,
        _load_processor(folder, code),
        name=how.name,
        chosen_heads=read_heads(folder, text.num_hidden_layers, text.num_attention_heads),
    )


def _load_processor(folder: Path, code: HubCode) -> Any:
    """The processor, put together from its parts."""
    settings = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    return code.processing.MiniCPMOProcessor(
        code.processing.MiniCPMVImageProcessor(**settings),
        code.processing.MiniCPMAAudioProcessor.from_pretrained(folder, local_files_only=True),
        code.tokenization.MiniCPMOTokenizerFast.from_pretrained(folder, local_files_only=True),
    )


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _load_weights(model: torch.nn.Module, folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise OSError(f"no safetensors files in {folder.name}")
    own, seen = dict(model.state_dict()), set()
    with torch.no_grad():
        for file in files:
            with safe_open(file, framework="pt") as weights:
                for key in set(weights.keys()) & set(own):
                    own[key].copy_(weights.get_tensor(key))
                    seen.add(key)
    tied = {"llm.lm_head.weight"} if model.config.tie_word_embeddings else set()
    missing = set(own) - seen - tied
    if missing:
        raise ValueError(f"{len(missing)} weights are missing, among them {min(missing)}")
