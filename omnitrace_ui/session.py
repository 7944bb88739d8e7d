"""One visitor's state, and the private folder where everything a visitor gives or makes lies.

A ``Visitor`` is kept in ``gr.State``: gradio hands each browser tab its own, and forgets it an hour
after the tab was closed, or when the time to live is over; ``Store.forget`` then deletes the files.
All files lie below one temporary folder, which goes with the server.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from core.trace import Trace
from omnitrace_ui.actions.settings import Settings
from omnitrace_ui.alongside import Alongside
from omnitrace_ui.views import Status

VISITORS = "visitors"
"""Folder below gradio's upload folder: gradio serves what lies there without copying it."""


@dataclass
class Visitor:
    """One browser tab. Changed in place by its own handlers only.

    Attributes:
        key: names the visitor's folder; unguessable, and empty until a folder is needed.
        trace: what is shown; while an answer streams, the latest part of it.
        trace_key: names ``trace`` for the browser.
        runs: how many traces there were, for fresh names.
        folder: where the media of ``trace`` lie.
        settings: how the trace is explained just now; a running stream follows them.
        selected: the sentence that is selected in the browser.
        running: an answer is being generated.
        stopping: the visitor asked the running generation to end.
        growing: the whole answer so far, of which ``trace`` may lack the unfinished end.
        status: what was last said of it.
        sent: the trace and the cut that the browser was last sent, see ``views``.
        checked: ``(file, kind)`` that were found usable.
        alongside: what is kept beside the answer: a check, a pinned view, where it came from.
    """

    key: str = ""
    trace: Trace | None = None
    trace_key: str = ""
    runs: int = 0
    folder: Path | None = None
    settings: Settings = field(default_factory=Settings)
    selected: int | None = None
    running: bool = False
    stopping: bool = False
    growing: str = ""
    status: Status = field(default_factory=Status)
    sent: tuple[str, str] = ("", "")
    checked: set[tuple[Path, str]] = field(default_factory=set)
    alongside: Alongside = field(default_factory=Alongside)


class Store:
    """The files of all visitors, each in a folder of their own below ``root``.

    Uploads arrive in gradio's part of ``root``, in a folder named by their content: two visitors
    who give the same file share it. So it is deleted when the last of those who hold it lets go.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._holders: dict[Path, set[str]] = {}
        self._lock = threading.Lock()

    def folder(self, visitor: Visitor) -> Path:
        """The visitor's own folder, made when first asked for."""
        visitor.key = visitor.key or secrets.token_hex(16)
        folder = self.root / VISITORS / visitor.key
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def fresh_folder(self, visitor: Visitor) -> Path:
        """A new, empty folder in the visitor's own."""
        visitor.runs += 1
        folder = self.folder(visitor) / f"{visitor.runs}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        return folder

    def given(self, visitor: Visitor, path: Path) -> Path:
        """The real path of a file that the browser names: one this visitor uploaded or was given.

        Raises:
            InputError: it is anything else; the message does not say what.
        """
        refused = InputError(f"The file {path.name!r} is no longer here. Remove it, add it again.")
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise refused from error
        allowed = real.is_relative_to(self.root) and real.is_file()
        if allowed and real.is_relative_to(self.root / VISITORS):
            allowed = bool(visitor.key) and real.is_relative_to(self.folder(visitor))
        if not allowed:
            raise refused
        return real

    def hold(self, visitor: Visitor, paths: Iterable[Path]) -> None:
        """Note that the visitor's form names these files.

        They stay until the visitor goes: what was removed from the form can be taken back.
        """
        self.folder(visitor)
        with self._lock:
            for path in paths:
                if not path.is_relative_to(self.root / VISITORS):
                    self._holders.setdefault(path, set()).add(visitor.key)

    def discard(self, path: Path) -> None:
        """Delete an upload that was read and is needed no more, unless somebody's form names it."""
        with self._lock:
            if path not in self._holders and not path.is_relative_to(self.root / VISITORS):
                shutil.rmtree(path.parent, ignore_errors=True)

    def forget(self, visitor: Visitor) -> None:
        """Delete everything of a visitor who left; never raises, for gradio's cleaner calls it."""
        visitor.stopping = visitor.alongside.leaving = True
        if not visitor.key:
            return
        with self._lock:
            for path in [p for p, who in self._holders.items() if visitor.key in who]:
                self._drop(path, visitor.key)
        shutil.rmtree(self.root / VISITORS / visitor.key, ignore_errors=True)

    def _drop(self, path: Path, key: str) -> None:
        self._holders[path].discard(key)
        if not self._holders[path]:
            del self._holders[path]
            shutil.rmtree(path.parent, ignore_errors=True)
