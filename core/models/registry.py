"""Models by name: the embedded one, the published ones, any local folder, any hub id.

Nothing is downloaded unless a hub id was asked for by name, and then only after the hub answered
within seconds: without a network this says what is missing and does not hang.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import ModelError
from core.hub import cached, fetched, is_hub_id
from core.models.base import Loading, TracedModel
from core.models.quantization import quantized

if TYPE_CHECKING:
    import torch

EMBEDDED = Path(__file__).resolve().parents[2] / "assets" / "embedded"

FAMILIES = {
    "qwen2_5_omni": "core.models.qwen2_5_omni",
    "qwen2_5_omni_thinker": "core.models.qwen2_5_omni",
    "minicpmo": "core.models.minicpm_o",
}
"""``model_type`` of a config → module with ``load``."""

GENERIC = "core.models.generic"
"""Loads every other type."""

TRUST_WARNING = (
    "warning: --trust-remote-code: Python code among the model's files will run with all rights of "
    "this program: it can read, change and send whatever this program can, secrets included. "
    "Use it only for models whose code you have read, from a local folder that nobody else writes."
)
"""To be printed at the start of a program that was given the flag."""

Stage = Literal["finding", "fetching", "reading"]
"""Of loading: files are looked for, downloaded, read; what is on this machine is not fetched."""

_WANTED = ("*.json", "*.jinja", "*.txt", "*.safetensors")
_CODE = ("*.py",)


@dataclass(frozen=True)
class KnownModel:
    """A model that a person can pick: ``name`` is what ``load_model`` takes."""

    name: str
    title: str


def available_models() -> tuple[KnownModel, ...]:
    """The models known by name, the embedded one first."""
    return (
        KnownModel("embedded", "Embedded miniature · knows only its own small world"),
        KnownModel("Qwen/Qwen2.5-Omni-7B", "Qwen2.5-Omni 7B · needs a GPU of 24 GB"),
        KnownModel("Qwen/Qwen2.5-Omni-3B", "Qwen2.5-Omni 3B · needs a GPU of 12 GB"),
        KnownModel(
            "Qwen/Qwen3-Omni-30B-A3B-Instruct", "Qwen3-Omni 30B · needs GPUs of 80 GB in all"
        ),
        KnownModel(
            "HuggingFaceTB/SmolLM2-135M-Instruct", "SmolLM2 135M · texts only, any computer"
        ),
    )


def load_model(
    name: str = "embedded",
    *,
    device: str | None = None,
    dtype: str | torch.dtype | None = None,
    device_map: str | Mapping[str, Any] | None = None,
    quantization: str | None = None,
    trust_remote_code: bool = False,
    on_stage: Callable[[Stage], None] = lambda _: None,
) -> TracedModel:
    """Load a model.

    Args:
        name: ``embedded``, a hub id such as ``Qwen/Qwen2.5-Omni-7B``, or a local folder.
        device: e.g. ``cuda:1``; default: CUDA if there is one, else the CPU.
        dtype: e.g. ``float32``; default: bfloat16 on CUDA, float32 on the CPU.
        device_map: e.g. ``auto``, for a model that outgrows one GPU: its layers are spread over
            all GPUs, then the CPU, then the disk; excludes ``device``.
        quantization: ``4bit`` or ``8bit``, of the weights while loading; needs CUDA and the package
            bitsandbytes.
        trust_remote_code: run modelling code that comes with the model's files, which may do
            anything that this program may. Only for models whose code you have read, or whose
            authors you trust; MiniCPM-o needs it.
        on_stage: called as each stage begins.

    Raises:
        ModelError: unknown, of an unknown family, incomplete, not on this machine, or the device
            or dtype cannot be had.
        MissingExtraError: quantisation was asked for, and its package is not installed.
    """
    from safetensors import SafetensorError

    device, dtype = _placement(device, dtype, device_map)
    if quantization is not None and device_map is None:
        # Quantised weights are made where they stay, and cannot be moved afterwards.
        device_map = {"": device}
    on_stage("finding")
    folder = _folder(name, trust_remote_code, on_stage)
    module = FAMILIES.get(_family(folder, name), GENERIC)
    on_stage("reading")
    how = Loading(
        name=_shown(name),
        device=device,
        dtype=dtype,
        device_map=device_map,
        quantization=None if quantization is None else quantized(quantization, dtype),
        trust_remote_code=trust_remote_code,
        world_only=folder == EMBEDDED,
    )
    try:
        return import_module(module).load(folder, how)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The model {_shown(name)!r} cannot be loaded ({type(error).__name__}): its files are "
            "incomplete or damaged, a package is missing, or memory does not suffice. "
            "Get its files anew, or choose another model."
        ) from error


def _placement(
    device: str | None,
    dtype: str | torch.dtype | None,
    device_map: str | Mapping[str, Any] | None,
) -> tuple[str | None, torch.dtype]:
    import torch

    if device is not None and device_map is not None:
        raise ModelError("Give a device or a device map, not both.")
    cuda = torch.cuda.is_available()
    if device is None and device_map is None:
        device = "cuda" if cuda else "cpu"
    if device is not None:
        try:
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"There is no device {device!r} here. Leave it out to use "
                f"{'CUDA' if cuda else 'the CPU'}."
            ) from error
    if dtype is None:
        on_cuda = cuda if device is None else torch.device(device).type == "cuda"
        return device, torch.bfloat16 if on_cuda else torch.float32
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    chosen = known.get(str(dtype).removeprefix("torch."))
    if chosen is None:
        raise ModelError(f"The dtype {dtype!r} cannot be used. Known: {', '.join(known)}.")
    return device, chosen


def _folder(name: str, code: bool, on_stage: Callable[[Stage], None]) -> Path:
    """The folder that holds a model's files; downloads them if ``name`` is a hub id."""
    if name == "embedded":
        return EMBEDDED
    if name and Path(name).is_dir():
        return Path(name).resolve()
    if not is_hub_id(name):
        known = ", ".join(model.name for model in available_models())
        raise ModelError(
            f"There is no model {_shown(name)!r}. Known: {known}; a local folder or a hub id "
            "(OWNER/NAME) does as well."
        )
    return _from_hub(name, _WANTED + _CODE if code else _WANTED, on_stage)


def _from_hub(name: str, wanted: tuple[str, ...], on_stage: Callable[[Stage], None]) -> Path:
    here = cached(name, wanted)
    if here is not None and _is_whole(here, code=_CODE[0] in wanted):
        return here
    return fetched(
        name,
        wanted,
        lacking=f"The model {name!r} is",
        instead="give a folder that holds its files",
        part=here is not None,
        on_answer=partial(on_stage, "fetching"),
    )


def _is_whole(folder: Path, *, code: bool) -> bool:
    """Whether a download was not broken off: all weights are there, and code that is to run.

    The hub's client takes whatever it finds for the model, one small file even.
    """
    indices = list(folder.glob("*.safetensors.index.json"))
    try:
        listed = {
            file
            for index in indices
            for file in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        }
        own_code = "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False
    weights = all((folder / file).exists() for file in listed) and any(folder.glob("*.safetensors"))
    return weights and (not (code and own_code) or any(folder.glob("*.py")))


def _family(folder: Path, name: str) -> str:
    """The ``model_type``; a GGUF file's own is read on loading."""
    if not (folder / "config.json").exists() and any(folder.glob("*.gguf")):
        return "gguf"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{_shown(name)!r} holds no model: its config.json is missing or damaged."
        ) from error


def _shown(name: str) -> str:
    """A name fit to show: of a folder, its last part."""
    return Path(name).name if os.sep in name and Path(name).is_dir() else name
