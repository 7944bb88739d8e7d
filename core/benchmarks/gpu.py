"""Tracing on a GPU at a large model's shapes: ``python -m core bench gpu [--json] [--tiny]``.

The thinker of Qwen2.5-Omni-7B with random weights in bfloat16 reads a text of P positions and
answers T tokens five ways: plain ``generate``; traced, layer by layer; traced by one compiled graph
a token; the same graph untraced; and as published, with ``output_attentions=True``. For each:
tokens a second after the first token, peak memory, and the share of the memory-bandwidth floor
(bytes of weights and cache that a token must read ÷ bandwidth, measured by copying).

``--tiny`` runs the same script with small shapes, on a CPU if there is no GPU: it proves the script
and measures nothing.
"""

from __future__ import annotations

import gc
import json as json_module
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers.utils import logging

from core.benchmarks.prompts import prompt_of
from core.cost import shapes_of
from core.decoding import trace
from core.decoding.shortage import is_shortage
from core.errors import ModelError
from core.media import Limits
from core.models.base import Prepared
from core.models.qwen2_5_omni import Qwen25Omni
from core.models.registry import load_model
from core.prompt import Prompt

LIMITS = Limits(text_chars=10_000_000)


@dataclass(frozen=True)
class Scale:
    """Shapes of the text model, and what is asked of it."""

    text: dict[str, Any]
    dtype: torch.dtype
    positions: tuple[int, ...]
    tokens: int


OMNI_7B = Scale(
    text={
        "hidden_size": 3584,
        "intermediate_size": 18_944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152_064,
        "mrope_section": [16, 24, 24],
    },
    dtype=torch.bfloat16,
    positions=(1_024, 8_192, 30_000),
    tokens=256,
)
TINY = Scale(
    text={
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 1_000,
        "mrope_section": [2, 3, 3],
    },
    dtype=torch.float32,
    positions=(64, 128),
    tokens=8,
)


def run(*, json: bool, tiny: bool = False) -> int:
    """Print a row for every length and way.

    Raises:
        ModelError: there is no CUDA GPU, and nobody asked for the tiny shapes.
    """
    logging.set_verbosity_error()
    if not tiny and not torch.cuda.is_available():
        raise ModelError(
            "This bench needs a CUDA GPU with about 40 GB, and there is none here. `--tiny` runs "
            "the script with small shapes on a CPU, which measures nothing."
        )
    scale = TINY if tiny else OMNI_7B
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = random_model(scale, device)
    bandwidth = _bandwidth(device, 2**20 if tiny else 2**31)
    rows = [row for positions in scale.positions for row in _rows(model, scale, positions)]
    for row in rows:
        floor = _bytes_a_token(model, row["P"] + scale.tokens // 2) / bandwidth
        rate = row["tokens_per_s"]
        row["of_floor"] = None if rate is None else round(floor * rate, 3)
    report = {
        "device": torch.cuda.get_device_name()
        if device == "cuda"
        else "a CPU (these figures mean nothing)",
        "bandwidth_gb_s": round(bandwidth / 1e9, 1),
        "T": scale.tokens,
        "rows": rows,
    }
    print(json_module.dumps(report, indent=1) if json else _printed(report))
    return 0


def random_model(scale: Scale, device: str) -> Qwen25Omni:
    """A thinker of these shapes with random weights that never stops; its towers stay small."""
    embedded = load_model("embedded", device="cpu")
    config = embedded.thinker.config
    text, given = config.text_config, dict(scale.text)
    sections = given.pop("mrope_section")
    for name, value in given.items():
        setattr(text, name, value)
    text.layer_types = ["full_attention"] * text.num_hidden_layers
    text.max_position_embeddings, text.tie_word_embeddings = 32_768, False
    text.rope_parameters = {**text.rope_parameters, "mrope_section": sections}
    config.vision_config.out_hidden_size = config.audio_config.output_dim = text.hidden_size
    config.tie_word_embeddings = False
    torch.manual_seed(0)
    with torch.device(device):
        thinker = type(embedded.thinker)._from_config(
            config, dtype=scale.dtype, attn_implementation="sdpa"
        )
    thinker = thinker.eval().requires_grad_(False)
    thinker.generation_config.eos_token_id = None
    model = Qwen25Omni(thinker, embedded.processor, name="random")
    model.stop_tokens = frozenset()
    return model


def _rows(model: Qwen25Omni, scale: Scale, positions: int) -> list[dict[str, Any]]:
    prompt = prompt_of(model, positions)
    prepared = model.prepare(prompt, limits=LIMITS)
    ways = {
        "plain": lambda tokens: _generate(model, prepared, tokens),
        "traced": lambda tokens: _trace(model, prompt, tokens, compiled=False),
        "traced, compiled": lambda tokens: _trace(model, prompt, tokens, compiled=True),
        "compiled, untraced": lambda tokens: _untraced(model, prepared, tokens, scale.tokens),
        "published": lambda tokens: _as_published(model, prepared, tokens),
    }
    length = len(prepared.timeline)
    return [{"P": length, "way": way, **_measured(call, scale)} for way, call in ways.items()]


def _measured(call: Callable[[int], None], scale: Scale) -> dict[str, Any]:
    """Rate after the first token, and peak bytes; nothing where memory ran out."""
    try:
        call(scale.tokens)  # Compiles, and warms up.
        first, _ = _timed(call, 1)
        whole, peak = _timed(call, scale.tokens)
    except Exception as error:
        if not is_shortage(error):
            raise
        return {"tokens_per_s": None, "first_token_s": None, "peak_gb": None}
    rate = (scale.tokens - 1) / max(whole - first, 1e-9)
    return {
        "tokens_per_s": round(rate, 2),
        "first_token_s": round(first, 3),
        "peak_gb": None if peak is None else round(peak / 1e9, 2),
    }


def _timed(call: Callable[[int], None], tokens: int) -> tuple[float, int | None]:
    gc.collect()
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    start = time.perf_counter()
    call(tokens)
    if cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    return seconds, torch.cuda.max_memory_allocated() if cuda else None


def _generate(model: Qwen25Omni, prepared: Prepared, tokens: int, **options: Any) -> None:
    ids = prepared.inputs["input_ids"].to(model.thinker.device)
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        model.thinker.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=tokens, do_sample=False, **options
        )


def _as_published(model: Qwen25Omni, prepared: Prepared, tokens: int) -> None:
    model.thinker.set_attn_implementation({"text_config": "eager"})
    try:
        _generate(model, prepared, tokens, output_attentions=True, return_dict_in_generate=True)
    finally:
        model.thinker.set_attn_implementation({"text_config": "sdpa"})


def _trace(model: Qwen25Omni, prompt: Prompt, tokens: int, *, compiled: bool) -> None:
    made = trace(model, prompt, max_new_tokens=tokens, limits=LIMITS, compiled=compiled)
    if made.shortage is not None:
        raise MemoryError(made.shortage)


def _untraced(model: Qwen25Omni, prepared: Prepared, tokens: int, most: int) -> None:
    """The graph's own loop with nobody to write rows for."""
    run = model.start_graph(prepared, positions=len(prepared.timeline) + most)
    logits = run.read_prompt()
    for _ in range(tokens - 1):
        logits = run.read_token_into(int(logits.argmax()), None)
    int(logits.argmax())


def _bytes_a_token(model: Qwen25Omni, positions: int) -> int:
    """What reading one token must read: every weight of the text part, and the cache."""
    shapes = shapes_of(model)
    return shapes.read_weights * shapes.element + positions * shapes.bytes_a_position


def _bandwidth(device: str, size: int) -> float:
    """Bytes read or written in a second, by copying."""
    one = torch.ones(size, dtype=torch.uint8, device=device)
    other = torch.empty_like(one)
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        other.copy_(one)
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * size / best


def _printed(report: dict[str, Any]) -> str:
    lines = [f"{report['device']}, {report['bandwidth_gb_s']} GB/s, T = {report['T']}"]
    lines.append(f"{'P':>6}  {'way':<20}{'tokens/s':>10}{'of floor':>10}{'peak GB':>10}")
    for row in report["rows"]:
        shown = [row["tokens_per_s"], row["of_floor"], row["peak_gb"]]
        rest = "".join(f"{'–' if value is None else value:>10}" for value in shown)
        lines.append(f"{row['P']:>6}  {row['way']:<20}{rest}")
    return "\n".join(lines)
