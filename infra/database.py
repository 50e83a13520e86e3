"""SQLite for the read models, in the ledger's own file: one writer at a time, WAL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from infra.older_files import renew
from services.database import Database

_WRITES = "thresher_writes"
# How much of the write-ahead log is let wait for `Database.checkpoint`, in pages, if nobody calls.
MOST_PAGES = 4_000
# The last is for a store in memory alone.
_PRAGMAS = (
    "journal_mode=WAL", "busy_timeout=30000", f"wal_autocheckpoint={MOST_PAGES}",
    "read_uncommitted=1",
)  # fmt: skip


def open_database(path: Path, *, is_there: bool = False) -> Database:
    """The database at `path`, made if need be; with `is_there` a missing file is an error of use.

    Marks commit with synchronous=FULL, as facts do. Read models with NORMAL: the write-ahead log
    keeps the order of all, so a read model can never be ahead of its facts.
    """
    if is_there:
        return _opened(create_engine(f"sqlite:///file:{quote(str(path))}?mode=rw&uri=true"))
    path.parent.mkdir(parents=True, exist_ok=True)
    database = _opened(create_engine(f"sqlite:///{path}"))
    renew(database)
    return database


def open_memory(uri: str) -> Database:
    """A database in memory (`Settings.memory`): whoever opens it in this process has the same.

    Without a write-ahead log, readers do not wait for a writer but see what it is at.
    """
    return _opened(create_engine(f"sqlite:///{uri}&uri=true", poolclass=QueuePool))


def _opened(engine: Engine) -> Database:
    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options: Any = connection.get_execution_options()
        synchronous = options.get(_WRITES)
        plain: Any = connection.connection.driver_connection  # a quarter of a statement's cost
        if synchronous is None:
            plain.execute("BEGIN")
            return
        if connection.info.get(_WRITES) != synchronous:
            plain.execute(f"PRAGMA synchronous={synchronous}")
            connection.info[_WRITES] = synchronous
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # may find it locked

    writer = engine.execution_options(**{_WRITES: "NORMAL"})
    marks = engine.execution_options(**{_WRITES: "FULL"})
    return Database(reader=engine, writer=writer, marks=marks)
