"""The two ways into the read-model database: transactions that read, transactions that write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

Clock = Callable[[], datetime]
Begin = Callable[[Engine], AbstractContextManager[Connection]]
# The server looks after the connection of who holds it: a machine that is gone lets go, too.
_ALONE = text("""SELECT pg_try_advisory_xact_lock(hashtext('thresher.alone'), hashtext(:what)),
set_config('tcp_keepalives_idle', '10', true), set_config('tcp_keepalives_interval', '5', true)""")
# The last statement of a transaction that then stands still: a query would keep its snapshot.
_AND_WAIT = text("SET LOCAL tcp_keepalives_count = 3")


class Through:
    """What has the machine write what was committed, so that a crash of the machine, not of the
    process, loses nothing; here nothing, for where each commit does it, or none can.
    """

    def flush(self) -> None:
        """Has it written by now."""

    def stored(self, marks: int, *, is_written: bool) -> None:
        """So many marks were committed; `is_written`: and then facts, which write all before."""

    def close(self) -> None:
        """Waits for what is still being written."""


NOTHING_TO_DO = Through()


@dataclass(frozen=True, slots=True)
class Database:
    """Engines on one database: `reader` never takes a write lock, the others take theirs at once.

    `writer` is for the tables of one shard of the log, `marks` for the marks, which all share. On a
    file they are the same. `begin`: a transaction that commits at its end, or rolls back.
    """

    reader: Engine
    writer: Engine
    marks: Engine
    through: Through = NOTHING_TO_DO
    begin: Begin = Engine.begin

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with self.begin(self.reader) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed at the end."""
        with self.begin(self.writer) as connection:
            yield connection

    @contextmanager
    def writing_marks(self) -> Iterator[Connection]:
        """The same for marks and held quotes: they are numbered in the order of commits."""
        with self.begin(self.marks) as connection:
            yield connection

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Whether nobody else is at `what`; then nobody comes to it before the end.

        On a server only: the lock is of a transaction, so that whoever is killed, or whose machine
        is gone, has let go of it. A file belongs to the processes of one person: always true.
        It may take hours, so it keeps no snapshot: the server could clean up nothing meanwhile.
        """
        if self.reader.dialect.name != "postgresql":
            yield True
            return
        with self.reader.execution_options(isolation_level="READ COMMITTED").begin() as connection:
            is_alone = bool(connection.execute(_ALONE, {"what": what}).scalar_one())
            connection.execute(_AND_WAIT)
            yield is_alone
