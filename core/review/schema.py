"""The store's tables, and how an older store is brought up to date.

Two tables: accounts, and the append-only log of events. A new store gets the tables as they stand
here. A change of schema is made twice: in the tables, for new stores, and as a step at the end of
``STEPS``, for those that exist; steps that were released are never edited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    inspect,
    select,
)

from core.errors import StoreError

metadata = MetaData()

# SQLite numbers only an INTEGER PRIMARY KEY by itself.
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

account = Table(
    "review_account",
    metadata,
    Column("project", String(32), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("secret", String(300), nullable=False),
)
"""``secret``: see ``core.review.passwords``; empty where the name is enough."""

event = Table(
    "review_event",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("project", String(32), nullable=False),
    Column("id", String(64), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("author", String(100), nullable=False),
    Column("item", String(16), nullable=False),
    Column("sentence", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("payload", Text, nullable=False),
    UniqueConstraint("project", "id", name="review_event_once"),
    UniqueConstraint(
        "project", "owner", "item", "sentence", "version", name="review_event_version"
    ),
)
"""The second constraint is what keeps two writers from overwriting each other on any database."""

_schema = Table(
    "review_schema", MetaData(), Column("version", Integer, primary_key=True, autoincrement=False)
)

Step = Callable[[Connection], None]
STEPS: tuple[Step, ...] = ()
"""From version 1 to 2, from 2 to 3, …: none so far."""


def upgrade(connection: Connection, steps: Sequence[Step] = STEPS) -> None:
    """Make an empty store, or take the steps that this one has not seen; the caller's transaction.

    Raises:
        StoreError: the store has seen more steps than there are here.
    """
    _schema.create(connection, checkfirst=True)
    version, newest = _version(connection), 1 + len(steps)
    if version > newest:
        raise StoreError(
            f"The annotators' store has version {version}, written by a newer OmniTrace Explorer; "
            f"this one knows {newest}. Update it; nothing was changed."
        )
    if not version:
        metadata.create_all(connection)
        connection.execute(insert(_schema).values(version=newest))
        return
    for number, step in enumerate(steps[version - 1 :], version + 1):
        step(connection)
        connection.execute(insert(_schema).values(version=number))


def is_current(connection: Connection) -> bool:
    """Whether ``upgrade`` has nothing to do, told without a lock."""
    return inspect(connection).has_table(_schema.name) and _version(connection) == 1 + len(STEPS)


def _version(connection: Connection) -> int:
    return connection.scalar(select(func.max(_schema.c.version))) or 0
