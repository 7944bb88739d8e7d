"""The projects of one server, and what its pages show of their traces."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import AccessError, InputError
from core.review import Project, find_projects, open_project
from core.sources import cut
from core.trace import Trace
from omnitrace_ui.views import parts_model, units_model
from omnitrace_ui.views.transcript import words_model
from omnitrace_ui.views.wire import JSON, clean

PROJECT_FILE = "project.json"
KEPT_TRACES = 16
"""Traces of which media lie unpacked and the view is kept: what some people look at just now."""


@dataclass
class Shown:
    """What a page shows of a trace; filled by whoever asks first.

    Attributes:
        value: ``{"instruction", "parts", "units", "said"}`` of ``omnitrace_ui.views.review``.
        files: part index → its unpacked file.
        folder: where they lie.
    """

    value: JSON = field(default_factory=dict)
    files: dict[int, Path] = field(default_factory=dict)
    folder: Path | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Bench:
    """All projects below one folder, or the one that the folder is.

    Attributes:
        root: the folder.
        work: where media are unpacked and exports made; outside of what gradio serves to anybody,
            and gone with the program.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InputError(f"{root.name!r} is no folder: give a project, or a folder of them.")
        self.root = root.resolve()
        if not self._folders():
            raise InputError(
                f"{root.name!r} holds no project: make one with `python -m core review create`. "
                "Its lead can make others on the page."
            )
        self._temporary = tempfile.TemporaryDirectory(prefix="omnitrace-review-")
        self.work = Path(self._temporary.name)
        self._open: dict[str, Project] = {}
        self._shown: OrderedDict[tuple[str, str], Shown] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def is_single(self) -> bool:
        """Whether the folder is a project itself: then no other can be made."""
        return (self.root / PROJECT_FILE).is_file()

    @property
    def only(self) -> str | None:
        """The name of the project, if there is but one."""
        names = self.names
        return names[0] if len(names) == 1 else None

    @property
    def names(self) -> tuple[str, ...]:
        """Of all projects."""
        return tuple(self._folders())

    def project(self, name: str) -> Project:
        """An open project.

        Raises:
            AccessError: there is none of that name.
        """
        with self._lock:
            if name not in self._open:
                folder = self._folders().get(name)
                if folder is None:
                    raise AccessError("There is no such project here.")
                self._open[name] = open_project(folder)
            return self._open[name]

    def shown(self, project: str, item: str, load: Callable[[Path], Trace]) -> Shown:
        """What to show of an item; its media are there when this returns.

        Args:
            project: its name.
            item: its id.
            load: opens the trace with its media in a folder, for whoever may see it.
        """
        key = (project, item)
        with self._lock:
            held = self._shown.setdefault(key, Shown())
            self._shown.move_to_end(key)
            over = range(len(self._shown) - KEPT_TRACES)
            gone = [self._shown.popitem(last=False)[1] for _ in over]
        for old in gone:
            with old.lock:
                if old.folder is not None:
                    shutil.rmtree(old.folder, ignore_errors=True)
        with held.lock:
            if not held.value or not all(path.is_file() for path in held.files.values()):
                self._fill(held, key, load)
        return held

    def _fill(self, held: Shown, key: tuple[str, str], load: Callable[[Path], Trace]) -> None:
        held.folder = self.fresh_folder()
        trace = load(held.folder)
        held.files = {i: part.path for i, part in trace.prompt.media if part.path.is_file()}
        parts = parts_model(trace, {})
        for index in held.files:
            parts[index]["file"] = {"url": f"media/{key[1]}/{index}"}
        held.value = {
            "instruction": clean(trace.prompt.instruction),
            "parts": parts,
            "units": units_model(trace, cut(trace.prompt, trace.timeline, trace.media)),
            "said": words_model(trace),
        }

    def fresh_folder(self) -> Path:
        """A new folder in ``work``, for whoever deletes it."""
        folder = self.work / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Give the projects' connections back, and delete what was unpacked."""
        with self._lock:
            for project in self._open.values():
                project.close()
            self._open.clear()
        self._temporary.cleanup()

    def _folders(self) -> dict[str, Path]:
        found = (self.root,) if self.is_single else find_projects(self.root)
        return {folder.name: folder for folder in found}
