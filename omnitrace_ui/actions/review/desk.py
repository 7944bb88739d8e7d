"""What an annotator asks for: the own queue, its items, their media; and what is written down."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError, StaleError
from core.review import Desk, LeadDesk, Place, SentenceView
from omnitrace_ui.actions.review.bench import Bench, Shown
from omnitrace_ui.actions.review.sessions import Signed
from omnitrace_ui.views.review import (
    item_value,
    place_value,
    progress_value,
    sentence_value,
)
from omnitrace_ui.views.review_events import GivenEvent, read_events
from omnitrace_ui.views.wire import JSON, clean

STALE = (
    "This sentence was changed elsewhere in the meantime, perhaps in another tab. It is shown as "
    "it is now; what you did last to it was not taken: look, and do it again if it is still right."
)
AFTER_REFUSED = "Not done, because the change before it was not taken."
_TELLING = {"accept", "commit", "undo"}
"""Changes that may move the progress; counting it after every click would be felt."""


class ReviewDesk:
    """Handlers of every annotator; a lead writes through it too."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def me(self, who: Signed) -> JSON:
        """Who is signed in, and for an annotator the queue and where to go on."""
        project = self._bench.project(who.project)
        value: JSON = {
            "name": clean(who.account.name),
            "role": who.account.role,
            "project": clean(who.project),
            "title": clean(project.name),
            "blind": project.blind,
            "queue": [],
            "progress": None,
            "resume": None,
        }
        if who.account.role == "annotator":
            desk = project.desk(who.account)
            progress = desk.progress()
            value["queue"] = list(desk.queue)
            value["progress"] = progress_value(progress)
            value["resume"] = place_value(progress.resume)
        return value

    def item(self, who: Signed, item: str) -> JSON:
        """One item of the own queue.

        Raises:
            InputError: it is not in it.
            AccessError: a lead has none.
        """
        desk = self._desk(who)
        view = desk.item(item)
        return item_value(view, self._shown(who, item, desk).value)

    def media(self, who: Signed, item: str, part: int) -> Path:
        """The file of a part of an item that this person may see.

        Raises:
            InputError: there is none.
        """
        own = self.writer(who)
        known = own.queue if isinstance(own, Desk) else self._bench.project(who.project).items
        if item not in known:
            raise InputError("There is no such item in your queue.")
        path = self._shown(who, item, own).files.get(part)
        if path is None:
            raise InputError(f"Part {part + 1} of this item has no file.")
        return path

    def last(self, who: Signed) -> JSON:
        """``{"place"}`` of the last change that can be undone, on whatever machine it was made."""
        return {"place": place_value(self._desk(who).last_change())}

    def write(self, who: Signed, payload: object) -> JSON:
        """Make changes, in their order; what is answered without a problem is on disk.

        After a change that was not taken, later ones to the same sentence are not made either:
        they were meant for a sentence that is not as the browser thought.

        Raises:
            InputError: it is not what our page sends.
            StoreError: nothing of the change at hand was written; all may be sent again.
        """
        desk, refused = self.writer(who), set[Place]()
        events = read_events(payload)
        answers = []
        for event in events:
            view, problem = None, AFTER_REFUSED
            if event.place not in refused:
                view, problem = _write(desk, event)
            if problem:
                refused.add(event.place)
            answers.append(_answer(event, view, problem))
        if isinstance(desk, Desk) and _TELLING & {event.change.kind for event in events}:
            answers[-1]["progress"] = progress_value(desk.progress())
        return {"answers": answers}

    def writer(self, who: Signed) -> Desk | LeadDesk:
        """The desk that belongs to the person's role."""
        project = self._bench.project(who.project)
        return project.lead(who.account) if who.account.role == "lead" else self._desk(who)

    def _desk(self, who: Signed) -> Desk:
        return self._bench.project(who.project).desk(who.account)

    def _shown(self, who: Signed, item: str, desk: Desk | LeadDesk) -> Shown:
        return self._bench.shown(who.project, item, lambda folder: desk.trace(item, folder))


def _write(desk: Desk | LeadDesk, event: GivenEvent) -> tuple[SentenceView | None, str]:
    """The sentence afterwards, and why the change was not taken, if it was not."""
    try:
        view = desk.write(event.place, event.change, version=event.version, event_id=event.id)
    except StaleError as stale:
        return stale.view, STALE
    except InputError as error:
        try:
            return desk.sentence(event.place), str(error)
        except InputError:
            return None, str(error)
    return view, ""


def _answer(event: GivenEvent, view: SentenceView | None, problem: str) -> JSON:
    return {
        "id": event.id,
        "item": event.place.item,
        "sentence": event.place.sentence,
        "view": None if view is None else sentence_value(view),
        "problem": clean(problem),
    }
