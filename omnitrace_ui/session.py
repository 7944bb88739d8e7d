"""One visitor's state, and the private folder where everything a visitor gives or makes lies.

A ``Visitor`` is kept in ``gr.State``: gradio hands each browser tab its own. An hour after the
tab was closed ``Store.tidy`` forgets its trace and deletes its files; what a broken connection lost
is still there until then. All files lie below one temporary folder, which goes with the server.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError, LimitError
from core.trace import MediaInfo, Trace
from omnitrace_ui.actions.memory import give_back
from omnitrace_ui.actions.settings import Settings
from omnitrace_ui.allowance import DEFAULT_ALLOWANCE, Allowance
from omnitrace_ui.alongside import Alongside
from omnitrace_ui.views import Status

VISITORS = "visitors"
"""Folder below gradio's upload folder: gradio serves what lies there without copying it."""

UNHELD_SECONDS = 600
"""An upload that no form names is deleted after so long: it may be on its way into one."""

_KEPT_FREE = 200 * 10**6
"""Bytes of the disk that are left to whatever else needs them."""

_MEASURED_SECONDS = 2.0
"""How long a sum over all files is believed."""

logger = logging.getLogger("omnitrace")


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
        checked: ``(file, kind)`` that were found usable, and what they are.
        alongside: what is kept beside the answer: a check, a pinned view, where it came from.
        seen: when something was last asked for (monotonic seconds).
        closed: when the tab was closed (monotonic seconds); ``None`` while it is open.
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
    checked: dict[tuple[Path, str], MediaInfo] = field(default_factory=dict)
    alongside: Alongside = field(default_factory=Alongside)
    seen: float = 0.0
    closed: float | None = None


class Store:
    """The files of all visitors, each in a folder of their own below ``root``.

    Uploads arrive in gradio's part of ``root``, in a folder named by their content: two visitors
    who give the same file share it. So an upload stays while anybody's form names it, and for some
    minutes: the same file may just have come from somebody else, whose form does not name it yet.
    """

    def __init__(self, root: Path, allowance: Allowance = DEFAULT_ALLOWANCE) -> None:
        self.root = root.resolve()
        self._allowance = allowance
        self._holders: dict[Path, set[str]] = {}
        self._tabs: dict[str, Visitor] = {}
        self._lock = threading.Lock()
        self._measured, self._used = -_MEASURED_SECONDS, 0

    def folder(self, visitor: Visitor) -> Path:
        """The visitor's own folder, made when first asked for."""
        visitor.key = visitor.key or secrets.token_hex(16)
        folder = self.root / VISITORS / visitor.key
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def fresh_folder(self, visitor: Visitor) -> Path:
        """A new, empty folder in the visitor's own.

        Raises:
            LimitError: the visitor has, or all together have, as many files as may be kept.
        """
        self._require_room(visitor, ())
        visitor.runs += 1
        folder = self.folder(visitor) / f"{visitor.runs}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        return folder

    def _require_room(self, visitor: Visitor, more: Iterable[Path]) -> None:
        with self._lock:
            named = [path for path, who in self._holders.items() if visitor.key in who]
        held = bytes_of([*self.folder(visitor).rglob("*"), *named, *more])
        most = self._allowance.visitor_bytes
        if held > most:
            raise LimitError(
                f"Your files come to {held / 1e6:,.1f} MB; the limit is {most / 1e6:,.1f} MB. Save "
                "what you need, then reload the page to start anew."
            )
        if not self.has_room(0):
            raise LimitError("The server has no room for more files. Try again in some minutes.")

    def has_room(self, more: int) -> bool:
        """Whether so many bytes more can be kept for visitors."""
        if shutil.disk_usage(self.root).free < more + _KEPT_FREE:
            return False
        now = time.monotonic()
        if now - self._measured >= _MEASURED_SECONDS:
            self._measured, self._used = now, bytes_of(self.root.rglob("*"))
        return self._used + more <= self._allowance.disk_bytes

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

        Raises:
            LimitError: the visitor has more files than may be kept, or all together have.
        """
        uploads = [path for path in paths if not path.is_relative_to(self.root / VISITORS)]
        self._require_room(visitor, uploads)
        with self._lock:
            for path in uploads:
                self._holders.setdefault(path, set()).add(visitor.key)

    def arrive(self, tab: str, visitor: Visitor) -> None:
        """A tab is open; ``tab``: gradio's name of it."""
        visitor.closed, visitor.seen = None, time.monotonic()
        with self._lock:
            self._tabs[tab] = visitor

    def close(self, tab: str) -> None:
        """A tab was closed, or a proxy has cut its connection while it is still read."""
        with self._lock:
            visitor = self._tabs.get(tab)
        if visitor is not None:
            visitor.closed = time.monotonic()

    def tidy(self) -> None:
        """Forget who closed their tab an hour ago, and delete what nobody needs.

        Beyond the number of visitors that may be remembered, those who were quiet for longest go
        too: a client that is no browser never says that it left.
        """
        gone = time.monotonic() - 60 * self._allowance.keep_minutes
        with self._lock:
            tabs = sorted(self._tabs.items(), key=lambda item: item[1].seen, reverse=True)
        for rank, (tab, visitor) in enumerate(tabs):
            left = visitor.closed is not None and visitor.closed <= gone
            if (left or rank >= self._allowance.visitors) and not visitor.running:
                with self._lock:
                    self._tabs.pop(tab, None)
                self.forget(visitor)
        if len(self._tabs) < len(tabs):
            give_back()
        old = time.time() - UNHELD_SECONDS
        for entry in self.root.iterdir():
            if entry.name != VISITORS and self._is_left(entry, old):
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()

    def _is_left(self, entry: Path, old: float) -> bool:
        """Whether what lies in ``root`` is an upload, or half of one, that nobody names."""
        with self._lock:
            held = any(path.is_relative_to(entry) for path in self._holders)
        times = [path.lstat().st_ctime for path in (entry, *entry.rglob("*"))]
        return not held and max(times) < old

    def forget(self, visitor: Visitor) -> None:
        """Delete everything of a visitor who left; never raises, for gradio's cleaner calls it."""
        visitor.stopping = visitor.alongside.leaving = True
        visitor.alongside.pinned = visitor.alongside.check = None
        visitor.trace = visitor.folder = None
        visitor.checked.clear()
        visitor.trace_key, visitor.growing, visitor.status = "", "", Status()
        with self._lock:
            for path in [p for p, who in self._holders.items() if visitor.key in who]:
                self._holders[path].discard(visitor.key)
                if not self._holders[path]:
                    del self._holders[path]
        if visitor.key:
            shutil.rmtree(self.root / VISITORS / visitor.key, ignore_errors=True)


def bytes_of(paths: Iterable[Path]) -> int:
    """Bytes of all files among these; one that has several names counts once."""
    sizes = {}
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


def keep_tidy(store: Store, *, every: float = 20.0) -> None:
    """Call ``tidy`` every so many seconds, in the background, as long as the folder is there."""

    def run() -> None:
        while store.root.is_dir():
            time.sleep(every)
            try:
                store.tidy()
            except OSError as error:
                logger.warning("visitors' files could not be tidied: %s", error)

    threading.Thread(target=run, name="tidy", daemon=True).start()
