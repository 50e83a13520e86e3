"""SQLite for the read models, in the ledger's own file: one writer at a time, WAL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from infra.older_files import renew
from infra.write_through import WriteThrough
from projections.schema import errors_as_known
from services.database import NOTHING_TO_DO, Database

_WRITES = "thresher_writes"
# How much of the write-ahead log is let wait to be copied beside the work, in pages.
MOST_PAGES = 50_000
# The last is for a store in memory alone.
_PRAGMAS = (
    "journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000",
    f"wal_autocheckpoint={MOST_PAGES}",
    "read_uncommitted=1",
)  # fmt: skip


def open_database(path: Path, *, is_there: bool = False) -> Database:
    """The database at `path`, made if need be; with `is_there` a missing file is an error of use.

    Commits are synchronous=NORMAL: a crash of the process loses none, one of the machine those
    since the last flush. Those of facts are FULL and flush all that came before: the write-ahead
    log keeps the order of all, so that neither marks nor read models can be ahead of them. Who
    stores marks, and then no fact, flushes.
    """
    real = path.resolve()  # SQLite keeps the log beside that
    log = real.with_name(real.name + "-wal")
    if is_there:
        name = f"file:{quote(str(path))}?mode=rw&uri=true"
        return _opened(create_engine(f"sqlite:///{name}"), log)
    path.parent.mkdir(parents=True, exist_ok=True)
    database = _opened(create_engine(f"sqlite:///{path}"), log)
    renew(database)
    return database


def open_memory(uri: str) -> Database:
    """A database in memory (`Settings.memory`): whoever opens it in this process has the same.

    Without a write-ahead log, readers do not wait for a writer but see what it is at.
    """
    return _opened(create_engine(f"sqlite:///{uri}&uri=true", poolclass=QueuePool))


def _opened(engine: Engine, log: Path | None = None) -> Database:
    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        plain: Any = connection.connection.driver_connection  # a quarter of a statement's cost
        writes = connection.get_execution_options().get(_WRITES)
        try:
            with errors_as_known("BEGIN"):
                plain.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        except BaseException:
            plain.rollback()  # whatever came after it began
            raise

    writer = engine.execution_options(**{_WRITES: True})
    through = NOTHING_TO_DO if log is None else WriteThrough(engine, log)
    return Database(reader=engine, writer=writer, marks=writer, through=through)
