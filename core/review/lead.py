"""The lead's desk: everybody's progress, agreement, disputed sentences, the gold verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.review.agreement import Agreement, Disputed
from core.review.changes import Change
from core.review.records import Account, Place, Progress, SentenceState, SentenceView, Verdict
from core.trace import Trace


@dataclass(frozen=True)
class LeadView(SentenceView):
    """A sentence with the ``GOLD`` state, and what everybody says; nothing is hidden.

    Attributes:
        opinions: annotator → state, of those who changed anything.
    """

    opinions: Mapping[str, SentenceState]


class LeadDesk:
    """What a lead may see and do; given by ``Project.lead``. All leads share the gold verdicts.

    Attributes:
        account: the lead's.
    """

    account: Account

    def progress(self) -> tuple[Progress, ...]:
        """Of every annotator, by name."""
        raise NotImplementedError

    def agreement(self) -> Agreement:
        """Table 4, κ and α as of now; takes seconds on hundreds of answers (bootstrap)."""
        raise NotImplementedError

    def disputed(self) -> tuple[Disputed, ...]:
        """Sentences with two opinions at least, the least agreed first; settled ones last."""
        raise NotImplementedError

    def sentence(self, place: Place) -> LeadView:
        """The gold state of a sentence beside everybody's.

        Raises:
            InputError: there is none.
        """
        raise NotImplementedError

    def write(self, place: Place, change: Change, *, version: int, event_id: str) -> LeadView:
        """Change the gold verdict, as ``Desk.write``; committing settles the sentence.

        ``replace(view.opinions["anna"].committed)`` starts from an annotator's verdict.
        """
        raise NotImplementedError

    def trace(self, item: str, media_folder: Path | None = None) -> Trace:
        """The item's trace, as ``Desk.trace``; nothing is taken out."""
        raise NotImplementedError

    def export(self, folder: Path) -> tuple[Path, ...]:
        """Write ``labels.jsonl`` (label format; gold last: it is heard), ``verdicts.parquet``
        (everything: notes, flags, authors, times) and ``label_studio/`` into a folder.

        Raises:
            InputError: the folder cannot be written.
        """
        raise NotImplementedError

    def verdict_of_judge(self, place: Place) -> Verdict | None:
        """What the judge said."""
        raise NotImplementedError
