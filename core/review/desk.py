"""An annotator's desk: the own queue, the own verdicts, nothing of anybody else's."""

from __future__ import annotations

from pathlib import Path

from core.review.changes import Change
from core.review.records import Account, ItemView, Place, Progress, SentenceView
from core.trace import Trace


class Desk:
    """What one annotator may see and do; given by ``Project.desk``.

    Every method reads the store anew: a desk can be kept, thrown away, or opened twice.

    Attributes:
        account: whose.
        queue: item ids, in the order that the project's seed fixed.
    """

    account: Account
    queue: tuple[str, ...]

    def item(self, item: str) -> ItemView:
        """One item of the queue, with the state of all its sentences.

        Raises:
            InputError: it is not in this queue.
        """
        raise NotImplementedError

    def sentence(self, place: Place) -> SentenceView:
        """One sentence; cheaper than its item.

        Raises:
            InputError: there is none, or it is not in this queue.
        """
        raise NotImplementedError

    def write(self, place: Place, change: Change, *, version: int, event_id: str) -> SentenceView:
        """Make one change; on disk when this returns.

        Args:
            place: a sentence of the queue.
            change: see ``core.review.changes``.
            version: of the state that the annotator saw.
            event_id: ``new_id()``, made once for this change and kept for retries of it.

        Raises:
            StaleError: the sentence changed meanwhile; its ``view`` is how it is now.
            InputError: the change does not fit the sentence (unknown unit, nothing to undo, an
                empty verdict committed without a flag, the judge accepted while hidden, …).
            StoreError: nothing was written: locked for too long, disk full, unreachable.
        """
        raise NotImplementedError

    def progress(self) -> Progress:
        """How far, how fast, and where to go on."""
        raise NotImplementedError

    def last_change(self) -> Place | None:
        """Where the last change that can be undone was made; ``None`` before any."""
        raise NotImplementedError

    def trace(self, item: str, media_folder: Path | None = None) -> Trace:
        """The item's trace with its media in a new folder (as ``Trace.load``).

        Of a hidden item the model's name is taken out; scores stay, so show no explanation of it.

        Raises:
            InputError: it is not in this queue.
            TraceFileError: the file was damaged since.
        """
        raise NotImplementedError
