"""An explanation as a figure for a paper: SVG with real text, or PNG; light, the same every time.

From above: the answer, its sentences in the colour of the lane that they lean on; the ranked
sources of the selected sentence; the prompt's parts with what is cited marked in them. A page of
its own (``omnitrace_ui.components.standalone``) shows more; this is for print.
"""

from __future__ import annotations

import threading
from io import BytesIO
from typing import Literal

from core.explain import Explanation
from core.media import Limits
from core.trace import Trace
from omnitrace_ui.views.figure.answer import draw_answer, draw_ranking
from omnitrace_ui.views.figure.flow import FONT
from omnitrace_ui.views.figure.parts import draw_parts, uses_of
from omnitrace_ui.views.figure.sheet import Sheet

__all__ = ["explanation_figure"]

_DPI = 220
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "omnitrace",
    "text.parse_math": False,  # answers and names come from strangers; a "$" is a "$"
    "font.family": FONT,
}
_drawing = threading.Lock()
"""matplotlib's settings are the process's."""


def explanation_figure(
    trace: Trace,
    explanation: Explanation,
    selected: int | None,
    *,
    limits: Limits,
    form: Literal["svg", "png"],
) -> bytes:
    """The figure, as a file's bytes.

    Args:
        trace: for prompt and answer.
        explanation: of that trace.
        selected: the sentence whose sources are shown; ``None``: those of all.
        limits: bounds on the media.
        form: vector or pixels.
    """
    from matplotlib import rc_context

    if selected is not None and selected >= len(explanation.spans):
        selected = None
    with _drawing, rc_context(_STYLE):
        sheet = Sheet()
        draw_answer(sheet, trace, explanation, selected)
        if selected is not None:
            draw_ranking(sheet, explanation.spans[selected], selected)
        draw_parts(sheet, trace, explanation, uses_of(explanation, selected), limits)
        made = BytesIO()
        # Without a date two figures of one explanation are the same bytes.
        when = {"Date": None} if form == "svg" else None
        sheet.figure().savefig(made, format=form, dpi=_DPI, metadata=when)
    return made.getvalue()
