"""What tracing costs beside plain ``generate``: ``python -m core bench decoding [--json]``.

A model of the embedded one's family with random weights and 24 layers reads a text and answers,
both ways in turn, with sdpa. Compared is processor time (what else runs on the machine then counts
little), the median of the pairs' ratios. Peak memory is that of a fresh process each. The standing
limits: ratio ≤ 1.05; added memory ≤ the rows kept, within what a process's peak itself varies.
"""

from __future__ import annotations

import copy
import json as json_module
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from transformers.utils import logging

from core.decoding import trace
from core.decoding.loop import DEFAULT_SIGNALS
from core.media import Limits
from core.models.qwen2_5_omni import Qwen25Omni
from core.models.registry import load_model
from core.prompt import Prompt

PROMPT_CHARACTERS, NEW_TOKENS = 1_200, 24
LAYERS, WIDTH, HEADS, KEY_HEADS = 24, 256, 4, 2
PAIRS = 7
RATIO_LIMIT = 1.05
PEAK_NOISE = 8_000_000
"""Bytes by which the peak of one and the same process varies between runs."""


def run(*, json: bool) -> int:
    """Print time ratio and memory; return 1 if one is beyond its limit."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = deep_model()
    plain, tracing = _plain(model), _traced(model, DEFAULT_SIGNALS)
    same = plain() == tracing()
    peaks = {"plain": peak_bytes(()), "traced": peak_bytes(DEFAULT_SIGNALS)}
    positions = len(model.prepare(_prompt(), limits=Limits()).timeline)
    rows = 2 * NEW_TOKENS * (positions * 2 + 4)
    report = {
        "prompt_positions": positions,
        "new_tokens": NEW_TOKENS,
        "same_tokens": same,
        "ratio": time_ratio(model, DEFAULT_SIGNALS),
        "ratio_limit": RATIO_LIMIT,
        "plain_peak_bytes": peaks["plain"],
        "traced_peak_bytes": peaks["traced"],
        "rows_bytes": rows,
    }
    if json:
        print(json_module.dumps(report, indent=1))
    else:
        for name, value in report.items():
            print(f"{name:<18}{value:>14,}")
    light = peaks["traced"] - peaks["plain"] <= rows + PEAK_NOISE
    return 0 if same and light and report["ratio"] <= RATIO_LIMIT else 1


def _prompt() -> Prompt:
    text = "Anna cooked seven leaves on Wednesday. " * 100
    return Prompt.of("Summarise the text.", [text[:PROMPT_CHARACTERS]])


def time_ratio(model: Qwen25Omni, signals: Sequence[str], pairs: int | None = None) -> float:
    """Processor time of tracing these signals ÷ that of plain ``generate``, median of pairs."""
    plain, tracing = _plain(model), _traced(model, signals)
    plain(), tracing()  # The first call of each pays for what later ones reuse.
    ratios = [_seconds(tracing) / _seconds(plain) for _ in range(pairs or PAIRS)]
    return round(statistics.median(ratios), 3)


def peak_bytes(signals: Sequence[str]) -> int:
    """Bytes by which a fresh process grows at most while it traces these; none: plain."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_peak, tuple(signals)).result()


def deep_model() -> Qwen25Omni:
    """A model of the embedded one's family with random weights and 24 layers, that never stops."""
    embedded = load_model("embedded", device="cpu", dtype="float32")
    config = copy.deepcopy(embedded.thinker.config)
    text = config.text_config
    text.num_hidden_layers, text.layer_types = LAYERS, ["full_attention"] * LAYERS
    text.hidden_size, text.intermediate_size = WIDTH, 3 * WIDTH
    text.num_attention_heads, text.num_key_value_heads = HEADS, KEY_HEADS
    text.rope_parameters = {**text.rope_parameters, "mrope_section": [8, 12, 12]}
    config.vision_config.out_hidden_size = config.audio_config.output_dim = WIDTH
    torch.manual_seed(0)
    thinker = type(embedded.thinker)(config).eval().requires_grad_(False)
    thinker.set_attn_implementation("sdpa")
    thinker.generation_config.eos_token_id = None
    chosen = tuple((layer, 0) for layer in range(0, LAYERS, 3))
    model = Qwen25Omni(thinker, embedded.processor, name="bench", chosen_heads=chosen)
    model.stop_tokens = frozenset()
    return model


def _plain(model: Qwen25Omni) -> Callable[[], list[int]]:
    """``generate``, tokenization of the prompt included, as tracing includes it."""

    def call() -> list[int]:
        ids = model.prepare(_prompt(), limits=Limits()).inputs["input_ids"]
        said = model.thinker.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
        )
        return said[0, ids.shape[1] :].tolist()

    return call


def _traced(model: Qwen25Omni, signals: Sequence[str]) -> Callable[[], list[int]]:
    def call() -> list[int]:
        traced = trace(model, _prompt(), signals=signals, max_new_tokens=NEW_TOKENS)
        return [token.id for token in traced.tokens]

    return call


def _seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _peak(signals: Sequence[str]) -> int:
    """Of this process, which is a fresh one."""
    model = deep_model()
    return peak_of(_traced(model, signals) if signals else _plain(model))


def peak_of(call: Callable[[], object]) -> int:
    """Bytes by which this process grows at most during one call; Linux keeps the account."""
    Path("/proc/self/clear_refs").write_text("5")  # The peak so far, of loading, is forgotten.
    before = _status("VmRSS")
    call()
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024
