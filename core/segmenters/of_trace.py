"""Segments of the sound in a trace: no model runs, so switching segmenter needs no new generation.

trace = transcribed(Trace.load("talk.omnitrace"), load_segmenter("whisper:small"))
explanation = explain(trace, granularity=by_segments(trace.transcripts["whisper:small"]))
trace.save("talk.omnitrace")        # and the words stay with it
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.errors import InputError
from core.media import RATE, Film, Limits, load_part
from core.prompt import ImagePart, MediaPart
from core.segmenters.base import Segmenter
from core.sources import DEFAULT_GRANULARITY, Granularity
from core.trace import Segment, Trace, Transcript

DEFAULT_LIMITS = Limits()


def segment(
    trace: Trace, segmenter: Segmenter, *, limits: Limits = DEFAULT_LIMITS
) -> dict[int, tuple[Segment, ...]]:
    """Segment every recording and every film's sound track of a trace.

    Returns:
        Part index → segments, in order, disjoint, within the part. Films without sound are absent.

    Raises:
        InputError: the trace was opened without its media.
        OmniTraceError: whatever the decoder or the segmenter says.
    """
    found = {}
    for index, part in trace.prompt.media:
        samples = _sound(part, limits)
        if samples is not None:
            found[index] = segmenter.segments(samples)
    return found


def transcribed(trace: Trace, segmenter: Segmenter, *, limits: Limits = DEFAULT_LIMITS) -> Trace:
    """The trace with what ``segmenter`` finds kept under its name; raises as ``segment``."""
    found = segment(trace, segmenter, limits=limits)
    return replace(trace, transcripts={**trace.transcripts, segmenter.name: found})


def transcribe_file(path: Path, segmenter: Segmenter, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Keep what ``segmenter`` finds in a trace file, unless it is kept there already.

    Raises:
        TraceFileError: the file cannot be opened or written.
        OmniTraceError: as ``segment``; the file is then left as it was.
    """
    with TemporaryDirectory(prefix="omnitrace-") as folder:
        trace = Trace.load(path, folder)
        if segmenter.name not in trace.transcripts:
            transcribed(trace, segmenter, limits=limits).save(path)


def by_segments(
    segments: Transcript, granularity: Granularity = DEFAULT_GRANULARITY
) -> Granularity:
    """``granularity`` with sound cut into these segments and the gaps between them."""
    return replace(granularity, intervals=dict(segments))


def _sound(part: MediaPart, limits: Limits) -> np.ndarray | None:
    """Mono 16 kHz samples of a part; ``None`` if it has none."""
    if isinstance(part, ImagePart):
        return None
    if not part.path.is_file():
        raise InputError(
            f"The trace does not hold {part.name!r}, so its sound cannot be cut anew. Open one "
            "that was saved with its media."
        )
    # So slow that it is two frames of any film, the fewest there can be: only its sound is wanted.
    loaded = load_part(part, limits=limits, rate=RATE, fps=1 / limits.video_seconds)
    return loaded.sound if isinstance(loaded, Film) else loaded.samples
