"""A project: a folder of traces, a judge's labels, and the store of what people say of them.

``PROJECT/review.sqlite3`` is the store, unless another URL is set; the other files are those of
``core.review.manifest``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import URL

from core.errors import AccessError, InputError, TraceFileError
from core.evaluation.folder import SampleFinder, open_scores, trace_files
from core.evaluation.labels import Label, read_labels
from core.review.desk import Desk
from core.review.lead import LeadDesk
from core.review.manifest import (
    FILE,
    Manifest,
    fitting,
    item_of,
    read_manifest,
    trace_path,
    write_manifest,
)
from core.review.passwords import fits, hashed, of_nobody
from core.review.queues import assign, ordered
from core.review.records import GOLD, ROLES, Account, Item, Role
from core.review.store import Store, new_id
from core.samples import Sample

STORE_VARIABLE = "OMNITRACE_REVIEW_STORE"
"""Environment variable: SQLAlchemy URL of the store of all projects; default: SQLite in each."""

_LONGEST_NAME = 60
_OPERATOR = "operator"
_KEPT = (GOLD, "all", _OPERATOR)
"""What stands in tables and events for no person."""


class Project:
    """An open project; safe to share between threads. Also a context manager, which closes it.

    Attributes:
        folder: where it lives.
        blind: judge and model are hidden until an annotator has committed a sentence.
        items: id → ``Item``, in the order of the trace files.
    """

    def __init__(self, folder: Path, manifest: Manifest, store: Store) -> None:
        self.folder = folder
        self.blind = manifest.blind
        self.items: Mapping[str, Item] = manifest.items
        self._manifest, self._store = manifest, store

    @property
    def name(self) -> str:
        """The folder's, for people."""
        return self.folder.name

    @property
    def annotators(self) -> tuple[str, ...]:
        """Names of the accounts that check items, with a queue of their own or the shared one."""
        return tuple(one.name for one in self.accounts() if one.role == "annotator")

    def accounts(self) -> tuple[Account, ...]:
        """Everyone who may sign in, by name."""
        return self._store.accounts()

    def add_account(self, name: str, role: Role = "annotator", password: str = "") -> Account:
        """Let somebody in, or change the role and password of an account that exists.

        An annotator without a queue of their own gets the shared items. An empty password: the
        name is enough.

        Raises:
            InputError: the name or role will not do.
        """
        account = Account(checked_name(name), role)
        if role not in ROLES:
            raise InputError(f"The role {role!r} is unknown. Known: {', '.join(ROLES)}.")
        self._store.put_account(account, hashed(password) if password else "")
        return account

    def sign_in(self, name: str, password: str = "") -> Account:
        """The account, if name and password fit.

        Raises:
            AccessError: they do not; does not tell which of the two.
        """
        found = self._store.secret(unicodedata.normalize("NFC", name.strip()))
        if found is not None and not found[1]:
            return found[0]
        # Unknown names take as long as wrong passwords.
        if not fits(password, found[1] if found else of_nobody()) or found is None:
            raise AccessError("Name and password do not fit. Ask the lead of the project.")
        return found[0]

    def desk(self, account: Account) -> Desk:
        """The annotator's desk.

        Raises:
            AccessError: the account is no annotator's.
        """
        self._require(account, "annotator")
        queue = self._queue(account.name)
        return Desk(account, queue, self._manifest, self._store, self.folder)

    def lead(self, account: Account) -> LeadDesk:
        """The lead's desk.

        Raises:
            AccessError: the account is no lead's.
        """
        self._require(account, "lead")
        return self._lead(account)

    def operator(self) -> LeadDesk:
        """The lead's desk of whoever runs this on the project's own machine; for programs."""
        return self._lead(Account(_OPERATOR, "lead"))

    def backup(self, path: str | Path) -> Path:
        """Copy the store to a file while people go on working (SQLite's backup interface).

        Raises:
            InputError: the store is no SQLite file: use the tools of its database.
            StoreError: the file cannot be written.
        """
        self._store.backup(Path(path))
        return Path(path)

    def close(self) -> None:
        """Give the database's connections back."""
        self._store.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lead(self, account: Account) -> LeadDesk:
        queues = {name: self._queue(name) for name in self.annotators}
        return LeadDesk(account, queues, self._manifest, self._store, self.folder)

    def _queue(self, name: str) -> tuple[str, ...]:
        made = self._manifest
        return made.queues.get(name) or ordered(made.shared, name, made.seed)

    def _require(self, account: Account, role: Role) -> None:
        """The account as it is now: a role can have been taken away since the sign-in."""
        if account.role != role or account not in self.accounts():
            raise AccessError(f"This needs the role {role!r} in this project. Sign in again.")


def create_project(
    folder: str | Path,
    *,
    traces: str | Path | Iterable[Path],
    labels: str | Path | Sequence[Label],
    annotators: Sequence[str],
    leads: Sequence[str] = (),
    overlap: float = 0.2,
    seed: int = 1,
    blind: bool = False,
    samples: Sequence[Sample] = (),
    store: str | None = None,
) -> Project:
    """Make a project; accounts of annotators and leads have no password yet.

    Args:
        folder: new, or empty; appears whole or not at all.
        traces: a folder of ``.omnitrace`` files, or the files.
        labels: a label file, or its labels; the judge's, or those of what made the data.
        annotators: names, each once.
        leads: names of others.
        overlap: share of the items, 0..1, that every annotator checks, for agreement.
        seed: of the assignment and of every queue's order.
        blind: see ``Project``.
        samples: what the traces answer; gives the tasks' names.
        store: SQLAlchemy URL; default: ``OMNITRACE_REVIEW_STORE``, else SQLite in the folder.

    Raises:
        InputError: folder, names, overlap or labels will not do; an answer appears twice; several
            labellers judged one sentence.
        TraceFileError: a trace cannot be opened.
        StoreError: the store cannot be made.
    """
    folder = Path(folder)
    names = [checked_name(name) for name in annotators]
    heads = [checked_name(name) for name in leads]
    if not names or len({*names, *heads}) < len(names) + len(heads):
        raise InputError("A project needs an annotator at least, and every name once.")
    if not 0 <= overlap <= 1:
        raise InputError(f"An overlap of {overlap:g} is no share: use 0 to 1.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder.name!r} is there already and not empty: choose another folder.")
    given = trace_files(Path(traces)) if isinstance(traces, str | Path) else tuple(traces)
    labels = read_labels(labels) if isinstance(labels, str | Path) else labels
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
        try:
            items = _keep(given, samples, draft)
            judged = fitting(labels, items)
            if not judged:
                raise InputError("No label fits any sentence of these traces: wrong file?")
            tasks = {item.id: item.task for item in items.values()}
            shared, queues = assign(tasks, names, overlap=overlap, seed=seed)
            made = Manifest(new_id(), seed, blind, shared, queues, items, judged)
            write_manifest(draft, made)
            with Project(draft, made, Store(_url(draft, store), made.id)) as project:
                for name in names:
                    project.add_account(name)
                for name in heads:
                    project.add_account(name, "lead")
            draft.chmod(0o755)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{folder.name!r} cannot be written: {error.strerror}.") from error
    return open_project(folder, store=store)


def open_project(folder: str | Path, *, store: str | None = None) -> Project:
    """Open a project; brings an older store up to date.

    Raises:
        InputError: it is none.
        StoreError: the store cannot be reached, or is newer than this version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    return Project(folder, manifest, Store(_url(folder, store), manifest.id))


def find_projects(root: str | Path) -> tuple[Path, ...]:
    """The projects in a folder of projects, by name; drafts of unfinished ones are none."""
    found = (path.parent for path in Path(root).glob(f"*/{FILE}"))
    return tuple(sorted(path for path in found if not path.name.startswith(".")))


def checked_name(name: str) -> str:
    """A name as it is kept: trimmed, in one Unicode form.

    Raises:
        InputError: empty, too long, with control characters, or reserved.
    """
    trimmed = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(trimmed) <= _LONGEST_NAME or not trimmed.isprintable():
        raise InputError(
            f"The name {name[:_LONGEST_NAME]!r} will not do: 1 to {_LONGEST_NAME} visible "
            "characters."
        )
    if trimmed.casefold() in _KEPT:
        raise InputError(f"The name {trimmed!r} is kept for other things: choose another.")
    return trimmed


def _keep(files: Sequence[Path], samples: Sequence[Sample], folder: Path) -> dict[str, Item]:
    """Open the traces and copy them into the project's folder."""
    finder = SampleFinder(samples)
    titles: dict[str, str] = {}
    items: dict[str, Item] = {}
    (folder / "traces").mkdir()
    for path in files:
        trace = open_scores(path)
        title = path.stem.encode("utf-8", "replace").decode()
        item = item_of(trace, title, finder.extra(trace.prompt).get("task"))
        if item.id in items:
            raise InputError(
                f"{titles[item.id]!r} and {path.name!r} hold the same answer to the same prompt: "
                "leave one out."
            )
        if not item.sentences:
            raise TraceFileError(f"{path.name!r} holds no sentence that could be checked.")
        titles[item.id], items[item.id] = path.name, item
        shutil.copyfile(path, trace_path(folder, item.id))
    if not items:
        raise InputError("No traces were given.")
    return items


def _url(folder: Path, store: str | None) -> str | URL:
    # A URL made of parts: the folder's name may hold what a written one would split at.
    default = URL.create("sqlite", database=str(folder.absolute() / "review.sqlite3"))
    return store or os.environ.get(STORE_VARIABLE) or default
