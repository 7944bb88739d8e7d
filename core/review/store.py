"""The store: accounts and the append-only log of events, in any database that SQLAlchemy speaks.

A call that returns has been committed and is on the disk; one that raises has written nothing.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Row, Select, delete, insert, select
from sqlalchemy.exc import IntegrityError

from core.errors import InputError, OmniTraceError, StaleError, StoreError
from core.review import schema
from core.review.database import explained, open_engine
from core.review.records import Account, Event, Place, SentenceState
from core.review.state import replay

_ACCOUNT, _EVENT = schema.account.c, schema.event.c


class Asked(NamedTuple):
    """An event that somebody asks for.

    Attributes:
        owner, author, place, kind: see ``Event``.
        check: state before it → payload to be kept; raises ``InputError`` where it does not fit.
            Called inside the transaction, so what it was told still holds when the event is kept.
    """

    owner: str
    author: str
    place: Place
    kind: str
    check: Callable[[SentenceState], Mapping[str, Any]]


def new_id() -> str:
    """An event id: 32 random hexadecimal digits."""
    return uuid.uuid4().hex


class Store:
    """One project's accounts and events; safe to share between threads.

    Args:
        url: SQLAlchemy's; several projects may share a database.
        project: id of the project.

    Raises:
        InputError: the URL cannot be understood.
        StoreError: the database cannot be reached, or is newer than this version.
    """

    def __init__(self, url: str | URL, project: str) -> None:
        self._project = project
        self._engine = open_engine(url)
        self._writing = self._engine.execution_options(writes=True)
        try:
            with explained():
                with self._engine.connect() as connection:
                    current = schema.is_current(connection)
                if not current:
                    with self._writing.begin() as connection:
                        schema.upgrade(connection)
        except OmniTraceError:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def append(self, asked: Asked, *, version: int, event_id: str) -> SentenceState:
        """Write one event; return the state after it.

        An event id that is known is not written again: the state as it is now is returned.

        Raises:
            StaleError: ``version`` is not the state's; its ``view`` is the ``SentenceState``.
            InputError: refused by the check, or the id stands for another event.
            StoreError: nothing was written.
        """
        if not 1 <= len(event_id) <= 64:
            raise InputError("An event id has 1 to 64 characters.")

        def attempt() -> SentenceState:
            with self._writing.begin() as connection:
                return self._append(connection, asked, version, event_id)

        with explained():
            try:
                return attempt()
            except IntegrityError:
                # Where a transaction takes no lock before it reads (not SQLite), another writer
                # can come between. Its event stands now: this finds the id known, or is stale.
                return attempt()

    def extend(self, asked: Iterable[Asked]) -> None:
        """Write many events, all or none, whatever the versions: for imports.

        Raises:
            InputError: a check refused.
            StoreError: nothing was written.
        """
        with explained(), self._writing.begin() as connection:
            for one in asked:
                version = replay(self._thread(connection, one.owner, one.place)).version
                self._append(connection, one, version, new_id())

    def events(self, owner: str | None = None, item: str | None = None) -> tuple[Event, ...]:
        """The log in the order of writing; of one owner, of one item, or all."""
        wanted = self._events()
        if owner is not None:
            wanted = wanted.where(_EVENT.owner == owner)
        if item is not None:
            wanted = wanted.where(_EVENT.item == item)
        with explained(), self._engine.connect() as connection:
            return tuple(map(_event, connection.execute(wanted.order_by(_EVENT.seq))))

    def state(self, owner: str, place: Place) -> SentenceState:
        """What an owner's events on a sentence amount to."""
        with explained(), self._engine.connect() as connection:
            return replay(self._thread(connection, owner, place))

    def accounts(self) -> tuple[Account, ...]:
        """Of this project, by name."""
        wanted = select(_ACCOUNT.name, _ACCOUNT.role).where(_ACCOUNT.project == self._project)
        with explained(), self._engine.connect() as connection:
            return tuple(
                Account(*row) for row in connection.execute(wanted.order_by(_ACCOUNT.name))
            )

    def secret(self, name: str) -> tuple[Account, str] | None:
        """An account and what is kept of its password; ``None`` if there is no such account."""
        wanted = select(schema.account).where(
            _ACCOUNT.project == self._project, _ACCOUNT.name == name
        )
        with explained(), self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else (Account(row.name, row.role), row.secret)

    def put_account(self, account: Account, secret: str) -> None:
        """Add an account, or put it in the place of the one with this name."""
        same = _ACCOUNT.project == self._project, _ACCOUNT.name == account.name
        values = {"project": self._project, "secret": secret, **vars(account)}
        with explained(), self._writing.begin() as connection:
            connection.execute(delete(schema.account).where(*same))
            connection.execute(insert(schema.account).values(values))

    def backup(self, path: Path) -> None:
        """Copy a SQLite store, whole and consistent, while others read and write.

        Raises:
            InputError: the store is no SQLite file.
            StoreError: the copy cannot be written.
        """
        if self._engine.dialect.name != "sqlite":
            raise InputError(
                f"This store is a {self._engine.dialect.name} database: back it up with the tools "
                "of that database."
            )
        draft = path.with_name(f"{path.name}.part")
        try:
            with (
                explained(),
                self._engine.connect() as connection,
                contextlib.closing(sqlite3.connect(draft)) as copy,
            ):
                connection.connection.driver_connection.backup(copy)
            draft.replace(path)
        except OSError as error:
            raise StoreError(f"The backup {path.name!r} cannot be written.") from error
        finally:
            draft.unlink(missing_ok=True)

    def _append(
        self, connection: Connection, asked: Asked, version: int, event_id: str
    ) -> SentenceState:
        owner, author, place, kind, check = asked
        # The thread first: read after the ids, it could hold this very event, sent twice at once.
        thread = self._thread(connection, owner, place)
        wanted = self._events().where(_EVENT.id == event_id)
        known = connection.execute(wanted).one_or_none()
        if known is not None:
            found = _event(known)
            if (found.owner, found.author, found.place, found.kind) != asked[:4]:
                raise InputError("This event id stands for another change: make one for each.")
            return replay(self._thread(connection, owner, place))
        state = replay(thread)
        if state.version != version:
            raise StaleError(
                "This sentence was changed meanwhile, in another tab or by somebody else. It is "
                "shown as it is now; make your change again if it is still wanted.",
                state,
            )
        made = Event(event_id, owner, author, place, version + 1, time.time(), kind, check(state))
        connection.execute(insert(schema.event).values(project=self._project, **_columns(made)))
        return replay([*thread, made])

    def _thread(self, connection: Connection, owner: str, place: Place) -> list[Event]:
        wanted = self._events().where(
            _EVENT.owner == owner, _EVENT.item == place.item, _EVENT.sentence == place.sentence
        )
        return list(map(_event, connection.execute(wanted.order_by(_EVENT.version))))

    def _events(self) -> Select[Any]:
        return select(schema.event).where(_EVENT.project == self._project)


def _event(row: Row[Any]) -> Event:
    place, payload = Place(row.item, row.sentence), json.loads(row.payload)
    return Event(row.id, row.owner, row.author, place, row.version, row.time, row.kind, payload)


def _columns(made: Event) -> dict[str, Any]:
    """``payload`` is ASCII: PostgreSQL keeps no NUL character, and a note may hold one."""
    return {
        "id": made.id,
        "owner": made.owner,
        "author": made.author,
        "item": made.place.item,
        "sentence": made.place.sentence,
        "version": made.version,
        "time": made.time,
        "kind": made.kind,
        "payload": json.dumps(made.payload),
    }
