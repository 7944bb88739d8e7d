"""Weights of 8 or 4 bits: Dettmers et al. 2022 (LLM.int8()), Dettmers et al. 2023 (NF4)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from core.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    import torch

KINDS = ("4bit", "8bit")


def quantized(kind: str, dtype: torch.dtype) -> Any:
    """The configuration that transformers takes; matrices are multiplied in ``dtype``.

    Raises:
        ModelError: an unknown kind, or there is no GPU to run it on.
        MissingExtraError: bitsandbytes is not installed.
    """
    import torch
    from transformers import BitsAndBytesConfig

    if kind not in KINDS:
        raise ModelError(f"The quantisation {kind!r} is unknown. Known: {', '.join(KINDS)}.")
    if not torch.cuda.is_available():
        raise ModelError(
            f"Quantisation to {kind} needs a CUDA GPU, and there is none here. Leave it out, or "
            "choose a smaller model."
        )
    if find_spec("bitsandbytes") is None:
        raise MissingExtraError(
            "Quantisation needs the package bitsandbytes: `pip install bitsandbytes`."
        )
    if kind == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
    )
