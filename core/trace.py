"""Everything recorded from one generation. After it exists, no model is needed.

Produced by ``core.decoding`` (Algorithm 1, lines 4–10), read by everything to its right;
``core.tracefile`` writes and opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from core.prompt import Prompt
from core.timeline import Timeline

StopReason = Literal["end", "length", "cancelled", "memory", "running"]


@dataclass(frozen=True)
class Token:
    """One generated token and the characters of the answer that it completes.

    A character spelled by several tokens (a multi-byte one) belongs to all of them: they share its
    range. ``start``: inclusive, ``end``: exclusive, in characters of ``Trace.answer``. Tokens that
    add no text (end-of-turn) have ``start == end``.
    """

    id: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class MediaInfo:
    """What a decoded media part was; ``None`` where it does not apply.

    Attributes:
        width, height: pixels after EXIF rotation.
        duration: seconds of the recording or film.
        fps: frames a second of the film as stored.
        peaks: waveform for drawing, 0..1, evenly spaced over ``duration``.
        has_sound: a film with a sound track.
        speech: where someone speaks, ``[start, end)`` in seconds (``core.media.speech``).
        shots: second at which each shot of a film begins, the first at 0 (``core.media.shots``).
        notes: what was left out or changed on the way in, in words for the person.
    """

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    peaks: tuple[float, ...] = ()
    has_sound: bool = False
    speech: tuple[tuple[float, float], ...] = ()
    shots: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


class Segment(NamedTuple):
    """A stretch of a recording, and what was said in it; of fixed bins, no words are known.

    ``start``: seconds, inclusive; ``end``: exclusive. ``speaker``: a recogniser's label such as
    ``speaker_0``; ``None`` where it gives none.
    """

    start: float
    end: float
    text: str = ""
    speaker: str | None = None


Transcript = Mapping[int, tuple[Segment, ...]]
"""Part index → its segments in order, disjoint; a part in which nothing was found has ``()``."""


@dataclass(frozen=True)
class ModelInfo:
    """The model that generated: ``name`` as asked for, ``family`` as in its config."""

    name: str
    family: str
    parameters: int
    dtype: str
    device: str
    world_only: bool = False
    """The embedded miniature model: knows only its own world."""


@dataclass(frozen=True)
class Generation:
    """Generation settings. ``temperature == 0`` is greedy; ``seed`` matters only otherwise."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    no_repeat_ngram_size: int = 0


@dataclass(frozen=True, eq=False)
class Trace:
    """One traced generation.

    Attributes:
        scores: signal name → float16 ``(n_generated, n_prompt)``, ≥ 0: row ``t`` is taken at the
            query that *predicts* token ``t``.
        own: signal name → float32 ``(n_generated,)``: what fell on the answer's earlier tokens.
        media: one ``MediaInfo`` a part (all defaults for text).
        stopped: why decoding ended; the answer is partial where it was ``cancelled``, where
            ``memory`` ran out, and while it is ``running``, as in the traces of a stream.
        timings: stage → seconds.
        given: the answer was written elsewhere and traced by teacher forcing; ``generation`` then
            says nothing.
        as_untraced: whether the model, run again without tracing, answered the same tokens;
            ``None`` where nobody asked.
        shortage: what memory that ran out left undone, and what would take less, in words for the
            person; ``None``: nothing.
        transcripts: segmenter's name → what it found in the sound of the parts; made after the
            generation, by ``core.segmenters``, and kept so that nobody needs the recogniser again.
        view: how a page showed it when it was saved, as the parameters of a link. Nothing else
            depends on it, and whoever opens the trace may ignore it.
    """

    prompt: Prompt
    timeline: Timeline
    answer: str
    tokens: tuple[Token, ...]
    scores: Mapping[str, np.ndarray]
    own: Mapping[str, np.ndarray]
    media: tuple[MediaInfo, ...]
    model: ModelInfo
    generation: Generation = Generation()
    stopped: StopReason = "end"
    timings: Mapping[str, float] = field(default_factory=dict)
    given: bool = False
    as_untraced: bool | None = None
    shortage: str | None = None
    transcripts: Mapping[str, Transcript] = field(default_factory=dict)
    view: Mapping[str, str] = field(default_factory=dict)

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the recorded signals, in the order they were asked for."""
        return tuple(self.scores)

    def save(self, path: str | Path) -> Path:
        """Write the trace with its media to one file; see ``core.tracefile``."""
        from core.tracefile import save_trace

        return save_trace(self, Path(path))

    @staticmethod
    def load(path: str | Path, media_folder: str | Path | None = None) -> Trace:
        """Open a trace file; its media go to ``media_folder`` (default: a new temporary one).

        Raises:
            TraceFileError: the file is damaged, foreign, hostile or newer than this version.
        """
        from core.tracefile import load_trace

        return load_trace(Path(path), None if media_folder is None else Path(media_folder))
