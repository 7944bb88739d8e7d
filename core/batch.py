"""Trace many samples into a folder: resumes, and one failing sample does not stop the rest.

A trace's file name carries a digest of what made it (sample, model, settings), so a second run
skips exactly what is already there, and a changed sample or setting is traced anew beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from core.decoding import trace
from core.errors import InputError, OmniTraceError
from core.models.base import TracedModel
from core.samples import Sample
from core.segmenters import Segmenter, transcribe_file
from core.trace import Generation


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: counts, and ``(sample, message)`` for each that failed.

    ``differing``: samples whose traced answer was not the untraced one, where that was asked.
    """

    traced: int
    present: int
    failed: tuple[tuple[str, str], ...]
    differing: tuple[str, ...] = ()


def trace_samples(
    model: TracedModel,
    samples: Sequence[Sample],
    folder: Path,
    *,
    signals: tuple[str, ...],
    generation: Generation,
    response_key: str | None = None,
    verify: bool = False,
    segmenter: Segmenter | None = None,
) -> Outcome:
    """Trace every sample into ``folder``, one ``.omnitrace`` file each, with a progress bar.

    Args:
        model: what answers.
        samples: what is asked.
        folder: made where it is missing.
        signals: names, recorded in one run.
        generation: how tokens are chosen.
        response_key: the samples' key that holds an answer to be traced as given.
        verify: compare every answer with the untraced one.
        segmenter: what it finds in a sample's sound is kept in its trace, also in those that are
            already there: no generation is needed for it.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder.name!r} cannot be made: {error.strerror}.") from error
    traced = present = 0
    failed: list[tuple[str, str]] = []
    differing: list[str] = []
    settings: dict[str, object] = {
        "model": model.info.name,
        "signals": signals,
        "generation": asdict(generation),
    }
    if response_key is not None:
        settings["response_key"] = response_key
    for index, sample in enumerate(tqdm(samples, unit="sample", desc="tracing")):
        path = folder / file_name(index, sample, settings)
        named = f"sample {index + 1} (id {sample.id})"
        try:
            if path.exists():
                present += 1
            else:
                made = trace(
                    model,
                    sample.prompt(),
                    signals=signals,
                    generation=generation,
                    response=None if response_key is None else _response(sample, response_key),
                    verify=verify,
                )
                made.save(path)
                traced += 1
                differing += [named] if made.as_untraced is False else []
            if segmenter:
                transcribe_file(path, segmenter)
        except OmniTraceError as error:
            failed.append((named, str(error)))
    return Outcome(traced, present, tuple(failed), tuple(differing))


def _response(sample: Sample, key: str) -> str:
    value = sample.extra.get(key)
    if not isinstance(value, str):
        known = ", ".join(k for k, v in sample.extra.items() if isinstance(v, str)) or "none"
        raise InputError(f"It has no answer under {key!r}. Its keys that hold text: {known}.")
    return value


def file_name(index: int, sample: Sample, settings: dict[str, object]) -> str:
    """A sample's file: its place in the file, its id, and a digest of all that shapes the trace."""
    what = json.dumps([sample.to_json(), settings], sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    slug = re.sub(r"[^\w-]+", "-", str(sample.id))[:40].strip("-") or "sample"
    return f"{index:05d}-{slug}-{digest}.omnitrace"
