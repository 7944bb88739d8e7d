"""Vectors by CLIP (Radford et al., 2021): openai/clip-vit-large-patch14, as in the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.errors import ModelError
from core.media import Limits, load_image
from core.prompt import MediaPart
from core.segmenters.weights import find_weights, shown
from core.sources import Sources
from core.spans import Span
from core.trace import Trace

DEFAULT = "openai/clip-vit-large-patch14"
_FILES = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")
_LIMITS = Limits()


class Clip:
    """An ``Embedder``. Text beyond what CLIP reads (77 tokens) is cut off, as everywhere."""

    def __init__(self, model: Any, processor: Any, name: str) -> None:
        self._model, self._processor = model, processor
        self._longest = model.config.text_config.max_position_embeddings
        self.name = name

    def embed(
        self, trace: Trace, sources: Sources, sentences: Sequence[Span]
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``Embedder.embed``."""
        texts = [unit.text for unit in sources.units if unit.lane == "text"]
        written = iter(self._texts([*(span.text for span in sentences), *texts]))
        said = [next(written) for _ in sentences]
        units = [
            next(written) if unit.lane == "text" else self._picture(trace.prompt.parts[unit.part])
            for unit in sources.units
        ]
        return np.stack(said), np.stack(units)

    @torch.inference_mode()
    def _texts(self, texts: Sequence[str]) -> np.ndarray:
        read = self._processor.tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        )
        return _vectors(self._model.get_text_features(**read.to(self._model.device)))

    @torch.inference_mode()
    def _picture(self, part: MediaPart) -> np.ndarray:
        pixels = load_image(part.path, part.name, limits=_LIMITS).pixels
        seen = self._processor.image_processor(pixels, return_tensors="pt")
        return _vectors(self._model.get_image_features(**seen.to(self._model.device)))[0]


def load_clip(named: str = "", *, device: str | None = None) -> Clip:
    """CLIP by a folder or a hub id; the paper's, from this machine's cache, if empty.

    Raises:
        ModelError: its files are not here and cannot be had, or they are no CLIP's.
    """
    from core.models.torchvision_cpu import make_torchvision_importable

    make_torchvision_importable()
    from transformers import CLIPModel, CLIPProcessor

    folder = find_weights(named, default=DEFAULT, use="--model ", files=_FILES)
    name = shown(named or DEFAULT).rpartition("/")[2]
    try:
        model = CLIPModel.from_pretrained(folder, local_files_only=True)
        processor = CLIPProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{name!r} cannot be loaded as CLIP ({type(error).__name__}): its files are "
            "incomplete, damaged or another model's. Get them anew."
        ) from error
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return Clip(model.eval().to(where), processor, name)


def _vectors(features: Any) -> np.ndarray:
    """Float32 ``(n, d)``."""
    pooled = features if isinstance(features, torch.Tensor) else features.pooler_output
    return pooled.float().cpu().numpy()
