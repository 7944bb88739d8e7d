"""Top of the figure: the answer's sentences, and the ranked sources of the selected one."""

from __future__ import annotations

from core.explain import Explanation, SpanExplanation
from core.trace import Trace
from omnitrace_ui.views.figure.flow import Run, flow, text_width
from omnitrace_ui.views.figure.sheet import (
    BODY,
    COLOURS,
    GROUND,
    LINE,
    MARGIN,
    MOST_LINES,
    SMALL,
    WIDTH,
    Sheet,
    shortened,
)


def draw_answer(sheet: Sheet, trace: Trace, explanation: Explanation, selected: int | None) -> None:
    """The instruction, and the answer with every sentence in its main lane's colour."""
    sheet.heading(shortened(trace.prompt.instruction or "Answer", WIDTH - 2 * MARGIN, SMALL))
    pieces, owners, at = [], [], 0
    for span in explanation.spans:
        pieces += [trace.answer[at : span.start], span.text]
        owners += [None, span]
        at = span.end
    lines = flow([*pieces, trace.answer[at:]], WIDTH - 2 * MARGIN, BODY)
    for line in lines[:MOST_LINES]:
        sheet.y += LINE
        for run in line:
            span = owners[run.piece] if run.piece < len(owners) else None
            if span is not None:
                _draw_sentence(sheet, span, run, span.index == selected)
            sheet.text(MARGIN + run.x, sheet.y, run.text)
    sheet.elided(len(lines) > MOST_LINES)
    sheet.y += 4


def _draw_sentence(sheet: Sheet, span: SpanExplanation, run: Run, chosen: bool) -> None:
    colour = COLOURS[span.sources[0].unit.lane] if span.sources else "#9aa0aa"
    wide = text_width(run.text.rstrip(), BODY)
    x, top = MARGIN + run.x - 1, sheet.y - 9.5
    sheet.box(x, top, wide + 2, 13, facecolor=colour, alpha=0.26 if chosen else 0.1)
    sheet.box(x, sheet.y + 2.2, wide + 2, 1.6 if chosen else 0.7, facecolor=colour)


def draw_ranking(sheet: Sheet, span: SpanExplanation, index: int) -> None:
    """Rank, label, and the share of the votes."""
    sheet.heading(f"Sources of sentence {index + 1}" if span.sources else "No source stands out")
    for rank, cited in enumerate(span.sources, start=1):
        sheet.y += 14
        colour = COLOURS[cited.unit.lane]
        sheet.badge(MARGIN + 6, sheet.y - 3, rank, colour)
        room = 250.0
        sheet.text(MARGIN + 18, sheet.y, shortened(cited.unit.label, room, BODY))
        left, wide = MARGIN + 18 + room + 10, 150.0
        sheet.box(left, sheet.y - 6, wide, 6, facecolor=GROUND)
        sheet.box(left, sheet.y - 6, wide * min(1.0, cited.share), 6, facecolor=colour)
        sheet.text(WIDTH - MARGIN, sheet.y, f"{cited.share:.0%}", ha="right")
    sheet.y += 4
