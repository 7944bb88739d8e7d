"""An annotator's desk: the own queue, the own verdicts, nothing of anybody else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.errors import InputError, StaleError
from core.review.changes import Change
from core.review.checking import checked
from core.review.manifest import Manifest, trace_path
from core.review.progress import progress
from core.review.records import (
    Account,
    ItemView,
    Judged,
    Place,
    Progress,
    SentenceState,
    SentenceView,
)
from core.review.state import last_standing, replay_all
from core.review.store import Asked, Store
from core.trace import ModelInfo, Trace

_NOBODY = ModelInfo("", "", 0, "", "")


class Desk:
    """What one annotator may see and do; given by ``Project.desk``.

    Every method reads the store anew: a desk can be kept, thrown away, or opened twice.

    Attributes:
        account: whose.
        queue: item ids, in the order that the project's seed fixed.
    """

    def __init__(
        self,
        account: Account,
        queue: tuple[str, ...],
        manifest: Manifest,
        store: Store,
        folder: Path,
    ) -> None:
        self.account = account
        self.queue = queue
        self._manifest, self._store, self._folder = manifest, store, folder
        self._judged = manifest.judged()

    def item(self, item: str) -> ItemView:
        """One item of the queue, with the state of all its sentences.

        Raises:
            InputError: it is not in this queue.
        """
        self._require(item)
        found = self._manifest.items[item]
        states = replay_all(self._store.events(self.account.name, item))
        views = []
        for sentence in range(len(found.sentences)):
            place = Place(item, sentence)
            state = states.get((self.account.name, place), SentenceState())
            views.append(self._view(place, state))
        hidden = any(view.hidden for view in views)
        shown = replace(found, model="", title="") if hidden else found
        return ItemView(self.queue.index(item), shown, tuple(views), hidden)

    def sentence(self, place: Place) -> SentenceView:
        """One sentence; cheaper than its item.

        Raises:
            InputError: there is none, or it is not in this queue.
        """
        self._require(*place)
        return self._view(place, self._store.state(self.account.name, place))

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
        self._require(*place)
        item = self._manifest.items[place.item]

        def check(state: SentenceState) -> dict[str, object]:
            judged = self._shown(place, state)
            return checked(change, item, state, judged and judged.verdict)

        name = self.account.name
        asked = Asked(name, name, place, change.kind, check)
        try:
            state = self._store.append(asked, version=version, event_id=event_id)
        except StaleError as error:
            raise StaleError(str(error), self._view(place, error.view)) from error
        return self._view(place, state)

    def progress(self) -> Progress:
        """How far, how fast, and where to go on."""
        return progress_of(self.account.name, self.queue, self._manifest, self._store)

    def last_change(self) -> Place | None:
        """Where the last change that can be undone was made; ``None`` before any."""
        last = last_standing(self._store.events(self.account.name))
        return last and last.place

    def trace(self, item: str, media_folder: Path | None = None) -> Trace:
        """The item's trace with its media in a new folder (as ``Trace.load``).

        Of a hidden item the model's name is taken out; scores stay, so show no explanation of it.

        Raises:
            InputError: it is not in this queue.
            TraceFileError: the file was damaged since.
        """
        hidden = self.item(item).hidden
        found = Trace.load(trace_path(self._folder, item), media_folder)
        return replace(found, model=_NOBODY) if hidden else found

    def _require(self, item: str, sentence: int = 0) -> None:
        if item not in self.queue:
            raise InputError("This item is not in your queue.")
        if not 0 <= sentence < len(self._manifest.items[item].sentences):
            raise InputError(f"This item has no sentence {sentence + 1}.")

    def _shown(self, place: Place, state: SentenceState) -> Judged | None:
        """What the judge said, if it may be shown."""
        return None if self._hides(state) else self._judged.get(place)

    def _hides(self, state: SentenceState) -> bool:
        return self._manifest.blind and state.first is None

    def _view(self, place: Place, state: SentenceState) -> SentenceView:
        judged = self._shown(place, state)
        return SentenceView(
            place=place,
            text=self._manifest.items[place.item].sentences[place.sentence],
            state=state,
            judge=judged.verdict if judged else None,
            judge_name=judged.name if judged else "",
            hidden=self._hides(state),
        )


def progress_of(name: str, queue: tuple[str, ...], manifest: Manifest, store: Store) -> Progress:
    """An annotator's progress, from the store."""
    events = store.events(name)
    states = {place: state for (_, place), state in replay_all(events).items()}
    counts = [(item, len(manifest.items[item].sentences)) for item in queue]
    return progress(name, counts, states, events)
