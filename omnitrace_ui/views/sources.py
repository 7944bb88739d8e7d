"""The prompt as the person gave it, and its cut into source units (DESIGN "Words")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from core.prompt import Part, TextPart
from core.sources import Sources, SourceUnit
from core.trace import MediaInfo, Trace, Transcript
from omnitrace_ui.views.transcript import transcript_model
from omnitrace_ui.views.wire import JSON, clean, file_data, rounded

_NAMES = {"text": "Text", "image": "Image", "audio": "Audio", "video": "Film"}
_PEAKS = 600
"""Bars that a waveform can show; more are thinned."""


def parts_model(trace: Trace, files: Mapping[int, Path]) -> list[JSON]:
    """The parts in the prompt's order, without their text, which ``units_model`` brings, cut.

    Args:
        trace: for the prompt and what its media were.
        files: part index → path that the server may serve. A part without one is shown as missing.
    """
    seen: Counter[str] = Counter()
    parts = []
    for index, part in enumerate(trace.prompt.parts):
        seen[part.kind] += 1
        name = f"{_NAMES[part.kind]} {seen[part.kind]}"
        info = trace.media[index] if index < len(trace.media) else MediaInfo()
        parts.append(_part(part, name, info, files.get(index)))
    return parts


def _part(part: Part, name: str, info: MediaInfo, path: Path | None) -> JSON:
    if isinstance(part, TextPart):
        return {"kind": "text", "name": name}
    return {
        "kind": part.kind,
        "name": name,
        "filename": clean(part.name),
        "file": None if path is None else file_data(path, part.name),
        "width": info.width,
        "height": info.height,
        "duration": None if info.duration is None else rounded(info.duration, 3),
        "sound": info.has_sound,
        "peaks": _peaks(info.peaks),
        "notes": [clean(note) for note in info.notes],
    }


def _peaks(peaks: tuple[float, ...]) -> list[int]:
    """Percent. Of every few neighbours the loudest is kept, so that no short sound disappears."""
    step = -(-len(peaks) // _PEAKS) or 1
    groups = (peaks[i : i + step] for i in range(0, len(peaks), step))
    return [round(100 * min(1.0, max(0.0, rounded(max(group))))) for group in groups]


def units_model(trace: Trace, sources: Sources, transcript: Transcript | None = None) -> JSON:
    """The units, and every text part cut at them; ``transcript``: what the sound was cut by."""
    cut: dict[int, list[tuple[int, SourceUnit]]] = {}
    for index, unit in enumerate(sources.units):
        if unit.lane == "text":
            cut.setdefault(unit.part, []).append((index, unit))
    return {
        "list": [_unit(unit) for unit in sources.units],
        "pieces": {
            str(index): _pieces(part.text, cut.get(index, []))
            for index, part in enumerate(trace.prompt.parts)
            if isinstance(part, TextPart)
        },
        "said": {} if transcript is None else transcript_model(trace, sources, transcript),
    }


def _unit(unit: SourceUnit) -> list:
    timed = unit.lane != "text" and unit.start is not None and unit.end is not None
    start, end = (rounded(unit.start, 3), rounded(unit.end, 3)) if timed else (None, None)
    return [unit.id, unit.lane, unit.part, clean(unit.label), start, end]


def _pieces(text: str, units: list[tuple[int, SourceUnit]]) -> list[list]:
    """``[unit or −1, words]``: cut here, because browsers count characters differently."""
    pieces, at = [], 0
    for index, unit in units:
        start, end = int(unit.start or 0), int(unit.end or 0)
        if start > at:
            pieces.append([-1, clean(text[at:start])])
        pieces.append([index, clean(text[start:end])])
        at = end
    if at < len(text):
        pieces.append([-1, clean(text[at:])])
    return pieces
