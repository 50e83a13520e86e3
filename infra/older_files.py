"""SQLite files of earlier versions: their permanent tables become those of now, once."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, text

from services.database import Database
from services.tables import MARKS, OUTBOX

_MARKS_AS_MADE = text("SELECT sql FROM sqlite_master WHERE name = 'marks'")
_OUTBOX_COLUMNS = text("SELECT name FROM pragma_table_info('outbox')")
# Of one instant the order of the log. A digest has no fact: it is after what it was made of.
_OUTBOX_ROWS = """
INSERT INTO outbox ({columns}, severity)
SELECT {columns}, CASE WHEN instr(payload, '"severity":"urgent"') THEN 'urgent' ELSE 'notice' END
FROM old_outbox LEFT JOIN facts ON originator_version = 1
AND originator_id = taxpayer || ':thresher:alert' || substr(key, length(taxpayer) + 1)
ORDER BY created_at, position IS NULL, position, length(key), key, channel
"""


def renew(database: Database) -> None:
    """Copies the rows of tables that are of an earlier version into those of now."""
    for is_old, copy in _TABLES:
        with database.reading() as connection:
            if not is_old(connection):
                continue
        with database.writing() as connection:
            if is_old(connection):  # else another process was faster
                copy(connection)


def _has_old_marks(connection: Connection) -> bool:
    """Whether a price can be stored only once of an asset, instant, source and kind: a mark could
    not be corrected back. Files from before the spans of decision 0028 are of that kind too."""
    return "UNIQUE" in (connection.scalar(_MARKS_AS_MADE) or "")


def _copy_marks(connection: Connection) -> None:
    """Same rows, same ids; their spans are made anew as rows enter."""
    connection.exec_driver_sql("DROP TRIGGER IF EXISTS marks_have_spans")
    connection.exec_driver_sql("DROP TABLE IF EXISTS mark_spans")
    connection.exec_driver_sql("ALTER TABLE marks RENAME TO old_marks")
    MARKS.create(connection)
    names = ", ".join(MARKS.columns.keys())
    connection.exec_driver_sql(
        f"INSERT INTO marks ({names}) SELECT {names} FROM old_marks ORDER BY id"
    )
    connection.exec_driver_sql("DROP TABLE old_marks")


def _has_old_outbox(connection: Connection) -> bool:
    """Whether its rows have no number: see decision 0026."""
    names = set(connection.scalars(_OUTBOX_COLUMNS))
    return bool(names) and "number" not in names


def _copy_outbox(connection: Connection) -> None:
    """Same rows, numbered in the order in which they would have entered."""
    columns = ", ".join(connection.scalars(_OUTBOX_COLUMNS))
    connection.exec_driver_sql("ALTER TABLE outbox RENAME TO old_outbox")
    connection.exec_driver_sql("DROP INDEX outbox_due")
    OUTBOX.create(connection)
    connection.exec_driver_sql(_OUTBOX_ROWS.format(columns=columns))
    connection.exec_driver_sql("DROP TABLE old_outbox")


_Table = tuple[Callable[[Connection], bool], Callable[[Connection], None]]
_TABLES: tuple[_Table, ...] = ((_has_old_marks, _copy_marks), (_has_old_outbox, _copy_outbox))
