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
    from core.review.bringing import Imported

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

    def export(self, folder: str | Path, *, label_studio: bool = False) -> tuple[Path, ...]:
        """Write what was committed into a folder.

        ``labels.jsonl``, the label format (gold last: it is heard), and ``verdicts.parquet``,
        which has everything; with ``label_studio`` also the files of ``core.review.label_studio``,
        media and all, in ``label_studio/``.

        Raises:
            InputError: the folder cannot be written.
        """
        from core.review.export import write_exports

        folder, events = Path(folder), self._store.events()
        written = write_exports(folder, self._manifest, events)
        if label_studio:
            from core.review.label_studio import write_tasks

            written += write_tasks(folder / "label_studio", self._manifest, events, self._folder)
        return written

    def bring_in(self, path: str | Path, *, names: Mapping[str, str] | None = None) -> Imported:
        """Write and commit the verdicts of a file where their owners have not begun here.

        Args:
            path: ``.jsonl`` (labels of people), ``.parquet``, or ``.json`` from Label Studio.
            names: Label Studio's user ids or e-mail addresses → annotators.

        Raises:
            InputError: the file is wrong, names somebody who is no annotator, or holds a verdict
                that does not fit; nothing was written.
        """
        from core.review.bringing import bring_in
        from core.review.export import read_said
        from core.review.label_studio import read_tasks

        path = Path(path)
        is_tasks = path.suffix.lower() == ".json"
        said = read_tasks(path, names or {}) if is_tasks else read_said(path)
        return bring_in(
            said,
            self._manifest,
            self._store,
            annotators=self._queues,
            author=self.account.name,
        )

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
