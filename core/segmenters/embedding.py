"""Sentence embeddings by sentence-transformers, for merging sentences into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ModelError
from core.segmenters.base import package
from core.segmenters.weights import find_weights, shown

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT = "BAAI/bge-m3"
"""The published code's choice; speaks a hundred languages."""

_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Embedder:
    """An embedding model with the weights in ``folder``."""

    name: str
    folder: Path

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings of texts: float32 ``(n, d)``, of length 1."""
        return _model(self.folder).encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False
        )


def load_embedder(model: str = "") -> Embedder:
    """An embedding model: a folder or a hub id; the published one if empty.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelError: the weights are missing or damaged.
    """
    from core.models.torchvision_cpu import make_torchvision_importable

    make_torchvision_importable()
    package("sentence_transformers", "sentence-transformers", "Merging into chunks")
    folder = find_weights(model, default=DEFAULT, use="--chunks ", files=_FILES)
    try:
        _model(folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The embedding model {embedder_name(model)!r} cannot be loaded "
            f"({type(error).__name__}): its files are incomplete or damaged. Get them anew."
        ) from error
    return Embedder(embedder_name(model), folder)


def embedder_name(model: str) -> str:
    """An embedding model's name fit to show and to keep."""
    return shown(model or DEFAULT)


@lru_cache(maxsize=1)
def _model(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), local_files_only=True)
