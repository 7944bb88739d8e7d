"""Vectors by the model itself: what its text model is given to read, before any layer has read it.

A unit is the mean over its positions, a sentence the mean over its tokens: word embeddings for
text, and for a picture what the model's own encoder and projection make of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from core.errors import InputError, ModelError
from core.evaluation.baselines.run import require_same
from core.media import Limits
from core.models.base import TracedModel
from core.sources import Sources
from core.spans import Span
from core.trace import Trace

_LIMITS = Limits()


class OwnEmbeddings:
    """An ``Embedder`` by the model that answered."""

    name = "own embeddings"

    def __init__(self, model: TracedModel) -> None:
        self._model = model

    def embed(
        self, trace: Trace, sources: Sources, sentences: Sequence[Span]
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``Embedder.embed``."""
        require_same(trace, self._model)
        read = self._read(trace)
        if len(read) != len(trace.timeline):
            raise InputError(
                f"The model {self._model.info.name!r} reads this prompt as {len(read):,} "
                f"positions, and the trace has {len(trace.timeline):,}. Trace the sample anew."
            )
        units = [read[sources.unit_of == unit].mean(axis=0) for unit in range(len(sources.units))]
        words = self._words([token.id for token in trace.tokens])
        said = [words[span.first : span.last].mean(axis=0) for span in sentences]
        return np.stack(said), np.stack(units)

    def _read(self, trace: Trace) -> np.ndarray:
        """What the text model reads of the prompt: float32 ``(n_prompt, d)``."""
        prepared = self._model.prepare(trace.prompt, limits=_LIMITS)
        heard: list[torch.Tensor] = []
        with _listening(self._model.text_model, heard):
            self._model.start(prepared).read_prompt()
        if not heard:
            raise ModelError(
                f"The text model of {self._model.info.name!r} tells neither embeddings nor tokens."
            )
        return torch.cat(heard).float().cpu().numpy()

    @torch.inference_mode()
    def _words(self, tokens: Sequence[int]) -> np.ndarray:
        table = self._model.text_model.get_input_embeddings()
        ids = torch.tensor(tokens, device=table.weight.device)
        return table(ids).float().cpu().numpy()


@contextmanager
def _listening(text_model: Any, heard: list[torch.Tensor]) -> Iterator[None]:
    """Collects what the text model is called with: ``(n, d)`` a call."""

    def hear(module: Any, args: tuple[Any, ...], given: dict[str, Any]) -> None:
        embedded, ids = (
            given.get("inputs_embeds"),
            given.get("input_ids", args[0] if args else None),
        )
        if embedded is None and ids is not None:
            embedded = module.get_input_embeddings()(ids)
        if embedded is not None:
            heard.append(embedded[0].detach())

    handle = text_model.register_forward_pre_hook(hear, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
