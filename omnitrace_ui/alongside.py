"""What a visitor keeps beside the answer that is shown: no answer of its own, but said of one."""

from __future__ import annotations

from dataclasses import dataclass

from omnitrace_ui.views.pinned import Side
from omnitrace_ui.views.wire import JSON


@dataclass
class Alongside:
    """Part of a ``Visitor``; changed in place by its handlers only.

    Attributes:
        gallery: name of the server's saved trace that was opened last, and in ``gallery_of`` the
            trace's key: any other trace has no link.
        pinned: view B, with which what is shown is compared.
        check: the latest check as it is shown (``views.check``), and in ``check_of`` the trace's
            key; of another trace it is not shown.
        checking: a check is running or waits for its turn.
        leaving: the visitor asked the running check to end.
    """

    gallery: str = ""
    gallery_of: str = ""
    pinned: Side | None = None
    check: JSON | None = None
    check_of: str = ""
    checking: bool = False
    leaving: bool = False
