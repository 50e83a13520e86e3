"""SQLite for the read models, in the ledger's own file: one writer at a time, WAL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from infra.kept import Kept
from infra.older_files import renew
from infra.write_through import WriteThrough
from projections.schema import errors_as_known
from services.database import Database

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
        return _of_file(name, log)
    path.parent.mkdir(parents=True, exist_ok=True)
    database = _of_file(str(path), log)
    renew(database)
    return database


def open_memory(uri: str) -> Database:
    """A database in memory (`Settings.memory`): whoever opens it in this process has the same.

    Without a write-ahead log, readers do not wait for a writer but see what it is at.
    """
    engine = create_engine(f"sqlite:///{uri}&uri=true", poolclass=QueuePool)
    reader, writer = _engines(engine)
    return Database(reader, writer, marks=writer)


def _of_file(name: str, log: Path) -> Database:
    # As many connections as there are threads: each keeps two.
    reader, writer = _engines(create_engine(f"sqlite:///{name}", max_overflow=-1))
    kept = Kept()
    event.listen(reader, "engine_disposed", lambda _: kept.close())
    return Database(reader, writer, writer, WriteThrough(reader, log), kept.begin)


def _engines(engine: Engine) -> tuple[Engine, Engine]:
    """For reading, and for writing, on the same pool."""

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

    return engine, engine.execution_options(**{_WRITES: True})
