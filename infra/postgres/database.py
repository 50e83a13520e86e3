"""PostgreSQL for the read models and permanent tables, beside the log in one database.

Text is compared byte by byte (`C`) and integers have 64 bits, as in SQLite: the same query has
the same answer, and a digest is the same, on both.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Integer, Text, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles

from infra.postgres.place import WATCHED, engine_url
from services.database import Database

_WRITES = "thresher_writes"
# One writer at a time of a shard's tables, as in SQLite, and one of the marks: they get their ids
# in the order in which they commit.
_LOCK = (
    "SELECT set_config('lock_timeout', '30s', true), pg_advisory_xact_lock(hashtext('thresher.{}'))"
)
_STILL = ", set_config('idle_in_transaction_session_timeout', '{}s', true)"
_MARKS = "marks"


@compiles(Text, "postgresql")
def _text(_type: Text, _compiler: Any, **_: Any) -> str:
    return 'TEXT COLLATE "C"'


@compiles(Integer, "postgresql")
def _integer(_type: Integer, compiler: Any, **options: Any) -> str:
    return str(compiler.visit_BIGINT(BigInteger(), **options))


def open_database(url: str, *, reconnects: bool = True, still_seconds: int = 0) -> Database:
    """The database at `url`. Readers see one snapshot; a writer holds its lock from its start.

    `reconnects`: each transaction first asks whether its connection still stands. A worker, which
    ends when it does not, saves the question. `still_seconds`: a writer that says nothing for so
    long loses its lock and its connection; 0: it may compute for as long as it takes. Only of
    writers: a relay that sends alone stands still for hours.
    """
    lock = _LOCK + (_STILL.format(still_seconds) if still_seconds else "")
    engine = create_engine(
        engine_url(url),
        isolation_level="REPEATABLE READ",
        pool_pre_ping=reconnects,
        pool_size=2,
        paramstyle="format",
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: object) -> None:
        connection.cursor().execute(WATCHED)
        connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options: Any = connection.get_execution_options()
        if options.get(_WRITES):
            connection.exec_driver_sql(lock.format(options[_WRITES]))

    return of_shard(engine, 0)


def of_shard(engine: Engine, shard: int) -> Database:
    """The same database, where a writer holds the lock of that shard."""
    return Database(
        reader=engine, writer=_writer(engine, f"shard.{shard}"), marks=_writer(engine, _MARKS)
    )


def _writer(engine: Engine, lock: str) -> Engine:
    return engine.execution_options(**{_WRITES: lock, "isolation_level": "READ COMMITTED"})
