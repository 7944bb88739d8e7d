"""Rest of the figure: the prompt's parts in order, with what is cited marked in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import OmniTraceError
from core.explain import Explanation
from core.media import Film, Limits, Picture, load_part
from core.prompt import ImagePart, MediaPart, TextPart, VideoPart
from core.trace import Trace
from omnitrace_ui.views.figure.flow import flow, text_width
from omnitrace_ui.views.figure.sheet import (
    BODY,
    COLOURS,
    GROUND,
    LINE,
    MARGIN,
    MOST_LINES,
    QUIET,
    SMALL,
    WIDTH,
    Sheet,
    shortened,
)

MOST_PARTS = 24
_PICTURE, _ROW, _TRACK, _FRAMES = 92.0, 108.0, 16.0, 8
"""Side of a picture, from one row of them to the next, height of a track; frames of a film."""

_NAMES = {"text": "Text", "image": "Image", "audio": "Audio", "video": "Film"}


@dataclass(frozen=True)
class Use:
    """How a unit is used: ``rank`` from 1 (0: no one sentence is selected), ``share`` 0..1."""

    rank: int
    share: float


def uses_of(explanation: Explanation, selected: int | None) -> dict[int, Use]:
    """Unit → how the selected sentence uses it, or else how many of all sentences do."""
    if selected is not None:
        cited = enumerate(explanation.spans[selected].sources, start=1)
        return {one.index: Use(rank, min(1.0, one.share)) for rank, one in cited}
    count = len(explanation.spans)
    used = [one.index for span in explanation.spans for one in span.sources]
    return {unit: Use(0, min(1.0, used.count(unit) / count)) for unit in set(used)}


def draw_parts(
    sheet: Sheet,
    trace: Trace,
    explanation: Explanation,
    uses: Mapping[int, Use],
    limits: Limits,
) -> None:
    """All parts, pictures side by side."""
    x, parts = MARGIN, trace.prompt.parts[:MOST_PARTS]
    for index, part in enumerate(parts):
        own = [u for u, unit in enumerate(explanation.sources.units) if unit.part == index]
        name = _part_name(trace, index)
        if isinstance(part, ImagePart):
            if x == MARGIN or x + _PICTURE > WIDTH - MARGIN:
                x, sheet.y = MARGIN, sheet.y + (_ROW if x > MARGIN else 8)
            use = uses.get(own[0]) if own else None
            _draw_picture(sheet, x, name, _decoded(part, limits), use)
            x += _PICTURE + 10
            continue
        if x > MARGIN:
            x, sheet.y = MARGIN, sheet.y + _ROW
        sheet.heading(name)
        if isinstance(part, TextPart):
            _draw_text(sheet, part.text, explanation, own, uses)
        else:
            shown = _decoded(part, limits) if isinstance(part, VideoPart) else None
            _draw_time(sheet, trace, explanation, index, own, uses, shown)
    if x > MARGIN:
        sheet.y += _ROW
    sheet.elided(len(trace.prompt.parts) > MOST_PARTS)


def _draw_text(
    sheet: Sheet, text: str, explanation: Explanation, own: Sequence[int], uses: Mapping[int, Use]
) -> None:
    units, pieces, owners, at = explanation.sources.units, [], [], 0
    for unit in own:
        start, end = int(units[unit].start or 0), int(units[unit].end or 0)
        pieces += [text[at:start], text[start:end]]
        owners += [None, unit]
        at = end
    pieces, owners = _near_used([*pieces, text[at:]], [*owners, None], uses)
    lines = flow(pieces, WIDTH - 2 * MARGIN - 12, BODY - 1)
    badged = set()
    for line in lines[:MOST_LINES]:
        sheet.y += LINE - 2
        for run in line:
            unit = owners[run.piece]
            use = None if unit is None else uses.get(unit)
            left = MARGIN + 12 + run.x
            if use:
                wide = text_width(run.text.rstrip(), BODY - 1)
                alpha = 0.12 + 0.3 * use.share
                sheet.box(left - 1, sheet.y - 8.5, wide + 2, 11.5, facecolor=COLOURS["text"],
                          alpha=alpha)  # fmt: skip
                if use.rank and unit not in badged:
                    badged.add(unit)
                    sheet.badge(MARGIN + 4, sheet.y - 3, use.rank, COLOURS["text"])
            sheet.text(left, sheet.y, run.text, BODY - 1)
    sheet.elided(len(lines) > MOST_LINES)
    sheet.y += 2


def _near_used(
    pieces: list[str], owners: list[int | None], uses: Mapping[int, Use]
) -> tuple[list[str], list[int | None]]:
    """Of a long text what is cited, with a neighbour on either side; the rest as an ellipsis."""
    if sum(map(len, pieces)) <= 1200:
        return pieces, owners
    near = {o + d for o, owner in enumerate(owners) if owner in uses for d in range(-3, 4)}
    kept: list[tuple[str, int | None]] = []
    for at, pair in enumerate(zip(pieces, owners, strict=True)):
        if at in near:
            kept.append((pair[0][:400], pair[1]))
        elif not kept or kept[-1] != (" … ", None):
            kept.append((" … ", None))
    return [text for text, _ in kept], [owner for _, owner in kept]


def _draw_picture(
    sheet: Sheet, x: float, name: str, decoded: Picture | Film | None, use: Use | None
) -> None:
    top = sheet.y + 12
    sheet.text(x, sheet.y + 8, shortened(name, _PICTURE, SMALL), SMALL, color=QUIET)
    sheet.box(x, top, _PICTURE, _PICTURE, facecolor=GROUND)
    if isinstance(decoded, Picture):
        small = decoded.pixels.copy()
        small.thumbnail((320, 320))
        scale = _PICTURE / max(small.size)
        wide, high = small.width * scale, small.height * scale
        left, above = x + (_PICTURE - wide) / 2, top + (_PICTURE - high) / 2
        sheet.image(np.asarray(small), left, above, wide, high)
    if use:
        strength = 1.2 + 2 * use.share
        sheet.box(x, top, _PICTURE, _PICTURE, fill=False, edgecolor=COLOURS["image"],
                  linewidth=strength, zorder=4)  # fmt: skip
        if use.rank:
            sheet.badge(x + 8, top + 8, use.rank, COLOURS["image"])


def _draw_time(
    sheet: Sheet,
    trace: Trace,
    explanation: Explanation,
    index: int,
    own: Sequence[int],
    uses: Mapping[int, Use],
    film: Picture | Film | None,
) -> None:
    units, info = explanation.sources.units, trace.media[index]
    ends = [units[u].end for u in own if units[u].end is not None]
    whole = info.duration or (max(ends) if ends else 1.0)
    wide = WIDTH - 2 * MARGIN
    if isinstance(film, Film):
        _draw_frames(sheet, film, wide)
    for lane in ("audio", "video_frames", "video_sound"):
        mine = [unit for unit in own if units[unit].lane == lane]
        if not mine:
            continue
        sheet.y += 3
        sheet.box(MARGIN, sheet.y, wide, _TRACK, facecolor=GROUND)
        if lane != "video_frames" and info.peaks:
            _draw_wave(sheet, info.peaks, wide)
        for unit in mine:
            use = uses.get(unit)
            if use is None:
                continue
            start, end = units[unit].start or 0.0, units[unit].end or whole
            left, right = MARGIN + wide * start / whole, MARGIN + wide * end / whole
            alpha = 0.2 + 0.45 * use.share
            sheet.box(left, sheet.y, right - left, _TRACK, facecolor=COLOURS[lane], alpha=alpha)
            if use.rank:
                middle = (left + right) / 2
                sheet.badge(middle, sheet.y + _TRACK / 2, use.rank, COLOURS[lane])
        sheet.y += _TRACK
    sheet.y += 9
    sheet.text(MARGIN, sheet.y, "0 s", SMALL, color=QUIET)
    sheet.text(WIDTH - MARGIN, sheet.y, f"{whole:.1f} s", SMALL, color=QUIET, ha="right")
    sheet.y += 3


def _draw_wave(sheet: Sheet, peaks: Sequence[float], wide: float) -> None:
    loud = np.array(peaks) * _TRACK / 2
    x = MARGIN + wide * (np.arange(len(loud)) + 0.5) / len(loud)
    middle = sheet.y + _TRACK / 2
    sheet.axes.fill_between(x, middle - loud, middle + loud, color="#b9bec8", linewidth=0)


def _draw_frames(sheet: Sheet, film: Film, wide: float) -> None:
    count = min(_FRAMES, len(film.frames))
    shown = film.frames[np.linspace(0, len(film.frames) - 1, count).round().astype(int)]
    each = wide / _FRAMES
    high = min(60.0, each * shown.shape[1] / shown.shape[2])
    sheet.y += 3
    step = max(1, max(shown.shape[1:3]) // 160)
    for place, frame in enumerate(shown):
        left = MARGIN + place * wide / count
        sheet.image(frame[::step, ::step], left, sheet.y, wide / count - 2, high)
    sheet.y += high


def _decoded(part: MediaPart, limits: Limits) -> Picture | Film | None:
    """A picture, or a few frames of a film; a figure does without what cannot be read."""
    try:
        shown = load_part(part, limits=limits, fps=2.0, max_frames=_FRAMES)
    except OmniTraceError:
        return None
    return shown if isinstance(shown, Picture | Film) else None


def _part_name(trace: Trace, index: int) -> str:
    part = trace.prompt.parts[index]
    number = sum(other.kind == part.kind for other in trace.prompt.parts[: index + 1])
    return f"{_NAMES[part.kind]} {number}"
