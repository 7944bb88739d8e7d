"""The lead's desk: everybody's progress, agreement, disputed sentences, the gold verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError, StaleError
from core.review.changes import Change
from core.review.checking import checked
from core.review.desk import progress_of
from core.review.manifest import Manifest, trace_path
from core.review.records import (
    GOLD,
    Account,
    Judged,
    Place,
    Progress,
    SentenceState,
    SentenceView,
    Verdict,
)
from core.review.state import replay_all
from core.review.store import Asked, Store
from core.trace import Trace

if TYPE_CHECKING:
    from core.review.agreement import Agreement, Disputed, Opinions

_UNTOUCHED = SentenceState()


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

    def __init__(
        self,
        account: Account,
        queues: Mapping[str, tuple[str, ...]],
        manifest: Manifest,
        store: Store,
        folder: Path,
    ) -> None:
        self.account = account
        self._queues, self._manifest = queues, manifest
        self._store, self._folder = store, folder
        self._judged = manifest.judged()

    def progress(self) -> tuple[Progress, ...]:
        """Of every annotator, by name."""
        return tuple(
            progress_of(name, queue, self._manifest, self._store)
            for name, queue in self._queues.items()
        )

    def agreement(self) -> Agreement:
        """Table 4, κ and α as of now; takes seconds on hundreds of answers (bootstrap)."""
        from core.review.agreement import Agreement, table_4
        from core.review.reliability import reliability

        opinions, _ = self._opinions(unanchored=True)
        return Agreement(table_4(opinions), reliability(opinions))

    def disputed(self) -> tuple[Disputed, ...]:
        """Sentences that are not of one mind, the least agreed first; settled ones last."""
        from core.review.agreement import disputed

        return disputed(*self._opinions(unanchored=False))

    def sentence(self, place: Place) -> LeadView:
        """The gold state of a sentence beside everybody's.

        Raises:
            InputError: there is none.
        """
        self._require(place)
        states = replay_all(self._store.events(item=place.item))
        gold = states.get((GOLD, place), _UNTOUCHED)
        return self._view(place, gold, states)

    def write(self, place: Place, change: Change, *, version: int, event_id: str) -> LeadView:
        """Change the gold verdict, as ``Desk.write``; committing settles the sentence.

        ``replace(view.opinions["anna"].committed)`` starts from an annotator's verdict.
        """
        self._require(place)
        item, judged = self._manifest.items[place.item], self._judged.get(place)

        def check(state: SentenceState) -> Mapping[str, object]:
            return checked(change, item, state, judged and judged.verdict)

        asked = Asked(GOLD, self.account.name, place, change.kind, check)
        try:
            state = self._store.append(asked, version=version, event_id=event_id)
        except StaleError as error:
            raise StaleError(str(error), self.sentence(place)) from error
        return self._view(place, state, replay_all(self._store.events(item=place.item)))

    def trace(self, item: str, media_folder: Path | None = None) -> Trace:
        """The item's trace, as ``Desk.trace``; nothing is taken out."""
        self._require(Place(item, 0))
        return Trace.load(trace_path(self._folder, item), media_folder)

    def export(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``labels.jsonl`` (label format; gold last: it is heard), ``verdicts.parquet``
        (everything: notes, flags, authors, times) and ``label_studio/`` into a folder.

        Raises:
            InputError: the folder cannot be written.
        """
        from core.review.export import export

        return export(Path(folder), self._manifest, self._store.events(), self._folder)

    def _opinions(self, *, unanchored: bool) -> tuple[Opinions, frozenset[Place]]:
        """What people committed, and the settled sentences.

        ``unanchored``: in a blind project, what they committed before they saw the judge.
        """
        from core.review.agreement import Opinions

        people: dict[Place, dict[str, Verdict]] = {}
        settled = set()
        for (owner, place), state in sorted(replay_all(self._store.events()).items()):
            first = unanchored and self._manifest.blind
            verdict = state.first if first else state.committed
            if owner == GOLD:
                settled |= {place} if state.committed else set()
            elif verdict is not None:
                people.setdefault(place, {})[owner] = verdict
        return Opinions(self._manifest.items, self._judged, people), frozenset(settled)

    def _require(self, place: Place) -> None:
        item = self._manifest.items.get(place.item)
        if item is None or not 0 <= place.sentence < len(item.sentences):
            raise InputError("This project has no such sentence.")

    def _view(
        self, place: Place, gold: SentenceState, states: Mapping[tuple[str, Place], SentenceState]
    ) -> LeadView:
        judged: Judged | None = self._judged.get(place)
        return LeadView(
            place=place,
            text=self._manifest.items[place.item].sentences[place.sentence],
            state=gold,
            judge=judged.verdict if judged else None,
            judge_name=judged.name if judged else "",
            hidden=False,
            opinions={
                owner: state
                for (owner, at), state in states.items()
                if at == place and owner != GOLD
            },
        )
