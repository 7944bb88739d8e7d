"""What a trace will take, before it runs: memory and time, by the model's shapes and the prompt.

Memory is counted: weights, keys and values, the prompt's activations in the widest layer, recorded
rows, and what the signals hold of one step. Time is work ÷ speed: multiplications of the prompt,
bytes read for every token, and the calls of a step, at speeds that are measured in a moment on the
device itself (``measure``). Both are rough: encoders of media, fragmentation and other programs
are left out. Expect a factor of two in time, a quarter in memory.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from core.decoding.loop import DEFAULT_SIGNALS
from core.media import Limits
from core.models.base import TracedModel
from core.prompt import Prompt
from core.signals.needs import Needs
from core.signals.registry import signals_named
from core.trace import Generation

_CALLS = 45
"""Operations of one layer's step; where a model is tiny they are what a step costs."""

_STEPS = {"none": 1.0, "last": 1.2, "all": 2.2}
"""Depth of the gradient → a step's cost beside a plain one (measured: ``core bench signals``)."""


@dataclass(frozen=True)
class Shapes:
    """Of the model's text part; ``weights``: bytes of all its parts, as they are held."""

    layers: int
    heads: int
    key_heads: int
    head_width: int
    width: int
    inner_width: int
    vocabulary: int
    weights: int
    element: int
    """Bytes of an activation."""

    @classmethod
    def of(cls, config: Any, *, weights: int, element: int) -> Shapes:
        """Read a text config of transformers; of experts, those that one token goes through."""
        heads = config.num_attention_heads
        inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
        if getattr(config, "num_experts_per_tok", None):
            of_one = getattr(config, "moe_intermediate_size", None) or inner
            inner = config.num_experts_per_tok * of_one
        return cls(
            layers=config.num_hidden_layers,
            heads=heads,
            key_heads=getattr(config, "num_key_value_heads", None) or heads,
            head_width=getattr(config, "head_dim", None) or config.hidden_size // heads,
            width=config.hidden_size,
            inner_width=inner if isinstance(inner, int) else max(inner),
            vocabulary=config.vocab_size,
            weights=weights,
            element=element,
        )

    @property
    def read_weights(self) -> int:
        """Numbers of the text part that one token is multiplied with."""
        attention = 2 * self.width * self.head_width * (self.heads + self.key_heads)
        layer = attention + 3 * self.width * self.inner_width
        return self.layers * layer + self.width * self.vocabulary

    @property
    def bytes_a_position(self) -> int:
        """Of keys and values, over all layers."""
        return 2 * self.layers * self.key_heads * self.head_width * self.element


@dataclass(frozen=True)
class Speeds:
    """What the device does in a second: multiply-adds, bytes read, small operations."""

    multiplications: float
    bytes: float
    calls: float


@dataclass(frozen=True)
class Memory:
    """Bytes of one trace, by what holds them."""

    weights: int
    cache: int
    prompt: int
    rows: int
    signals: int

    @property
    def added(self) -> int:
        """All but the weights, which are there before.

        The prompt's activations are gone when the answer's signals come.
        """
        return self.cache + self.rows + max(self.prompt, self.signals)


@dataclass(frozen=True)
class Estimate:
    """What one trace will take, roughly.

    Attributes:
        positions: of the prompt.
        new_tokens: of the answer, at most.
        memory: bytes.
        free: bytes that the device has left, the model being loaded; ``None``: nobody says.
        prompt_seconds: until the first token, media not counted.
        answer_seconds: of all tokens after it.
    """

    positions: int
    new_tokens: int
    memory: Memory
    free: int | None
    prompt_seconds: float
    answer_seconds: float

    @property
    def fits(self) -> bool:
        """Whether there is room for it, as far as is known."""
        return self.free is None or self.memory.added <= self.free

    def told(self) -> str:
        """One line for people."""
        seconds = self.prompt_seconds + self.answer_seconds
        took = f"{seconds:,.0f} s" if seconds >= 10 else f"{max(seconds, 0.1):.1f} s"
        room = "" if self.free is None else f" of {_size(self.free)} free"
        line = (
            f"about {_size(self.memory.added)}{room} and {took} for "
            f"{self.positions:,} positions and {self.new_tokens:,} tokens"
        )
        return line if self.fits else f"{line}: it will not fit"


def estimate(
    model: TracedModel,
    prompt: Prompt,
    *,
    signals: Sequence[str] = DEFAULT_SIGNALS,
    generation: Generation | None = None,
    limits: Limits | None = None,
) -> Estimate:
    """What tracing a prompt will take. The prompt is read and laid out; the model does not run.

    Raises:
        InputError, LimitError: as ``core.trace``.
    """
    prepared = model.prepare(prompt, limits=limits or Limits())
    new_tokens = (generation or Generation()).max_new_tokens
    return estimate_of(model, len(prepared.timeline), new_tokens, signals)


def estimate_of(
    model: TracedModel, positions: int, new_tokens: int, signals: Sequence[str]
) -> Estimate:
    """The same, of a prompt that takes so many positions."""
    shapes, device = shapes_of(model), torch.device(model.info.device)
    if device.type == "meta":  # Offloaded weights say nothing of where they are computed with.
        device = torch.device("cpu")
    new_tokens = min(new_tokens, max(1, model.context - positions))
    needs = Needs.all_of(signal.needs for signal in signals_named(signals))
    memory = memory_of(shapes, positions, new_tokens, needs, signals=len(signals))
    speeds = measure(str(device), model.info.dtype)
    seconds = seconds_of(shapes, positions, new_tokens, needs, speeds)
    return Estimate(positions, new_tokens, memory, free_bytes(device), *seconds)


def shapes_of(model: TracedModel) -> Shapes:
    """A loaded model's shapes."""
    held = list(model.text_model.parameters())
    element = getattr(torch, model.info.dtype).itemsize
    others = model.info.parameters - sum(weight.numel() for weight in held)
    weights = sum(weight.nbytes for weight in held) + max(0, others) * element
    return Shapes.of(model.text_model.config, weights=weights, element=element)


def memory_of(
    shapes: Shapes, positions: int, new_tokens: int, needs: Needs, *, signals: int
) -> Memory:
    """Count the bytes of a trace of ``signals`` signals that together have these needs."""
    n = positions + new_tokens
    layer = 2 * shapes.inner_width + 4 * shapes.width + 2 * shapes.heads * shapes.head_width
    kept = {"none": 0, "last": 1, "all": shapes.layers}[needs.heads]
    # Float32 of every head and position: weights, their gradients, lengths of value vectors.
    held = 1 + len(needs.gradients) + needs.norms
    # Of one layer at a time, the gradients that flow on to its keys and values.
    flowing = shapes.bytes_a_position // shapes.layers if needs.gradients else 0
    return Memory(
        weights=shapes.weights,
        cache=n * shapes.bytes_a_position,
        prompt=positions * layer * shapes.element,
        rows=signals * new_tokens * (2 * positions + 4),
        signals=n * (4 * kept * shapes.heads * held + flowing),
    )


def seconds_of(
    shapes: Shapes, positions: int, new_tokens: int, needs: Needs, speeds: Speeds
) -> tuple[float, float]:
    """Seconds of the prompt, and of the answer."""
    looked_at = shapes.layers * shapes.heads * shapes.head_width * positions**2
    calls = shapes.layers * _CALLS / speeds.calls
    prompt = (shapes.read_weights * positions + looked_at) / speeds.multiplications + calls
    depth = needs.heads if needs.gradients else "none"
    cache = (positions + new_tokens / 2) * shapes.bytes_a_position
    step = max((shapes.read_weights * shapes.element + cache) / speeds.bytes, calls)
    return prompt, new_tokens * step * _STEPS[depth]


@lru_cache(maxsize=8)
def measure(device: str, dtype: str) -> Speeds:
    """The device's speeds, from a tenth of a second of work."""
    on: dict[str, Any] = {"device": device, "dtype": getattr(torch, dtype)}
    side = 4096 if device.startswith("cuda") else 384
    square, long, small = (torch.ones(n, n, **on) for n in (side, 2 * side, 8))
    vector = torch.ones(2 * side, 1, **on)
    with torch.inference_mode():
        return Speeds(
            multiplications=side**3 / _seconds(lambda: square @ square, device),
            bytes=long.nbytes / _seconds(lambda: long @ vector, device),
            calls=1 / _seconds(lambda: small + small, device),
        )


def free_bytes(device: torch.device) -> int | None:
    """Bytes that this process may still take on a device; ``None``: nobody says."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return None
    available = int(told["MemAvailable"].split()[0]) * 1024
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return available
    return max(0, min(available, limit - pages * resource.getpagesize()))


def _seconds(call: Callable[[], object], device: str) -> float:
    """Of one call: the best of several, the first not counted."""
    times = []
    for _ in range(6):
        start = time.perf_counter()
        call()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return max(min(times[1:]), 1e-9)


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 1):,.0f} MB"
