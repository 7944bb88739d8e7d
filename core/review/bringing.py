"""Verdicts from a file into the store: never over somebody's work, all or none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace as changed
from typing import NamedTuple

from core.errors import InputError
from core.review.changes import Change, commit, replace
from core.review.checking import checked
from core.review.export import Said, newest
from core.review.manifest import Manifest
from core.review.records import GOLD, Item, Place, SentenceState, Verdict
from core.review.state import replay_all
from core.review.store import Asked, Store


class Imported(NamedTuple):
    """What became of the verdicts of a file.

    Attributes:
        added: written and committed.
        same: committed here already, just so.
        kept: their owner has been at work on that sentence here; left as it is.
        unknown: of a sentence that this project does not have.
        empty: said nothing.
    """

    added: int
    same: int
    kept: int
    unknown: int
    empty: int


def bring_in(
    said: Iterable[Said],
    manifest: Manifest,
    store: Store,
    *,
    annotators: Collection[str],
    author: str,
) -> Imported:
    """Write and commit verdicts where their owners have not begun.

    ``accepted`` is not taken over: whether a verdict was the judge's is known where it was made.

    Raises:
        InputError: an owner is no annotator here, or a verdict does not fit its item; nothing is
            written then.
        StoreError: nothing was written.
    """
    verdicts = newest(said)
    strangers = sorted({owner for owner, _ in verdicts} - {GOLD, *annotators})
    if strangers:
        raise InputError(
            f"Nobody here is called {', '.join(map(repr, strangers[:5]))}: add them with "
            "`core review adduser`, or say with --as who is meant."
        )
    states = replay_all(store.events())
    asked: list[Asked] = []
    counts = dict.fromkeys(Imported._fields, 0)
    for (owner, place), one in verdicts.items():
        fate = _fate(one, manifest, states.get((owner, place), SentenceState()))
        counts[fate] += 1
        if fate == "added":
            item = manifest.items[place.item]
            changes = (replace(one.verdict), commit())
            asked += [_asked(owner, author, place, item, change) for change in changes]
    store.extend(asked)
    return Imported(**counts)


def _fate(one: Said, manifest: Manifest, state: SentenceState) -> str:
    item = manifest.items.get(one.place.item)
    sentences = item.sentences if item else ()
    if one.place.sentence >= len(sentences) or sentences[one.place.sentence] != one.text:
        return "unknown"
    if one.verdict.is_empty and not (one.verdict.unsure or one.verdict.bad):
        return "empty"
    if state.committed is not None and _bare(state.committed) == _bare(one.verdict):
        return "same"
    return "kept" if state.version else "added"


def _bare(verdict: Verdict) -> Verdict:
    return changed(verdict, accepted=False)


def _asked(owner: str, author: str, place: Place, item: Item, change: Change) -> Asked:
    def check(state: SentenceState) -> Mapping[str, object]:
        try:
            return checked(change, item, state, None)
        except InputError as error:
            where = f"{owner}, {item.title}, sentence {place.sentence + 1}"
            raise InputError(f"{where}: {error} Nothing was imported.") from error

    return Asked(owner, author, place, change.kind, check)
