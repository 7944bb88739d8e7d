"""What a lead asks for: progress, agreement, disputes, any item, exports, people, new projects."""

from __future__ import annotations

import re
import secrets
import shutil
import zipfile
from pathlib import Path

from core.errors import InputError
from core.review import LeadDesk, Place, create_project
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.actions.review.sessions import Signed
from omnitrace_ui.views.review import (
    agreement_value,
    disputed_value,
    lead_item_value,
    progress_value,
)
from omnitrace_ui.views.review_events import read_person, read_project
from omnitrace_ui.views.wire import JSON

EXPORTS = ("labels.jsonl", "verdicts.parquet", "label_studio.zip")
IMPORTS = (".jsonl", ".parquet", ".json")
LABELS = "labels.jsonl"
_TRACE_SUFFIX = ".omnitrace"
_UPLOAD = re.compile(r"[0-9a-f]{32}")
MOST_FILES = 2000
"""In one upload."""


class ReviewLead:
    """Handlers of every lead; an annotator is refused by the project itself."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def overview(self, who: Signed) -> JSON:
        """Everybody's progress, and the most disputed sentences."""
        lead = self._lead(who)
        return {
            "progress": [progress_value(one) for one in lead.progress()],
            "disputed": disputed_value(lead.disputed()),
        }

    def agreement(self, who: Signed) -> JSON:
        """Table 4, κ and α, as of now."""
        return agreement_value(self._lead(who).agreement())

    def item(self, who: Signed, item: str) -> JSON:
        """An item with the gold verdicts beside everybody's.

        Raises:
            InputError: there is none.
        """
        lead = self._lead(who)
        known = self._bench.project(who.project).items.get(item)
        if known is None:
            raise InputError("There is no such item in this project.")
        shown = self._bench.shown(who.project, item, lambda folder: lead.trace(item, folder))
        places = (Place(item, n) for n in range(len(known.sentences)))
        return lead_item_value(known, [lead.sentence(place) for place in places], shown.value)

    def export(self, who: Signed, name: str) -> Path:
        """One of ``EXPORTS`` as a file in a folder of its own, which is the caller's to delete.

        Raises:
            InputError: there is no such export, or the disk is full.
        """
        lead = self._lead(who)
        if name not in EXPORTS:
            raise InputError(f"There is no export {name[:40]!r}. Known: {', '.join(EXPORTS)}.")
        folder = self._bench.fresh_folder()
        try:
            archived = name.endswith(".zip")
            lead.export(folder, label_studio=archived)
            if archived:
                _zipped(folder / Path(name).stem, folder / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder / name

    def import_target(self, who: Signed, name: str) -> Path:
        """Where an uploaded file of verdicts goes: a folder of its own, the caller's to delete.

        Raises:
            InputError: its name says that it is something else.
        """
        self._lead(who)
        suffix = Path(name).suffix.lower()
        if suffix not in IMPORTS:
            raise InputError(
                f"{name[:80]!r} is no file of verdicts: {', '.join(IMPORTS)} (Label Studio's)."
            )
        return self._bench.fresh_folder() / f"{_plain(Path(name).stem) or 'verdicts'}{suffix}"

    def bring_in(self, who: Signed, path: Path) -> JSON:
        """Verdicts from a file, where their owners have not begun: how many met which fate.

        Raises:
            InputError: as ``core.review.LeadDesk.bring_in``; nothing was written then.
        """
        return self._lead(who).bring_in(path)._asdict()

    def add_person(self, who: Signed, payload: object) -> JSON:
        """Let somebody in, or change the role and password of somebody.

        Raises:
            InputError: name or role will not do.
        """
        self._lead(who)
        given = read_person(payload)
        self._bench.project(who.project).add_account(given.name, given.role, given.password)
        return {}

    def begin_upload(self, who: Signed) -> JSON:
        """``{"upload"}``: names a new folder for the files of a project to be made.

        Raises:
            InputError: this server keeps a single project.
        """
        self._lead(who)
        self._refuse_single()
        upload = secrets.token_hex(16)
        self._folder_of(upload).mkdir(mode=0o700, parents=True)
        return {"upload": upload}

    def upload_target(self, who: Signed, upload: str, name: str) -> Path:
        """Where one uploaded file goes; its name is made here from the given one's end.

        Raises:
            InputError: it is neither a trace nor a label file, there are too many, or there is no
                such upload.
        """
        self._lead(who)
        folder = self._existing(upload)
        if name.endswith(".jsonl"):
            return folder / LABELS
        if not name.endswith(_TRACE_SUFFIX):
            raise InputError(
                f"{name[:80]!r} is neither a trace ({_TRACE_SUFFIX}) nor a label file (.jsonl)."
            )
        count = sum(1 for _ in folder.glob(f"*{_TRACE_SUFFIX}"))
        if count >= MOST_FILES:
            raise InputError(f"More than {MOST_FILES} traces: use `python -m core review create`.")
        plain = _plain(name.removesuffix(_TRACE_SUFFIX)) or "trace"
        target = folder / f"{plain}{_TRACE_SUFFIX}"
        return target.with_stem(f"{target.stem}-{count}") if target.exists() else target

    def create(self, who: Signed, payload: object) -> JSON:
        """Make a project of an upload; whoever makes it leads it. ``{"project"}``: its name.

        Raises:
            OmniTraceError: as ``core.review.create_project``.
        """
        self._lead(who)
        self._refuse_single()
        given = read_project(payload)
        files = self._existing(given.upload)
        target = self._bench.root / _folder_name(given.name)
        if target.exists():
            raise InputError(f"There is already a project {target.name!r}: choose another name.")
        if not (files / LABELS).is_file():
            raise InputError("No label file was uploaded: choose the judge's labels (.jsonl).")
        try:
            project = create_project(
                target,
                traces=sorted(files.glob(f"*{_TRACE_SUFFIX}")),
                labels=files / LABELS,
                annotators=given.annotators,
                leads=(who.account.name,),
                overlap=given.overlap,
                seed=given.seed,
                blind=given.blind,
            )
        finally:
            shutil.rmtree(files, ignore_errors=True)
        with project:
            if given.password:
                project.add_account(who.account.name, "lead", given.password)
        return {"project": target.name}

    def _lead(self, who: Signed) -> LeadDesk:
        return self._bench.project(who.project).lead(who.account)

    def _refuse_single(self) -> None:
        if self._bench.is_single:
            raise InputError(
                "This server was started with one project. To make others here, whoever runs it "
                "gives a folder of projects: --review FOLDER"
            )

    def _folder_of(self, upload: str) -> Path:
        return self._bench.work / "uploads" / upload

    def _existing(self, upload: str) -> Path:
        folder = self._folder_of(upload) if _UPLOAD.fullmatch(upload) else None
        if folder is None or not folder.is_dir():
            raise InputError("This upload is over: begin again.")
        return folder


def _plain(name: str) -> str:
    """What a given name may contribute to a file's; perhaps nothing."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:80]


def _folder_name(name: str) -> str:
    """A folder's name that is safe on any disk, and close to what was typed."""
    plain = re.sub(r"[^\w-]+", "-", name).strip("-_")[:60]
    if not plain:
        raise InputError("A project needs a name with at least one letter or digit.")
    return plain


def _zipped(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
