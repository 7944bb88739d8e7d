"""The decode step as one graph: a static cache, fixed buffers, ``torch.compile``.

On CUDA the graph is captured and replayed (CUDA graphs), so that a step costs what its memory
traffic costs and not what its launches do. On a CPU it runs as it was traced, which gains nothing
and proves that it is one graph. A run that is one hands its attention rows to a buffer: the text
model passes the keyword ``ROWS`` through to its attention function, which writes there
(``core.signals.interface``).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, runtime_checkable

import torch
from transformers import StaticCache
from transformers.cache_utils import StaticLayer

from core.models.base import Prepared, Run

ROWS = "omnitrace_rows"
"""Keyword of the buffer: float32 ``(n_layers, room)``."""

_LENGTHS = 64
"""Graphs that one model may have: one for every length of cache."""


class NoGraphError(Exception):
    """The step cannot be one graph; the message says why. Whoever catches it goes the plain way."""


class GraphRun(Run, Protocol):
    """A run over a static cache.

    Attributes:
        room: positions that its cache holds.
    """

    room: int

    def read_token_into(self, token: int, rows: torch.Tensor) -> torch.Tensor:
        """As ``read_token``; every layer's attention, the mean of its heads, goes to ``rows``.

        Raises:
            NoGraphError: nothing was read; ``read_token`` reads it.
        """


@runtime_checkable
class GraphModel(Protocol):
    """A model that may be able to read tokens by a graph."""

    def start_graph(self, prepared: Prepared, *, positions: int) -> GraphRun:
        """A run that has room for so many positions, prompt and answer together.

        Raises:
            NoGraphError: this model cannot.
        """


class Graph:
    """A step, compiled at its first call for every room; runs of one model share it."""

    def __init__(self, step: Callable[..., torch.Tensor]) -> None:
        self._step = step
        self._compiled: Callable[..., torch.Tensor] | None = None
        self._lock = Lock()

    def __call__(self, *args: Any) -> torch.Tensor:
        """The step's logits.

        Raises:
            NoGraphError: the compiler refuses.
        """
        device = args[0].device.type
        with self._lock, torch._dynamo.config.patch(recompile_limit=_LENGTHS):
            if self._compiled is None:
                self._compiled = torch.compile(self._step, fullgraph=True, **_backend(device))
            if device == "cuda":
                torch.compiler.cudagraph_mark_step_begin()
            try:
                # What a CUDA graph returns is overwritten by its next replay.
                return self._compiled(*args).clone()
            except Exception as error:
                if not _is_refusal(error):
                    raise
                reason = str(error).strip().splitlines()
                raise NoGraphError(reason[0] if reason else type(error).__name__) from error


def _is_refusal(error: Exception) -> bool:
    """Whether the compiler says no, or the model knows no such keyword; nothing has run then."""
    # The compiler is loaded by now; above, it would be with every model.
    refusals = (torch._dynamo.exc.TorchDynamoException, torch._inductor.exc.InductorError)
    return isinstance(error, (*refusals, TypeError))


def static_cache(config: Any, positions: int) -> StaticCache:
    """A cache with room for so many positions.

    Raises:
        NoGraphError: the model's layers need another kind.
    """
    cache = StaticCache(config=config, max_cache_len=room_for(positions))
    if any(type(layer) is not StaticLayer for layer in cache.layers):
        raise NoGraphError("some of its layers do not keep the keys and values of all positions")
    return cache


def room_for(positions: int) -> int:
    """Positions rounded up to a quarter of their power of two, 64 at least.

    Every room is a graph of its own: prompts of nearly one length shall share one.
    """
    step = max(64, 2 ** (max(1, positions - 1).bit_length() - 3))
    return -(-positions // step) * step


def require_whole(model: torch.nn.Module, text_model: torch.nn.Module) -> None:
    """Refuse what is spread over devices or packed: its step is no graph.

    Raises:
        NoGraphError: it is.
    """
    if len(set(getattr(model, "hf_device_map", {}).values())) > 1:
        raise NoGraphError("it is spread over several devices")
    quantizer = getattr(model, "hf_quantizer", None)
    if quantizer is not None and not quantizer.is_compileable:
        raise NoGraphError("its weights are quantised in a way that cannot be compiled")
    if text_model.config._attn_implementation == "eager":
        raise NoGraphError("its attention is computed in a way of its own")


def _backend(device: str) -> dict[str, str]:
    return {"mode": "reduce-overhead"} if device == "cuda" else {"backend": "aot_eager"}
