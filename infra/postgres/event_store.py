"""The log of facts on PostgreSQL: the event library's recorder over one append function.

Differences from the library's own recorder, through its documented extension points: a batch is
one call of `thresher_append` (migrations), which serialises writers of a shard and numbers
positions without gaps, so that a reader that tails the log can miss nothing; it sends no NOTIFY,
which would serialise all commits of the server; and tables are made by `thresher migrate` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    InterfaceError,
    Notification,
    OperationalError,
    StoredEvent,
)
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresFactory,
)
from eventsourcing.utils import retry
from psycopg.errors import LockNotAvailable
from psycopg.rows import tuple_row

from domain.errors import ThresherError
from infra.postgres.place import STILL_SECONDS, WATCHED, connection_parts
from infra.postgres.shards import shard_of
from projections.rows import array
from services.fact_store import FactRecorder
from services.intake import Intake, move

_NAMED = ("dbname", "host", "port", "user", "password")
Row = tuple[int, str, int, str, bytes]
_LOG = "SELECT position, originator_id, originator_version, topic, state FROM facts "
# The states go as one piece with where each starts: as an array each byte would be written in hex,
# escaped and read again.
_APPEND = """
SELECT thresher_append(%s, %s::text[], %s::bigint[], %s::text[], ARRAY(
    SELECT substring(%s::bytea FROM start FOR length)
    FROM unnest(%s::integer[], %s::integer[]) WITH ORDINALITY AS t(start, length, n) ORDER BY n
)) AS last
"""


class LogHeld(ThresherError):
    """Another process holds the head of the log for longer than appending takes."""


class FactPostgresRecorder(PostgresApplicationRecorder, FactRecorder):
    """Facts of one shard; their `position` in it is the log."""

    def __init__(self, datastore: PostgresDatastore, **_: Any) -> None:
        super().__init__(datastore, events_table_name="facts")
        self.shard, self.shards = 0, 1

    def owns(self, taxpayer: str) -> bool:
        return shard_of(taxpayer, self.shards) == self.shard

    def create_table(self) -> None:
        """Nothing: the schema is made by `thresher migrate`."""

    @retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, intake: Intake | None = None, **_: Any
    ) -> Sequence[int] | None:
        """Appends a batch in one transaction; returns its positions. Raises IntegrityError if one
        version is there.

        With an `intake`, how far its stream was read moves in the same transaction; raises
        PositionMoved if it was moved by someone else. After a lost connection it tries again: a
        batch that was stored then raises as well, and the ledger looks before it calls anything
        known. Raises LogHeld after one wait for the lock: ten of them would be minutes.
        """
        lengths = [len(event.state) for event in stored_events]
        columns = (
            array(event.originator_id for event in stored_events),
            array(event.originator_version for event in stored_events),
            array(event.topic for event in stored_events),
            b"".join([event.state for event in stored_events]),
            array(accumulate(lengths[:-1], initial=1)),
            array(lengths),
        )
        with self.datastore.transaction(commit=True) as cursor:
            if intake is not None:
                move(cursor.execute, intake)
            if not stored_events:
                return None
            try:
                cursor.execute(_APPEND, (self.shard, *columns), prepare=True)
            except LockNotAvailable as error:
                raise LogHeld(
                    f"the log of shard {self.shard} is held by another process: run it again when "
                    "that one has ended"
                ) from error
            last: int = cursor.fetchall()[0]["last"]
        return range(last + 1, last + 1 + len(stored_events))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The library's contract, on our position column."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        last = stop if stop is not None else (1 << 62)
        where = "position BETWEEN %s AND %s"
        parameters: list[Any] = [first, last]
        if topics:
            where += " AND topic = ANY(%s)"
            parameters.append(list(topics))
        rows = self._rows(f"{where} ORDER BY position LIMIT %s", [*parameters, limit])
        return [
            Notification(
                id=row[0], originator_id=row[1], originator_version=row[2], topic=row[3],
                state=row[4],
            )
            for row in rows
        ]  # fmt: skip

    def max_notification_id(self) -> int | None:
        """The last position of the shard; None when it is empty."""
        found = self._all("SELECT max(position) FROM facts WHERE shard = %s", [self.shard])
        last: int | None = found[0][0]
        return last

    def select_log(self, after: int, limit: int) -> list[Row]:
        return self._rows("position > %s ORDER BY position LIMIT %s", [after, limit])

    def select_prefix(self, prefix: str, until: int, after: int = 0) -> list[Row]:
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        where = (
            "originator_id >= %s AND originator_id < %s AND position > %s AND position <= %s "
            "ORDER BY position"
        )
        return self._rows(where, [prefix, end, after, until])

    def select_topics(self, topics: Sequence[str], after: int, until: int) -> list[Row]:
        where = "position > %s AND position <= %s AND topic = ANY(%s) ORDER BY position"
        return self._rows(where, [after, until, list(topics)])

    def select_streams(self, ids: Sequence[str]) -> list[tuple[str, int, str, bytes]]:
        where = "originator_id = ANY(%s::text[]) ORDER BY originator_id, originator_version"
        return [row[1:] for row in self._rows(where, [array(ids)])]

    def select_taxpayers(self, beside: str = "") -> list[str]:
        """One step of the index for each taxpayer, however many facts it has; three if beside."""
        if beside:
            return [row[0] for row in self._all(_TAXPAYERS + _BESIDE, [beside, beside])]
        return [row[0] for row in self._all(_TAXPAYERS, [])]

    def _rows(self, where: str, parameters: list[Any]) -> list[Row]:
        rows: list[Row] = self._all(
            f"{_LOG} WHERE shard = %s AND {where}", [self.shard, *parameters]
        )
        return rows

    @retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
    def _all(self, query: str, parameters: list[Any]) -> list[Any]:
        with self.datastore.get_connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row, binary=True)
            rows: list[Any] = cursor.execute(query, parameters, prepare=True).fetchall()
            return rows


_TAXPAYERS = """
WITH RECURSIVE found AS (
    (SELECT split_part(originator_id, ':', 1) AS name FROM facts
     ORDER BY originator_id LIMIT 1)
    UNION ALL
    SELECT (SELECT split_part(originator_id, ':', 1) FROM facts
            WHERE originator_id >= found.name || ';'
            ORDER BY originator_id LIMIT 1)
    FROM found WHERE found.name IS NOT NULL
)
SELECT name FROM found WHERE name IS NOT NULL
"""  # ';' follows ':'
_BESIDE = """
AND (EXISTS (SELECT 1 FROM facts WHERE originator_id >= found.name || ':'
             AND originator_id < found.name || ':' || %s || ':')
     OR EXISTS (SELECT 1 FROM facts WHERE originator_id >= found.name || ':' || %s || ';'
                AND originator_id < found.name || ';'))
"""


class _Datastore(PostgresDatastore):
    """Connections that the server looks after. Between the statements of an append nothing is
    computed: one that stands still there is of a process that does."""

    def after_connect_func(self) -> Callable[[psycopg.Connection[Any]], None]:
        prepare = super().after_connect_func()

        def after_connect(connection: psycopg.Connection[Any]) -> None:
            prepare(connection)
            connection.execute(WATCHED)

        return after_connect


class FactPostgresFactory(PostgresFactory):
    """Makes the recorder above; the event library finds it by this module's name."""

    application_recorder_class = FactPostgresRecorder

    def __init__(self, env: Any) -> None:
        parts = connection_parts(env["POSTGRES_URL"])
        # What the library insists on; libpq knows better what it is where the URL says nothing.
        named = {name: parts.get(name, "") for name in _NAMED}
        env.update({f"POSTGRES_{name.upper()}": value for name, value in named.items()})
        super().__init__(env)
        self.datastore.close()
        self.datastore = _Datastore(
            *named.values(), originator_id_type="text", pool_size=1, max_overflow=4,
            idle_in_transaction_session_timeout=STILL_SECONDS,
        )  # fmt: skip
        known = self.datastore.pool.kwargs
        assert isinstance(known, dict)
        for name in _NAMED:
            known.pop(name)
        known.update(parts)  # before the pool opens its first connection

    def application_recorder(self) -> ApplicationRecorder:
        recorder = super().application_recorder()
        assert isinstance(recorder, FactPostgresRecorder)
        recorder.shard, recorder.shards = int(self.env["SHARD"]), int(self.env["SHARDS"])
        return recorder
