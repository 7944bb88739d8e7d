"""A project: a folder of traces, a judge's labels, and the store of what people say of them.

    PROJECT/project.json    name, seed, overlap, blind, annotators, queues
    PROJECT/items.jsonl     one ``Item`` a line
    PROJECT/judge.jsonl     the judge's labels
    PROJECT/traces/         copies of the trace files
    PROJECT/review.sqlite3  the store, unless another URL is set

Everything but the store is written once and never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from core.evaluation.labels import Label
from core.review.desk import Desk
from core.review.lead import LeadDesk
from core.review.records import Account, Item
from core.samples import Sample


class Project:
    """An open project; safe to share between threads. Also a context manager, which closes it.

    Attributes:
        folder: where it lives.
        name: the folder's, for people.
        blind: judge and model are hidden until an annotator has committed a sentence.
        items: id → ``Item``, in the order of the trace files.
        annotators: names that a queue was made for.
    """

    folder: Path
    name: str
    blind: bool
    items: dict[str, Item]
    annotators: tuple[str, ...]

    def accounts(self) -> tuple[Account, ...]:
        """Everyone who may sign in, by name."""
        raise NotImplementedError

    def add_account(self, name: str, role: str = "annotator", password: str = "") -> Account:
        """Let somebody in, or change the role and password of an account that exists.

        An annotator without a queue of their own gets the overlap share. An empty password: the
        name is enough.

        Raises:
            InputError: the name or role will not do.
        """
        raise NotImplementedError

    def sign_in(self, name: str, password: str = "") -> Account:
        """The account, if name and password fit.

        Raises:
            AccessError: they do not; does not tell which of the two.
        """
        raise NotImplementedError

    def needs_password(self, name: str) -> bool:
        """Whether to ask this name for one; true also for names that are unknown."""
        raise NotImplementedError

    def desk(self, account: Account) -> Desk:
        """The annotator's desk.

        Raises:
            AccessError: the account is no annotator's.
        """
        raise NotImplementedError

    def lead(self, account: Account) -> LeadDesk:
        """The lead's desk.

        Raises:
            AccessError: the account is no lead's.
        """
        raise NotImplementedError

    def backup(self, path: Path) -> Path:
        """Copy the store to a file while people go on working (SQLite's backup interface).

        Raises:
            InputError: the store is no SQLite file: use the tools of its database.
            StoreError: the file cannot be written.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give the database's connections back."""
        raise NotImplementedError

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        InputError: folder, names, overlap or labels will not do; a trace appears twice; several
            labellers judged one sentence.
        TraceFileError: a trace cannot be opened.
        StoreError: the store cannot be made.
    """
    raise NotImplementedError


def open_project(folder: str | Path, *, store: str | None = None) -> Project:
    """Open a project; brings an older store up to date.

    Raises:
        InputError: it is none.
        StoreError: the store cannot be reached, or is newer than this version.
    """
    raise NotImplementedError


def find_projects(root: str | Path) -> tuple[Path, ...]:
    """The projects in a folder of projects, by name."""
    raise NotImplementedError
