"""The database under the store: how it is opened, and its failures in words for people."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from core.errors import InputError, StoreError

BUSY_SECONDS = 5.0
"""How long SQLite waits for another program's lock; ``?timeout=`` in a URL overrides it."""

_KEPT = "Nothing of this change was written; everything saved before it is safe."
_TOLD = (
    (
        ("locked", "busy"),
        f"The annotators' store is locked by another program. {_KEPT} Try again in a moment.",
    ),
    (
        ("full", "disk I/O", "No space"),
        f"The disk of the annotators' store is full. {_KEPT} Free some space and try again.",
    ),
    (
        ("readonly", "unable to open"),
        f"The annotators' store cannot be opened for writing. {_KEPT} Check its folder's rights.",
    ),
)
"""What a database's message holds → what a person is told."""

_OTHERWISE = f"The annotators' store cannot be used. {_KEPT} The server's log says why."
_log = logging.getLogger(__name__)


def open_engine(url: str | URL) -> Engine:
    """An engine whose transactions are durable when they end.

    SQLite runs with a write-ahead log and ``synchronous=FULL``. A transaction that will write has
    the execution option ``writes``: it takes the lock before it reads, so that what it read still
    holds when it writes.

    Raises:
        InputError: the URL cannot be understood, or its driver is not installed.
    """
    try:
        made = make_url(url)
        if made.get_backend_name() != "sqlite":
            return create_engine(made, pool_pre_ping=True)
        waits = {} if "timeout" in made.query else {"timeout": BUSY_SECONDS}
        engine = create_engine(made, connect_args=waits)
    except (ArgumentError, SQLAlchemyError, ModuleNotFoundError) as error:
        raise InputError(
            "The store's URL is none that SQLAlchemy understands here. For PostgreSQL write "
            "postgresql+psycopg://…, after pip install -r core/review/requirements.txt."
        ) from error
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """The database's failures become ``StoreError``."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        told = str(error.orig if isinstance(error, DBAPIError) else error)
        for words, message in _TOLD:
            if any(word in told for word in words):
                raise StoreError(message) from error
        _log.exception("annotators' store")
        raise StoreError(_OTHERWISE) from error


def _configure(connection: sqlite3.Connection, _: object) -> None:
    # Python's driver begins transactions when it sees fit; here SQLAlchemy says when (``_begin``).
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
