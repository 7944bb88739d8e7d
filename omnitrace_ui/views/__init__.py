"""Records → JSON for the browser: pure functions, no gradio. The contract of both components.

Every string is untrusted and stays a string: the browser puts it into the page by ``textContent``
only. Numbers are rounded and finite. A *file* is gradio's ``FileData`` as a dict, to which gradio
adds ``url`` on the way out; its path is one that the server chose, never one read from a trace.

**TraceView** (``view_value``)::

    {"status": {"phase": "empty"|"busy"|"done"|"error",
                "text": str, "done": int, "total": int|null},
     "trace": str,                   # names the prompt and its media
     "parts": [part, …],             # only when the trace is new: the browser keeps the last few
     "key": str,                     # names the cut into units
     "units": units,                 # only when the cut is new; kept by trace and key
     "answer": answer | null,
     "selected": int | null,         # sentence that a new trace opens with
     "address": str,                 # query that the page's address is to have
     "check": check | absent,        # see views.check
     "pinned": pinned | absent,      # see views.pinned
     "offline": true | absent}       # a page of its own: nobody answers its events

    part    = {"kind": "text", "name": "Text 1"}
            | {"kind": "image"|"audio"|"video", "name": str, "filename": str,
               "file": FileData | null, "width", "height", "duration": number | null,
               "sound": bool, "peaks": [0..100, …], "notes": [str, …]}
    units   = {"list": [[id, lane, part, label, start, end], …],     # seconds, else null
               "pieces": {part: [[unit or -1, str], …]},  # a text part, cut; joined = its text
               # a sound that a segmenter cut: its segments and the gaps (text null) between them
               "said": {part: [[unit or -1, start, end, speaker | null, text | null], …]}}
    answer  = {"spans": [span, …], "tail": str, "stopped": str, "rules": rules,
               "given": bool,          # written elsewhere, and only traced here
               "asked": str}           # the instruction, its beginning
    span    = {"id": int, "before": str, "text": str, "live": bool, "own": bool,
               "lane": lane | null, "strength": 0..1,     # main lane, the share of votes it holds
               "cites": [[unit, share, run, score], …],   # best first: rank = index + 1
               "meter": [[name, share], …],               # lanes, instruction, own, structure
               "why": why | absent,
               # of the selected span alone:
               "where": {part: {"image": [columns, rows, [0..100, …]],
                                lane: [seconds, [0..100, …]]}} | absent,
               "compare": [[title, [[unit, share], …]], …] | absent}   # the shown signal first
    why     = {"tokens": [[text, pos, weight, unit, confidence, vote], …],
               "tally": [[unit, share, run, score, verdict], …]}     # by falling score
    verdict = "selected" | "weak" (below both thresholds) | "covered" (coverage reached before)
    rules   = {"signal", "coverage", "min_share", "min_run", "alpha", "gamma", "assignment",
               "lanes"}

``why`` is sent for every span of an answer of at most ``WHY_TOKENS`` tokens, and for the selected
span of a longer one, so that a value stays under 20 KB: gradio spends about 10 ms on one of 5 KB,
20 ms on 20 KB, 130 ms on 200 KB. While streaming it is not sent at all.

If the browser is given a ``trace`` or ``key`` that it does not hold (its tab was closed while they
were sent), it raises the event ``resend``; answer it with a value that has both.

**PartsBuilder** (``form_value``, ``read_form``): a list, in order, of
``{"id", "kind": "text", "text"}``, ``{"id", "kind": "image"|"audio"|"video", "file": FileData}``
and, while it is being uploaded, ``{"id", "kind", "pending": true}``.
"""

from omnitrace_ui.views.answer import WHY_TOKENS, answer_model
from omnitrace_ui.views.form import GivenPart, form_value, read_form
from omnitrace_ui.views.sources import parts_model, units_model
from omnitrace_ui.views.value import Status, view_value
from omnitrace_ui.views.why import why_model

__all__ = [
    "WHY_TOKENS",
    "GivenPart",
    "Status",
    "answer_model",
    "form_value",
    "parts_model",
    "read_form",
    "units_model",
    "view_value",
    "why_model",
]
