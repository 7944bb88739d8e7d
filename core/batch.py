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
    """What became of a batch: counts, and ``(sample, message)`` for each that failed."""

    traced: int
    present: int
    failed: tuple[tuple[str, str], ...]


def trace_samples(
    model: TracedModel,
    samples: Sequence[Sample],
    folder: Path,
    *,
    signals: tuple[str, ...],
    generation: Generation,
    segmenter: Segmenter | None = None,
) -> Outcome:
    """Trace every sample into ``folder``, one ``.omnitrace`` file each, with a progress bar.

    With a ``segmenter``, what it finds in a sample's sound is kept in its trace, also in those that
    are already there: no generation is needed for it.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder.name!r} cannot be made: {error.strerror}.") from error
    traced = present = 0
    failed: list[tuple[str, str]] = []
    settings = {"model": model.info.name, "signals": signals, "generation": asdict(generation)}
    for index, sample in enumerate(tqdm(samples, unit="sample", desc="tracing")):
        path = folder / file_name(index, sample, settings)
        try:
            if path.exists():
                present += 1
            else:
                trace(model, sample.prompt(), signals=signals, generation=generation).save(path)
                traced += 1
            if segmenter:
                transcribe_file(path, segmenter)
        except OmniTraceError as error:
            failed.append((f"sample {index + 1} (id {sample.id})", str(error)))
    return Outcome(traced, present, tuple(failed))


def file_name(index: int, sample: Sample, settings: dict[str, object]) -> str:
    """A sample's file: its place in the file, its id, and a digest of all that shapes the trace."""
    what = json.dumps([sample.to_json(), settings], sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    slug = re.sub(r"[^\w-]+", "-", str(sample.id))[:40].strip("-") or "sample"
    return f"{index:05d}-{slug}-{digest}.omnitrace"
