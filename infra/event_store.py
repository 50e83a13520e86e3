"""The event store on SQLite: the event library's recorder with a gapless, durable log.

Differences from the library's own recorder, through its documented extension points: the log
position is a column of its own (an implicit rowid can be handed out again, and VACUUM may
renumber it), a batch is one executemany, and commits are synchronous=FULL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)

from infra.database import MOST_PAGES
from services.fact_store import FactRecorder
from services.intake import Intake, move

_IDS_A_QUERY = 500


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute(f"PRAGMA wal_autocheckpoint={MOST_PAGES}")
            cursor.execute("PRAGMA read_uncommitted=1")  # in memory alone: see open_memory
        return connection


class FactSQLiteRecorder(SQLiteApplicationRecorder, FactRecorder):
    """Stores facts in one table whose `position` is the log."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "facts") -> None:
        super().__init__(datastore, events_table_name)
        self.insert_events_statement = (
            f"INSERT INTO {events_table_name} "
            "(originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )
        self.select_max_notification_id_statement = f"SELECT MAX(position) FROM {events_table_name}"
        self._log = (
            "SELECT position, originator_id, originator_version, topic, state "
            f"FROM {events_table_name} "
        )
        # From one to the next by the index, past the facts in between; ';' follows ':'.
        self._taxpayers = (
            f"WITH RECURSIVE known(id) AS (SELECT MIN(originator_id) FROM {events_table_name} "
            f"UNION ALL SELECT (SELECT MIN(originator_id) FROM {events_table_name} "
            "WHERE originator_id >= substr(known.id, 1, instr(known.id, ':') - 1) || ';') "
            "FROM known WHERE known.id IS NOT NULL) "
            "SELECT substr(id, 1, instr(id, ':') - 1) AS name FROM known WHERE id IS NOT NULL"
        )
        self._beside = (
            f"SELECT name FROM ({self._taxpayers}) WHERE "
            f"EXISTS (SELECT 1 FROM {events_table_name} WHERE originator_id >= name || ':' "
            "AND originator_id < name || ':' || :source || ':') OR "
            f"EXISTS (SELECT 1 FROM {events_table_name} "
            "WHERE originator_id >= name || ':' || :source || ';' AND originator_id < name || ';')"
        )

    def construct_create_table_statements(self) -> list[str]:
        return [
            f"CREATE TABLE IF NOT EXISTS {self.events_table_name} ("
            "position INTEGER PRIMARY KEY AUTOINCREMENT, "
            "originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, "
            "topic TEXT NOT NULL, "
            "state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))"
        ]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], *,
        intake: Intake | None = None, **_: Any,
    ) -> Sequence[int] | None:  # fmt: skip
        """Returns the positions: one writer at a time, so they follow one another.

        What an `intake` says is stored in the same transaction; raises PositionMoved.
        """
        if intake is not None:
            plain: sqlite3.Cursor = c.sqlite_cursor
            move(lambda sql, values: plain.execute(sql.replace("%s", "?"), values), intake)
        c.executemany(
            self.insert_events_statement,
            [(s.originator_id, s.originator_version, s.topic, s.state) for s in stored_events],
        )
        last = c.sqlite_cursor.execute("SELECT last_insert_rowid()").fetchone()[0]
        return range(last + 1 - len(stored_events), last + 1) if stored_events else None

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
        wanted = frozenset(topics)
        where = "WHERE position BETWEEN ? AND ? ORDER BY position"
        if wanted:
            found = self._rows(where, (first, last))
        else:
            found = self._rows(f"{where} LIMIT ?", (first, last, limit))
        rows = (row for row in found if not wanted or row[3] in wanted)
        return [
            Notification(
                id=row[0], originator_id=row[1], originator_version=row[2], topic=row[3],
                state=row[4],
            )
            for row in islice(rows, limit)
        ]  # fmt: skip

    def select_log(self, after: int, limit: int) -> list[tuple[int, str, int, str, bytes]]:
        return self._rows("WHERE position > ? ORDER BY position LIMIT ?", (after, limit))

    def select_prefix(
        self, prefix: str, until: int, after: int = 0
    ) -> list[tuple[int, str, int, str, bytes]]:
        # The plus signs keep it on the index of ids: by position it would walk the whole log.
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = self._rows(
            "WHERE originator_id >= ? AND originator_id < ? AND +position > ? AND +position <= ?",
            (prefix, end, after, until),
        )
        rows.sort()
        return rows

    def select_topics(
        self, topics: Sequence[str], after: int, until: int
    ) -> list[tuple[int, str, int, str, bytes]]:
        marks = ",".join("?" * len(topics))
        where = f"WHERE position > ? AND position <= ? AND topic IN ({marks}) ORDER BY position"
        return self._rows(where, (after, until, *topics))

    def select_streams(self, ids: Sequence[str]) -> list[tuple[str, int, str, bytes]]:
        found: list[tuple[str, int, str, bytes]] = []
        for chunk in _chunks(ids, _IDS_A_QUERY):
            marks = ",".join("?" * len(chunk))
            where = f"WHERE originator_id IN ({marks}) ORDER BY originator_id, originator_version"
            found += [row[1:] for row in self._rows(where, chunk)]
        return found

    def select_taxpayers(self, beside: str = "") -> list[str]:
        with self.datastore.transaction(commit=False) as cursor:
            plain: sqlite3.Cursor = cursor.sqlite_cursor
            plain.row_factory = None
            if beside:
                plain.execute(self._beside, {"source": beside})
            else:
                plain.execute(self._taxpayers)
            return [row[0] for row in plain.fetchall()]

    def _rows(self, where: str, parameters: Sequence[Any]) -> list[Any]:
        with self.datastore.transaction(commit=False) as cursor:
            plain: sqlite3.Cursor = cursor.sqlite_cursor
            plain.row_factory = None
            plain.execute(self._log + where, tuple(parameters))
            return plain.fetchall()


class FactSQLiteFactory(SQLiteFactory):
    """Makes the recorder above; the event library finds it by this module's name."""

    application_recorder_class = FactSQLiteRecorder

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        old = self.datastore
        self.datastore = SQLiteDatastore(db_name=old.pool.db_name, originator_id_type="text")
        self.datastore.pool = _Pool(db_name=old.pool.db_name, lock_timeout=30)
        old.close()


def _chunks(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])
