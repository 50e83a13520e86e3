"""Changes of rows: what a batch drops and adds in each table, collected and then written at once.

A batch changes a few rows each of many books; a statement for each of them would cost more than
all that they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Table
from sqlalchemy.dialects import sqlite

from projections.schema import Row, insert

RowKey = tuple[Any, ...]


class Changes:
    """Rows to drop and rows to add, of any number of books, taxpayers and tables."""

    def __init__(self) -> None:
        self._dropped: dict[tuple[Table, int], list[RowKey]] = {}
        self._added: dict[Table, list[Row]] = {}

    def drop(self, table: Table, keys: Iterable[RowKey]) -> None:
        """Drops the rows whose primary key starts with one of the keys, all of one length."""
        for key in keys:
            self._dropped.setdefault((table, len(key)), []).append(key)

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        """Adds rows given in column order; those that were dropped make room, before or after."""
        self._added.setdefault(table, []).extend(rows)

    def write(self, connection: Connection) -> None:
        """Writes all of it, first what is dropped, and is empty then; the caller owns the
        transaction."""
        dropped, self._dropped = self._dropped, {}
        added, self._added = self._added, {}
        drop, add = (_drop_joined, _copy) if _is_postgres(connection) else (_drop_each, insert)
        for (table, length), keys in dropped.items():
            drop(connection, table, length, keys)
        for table, rows in added.items():
            if rows:
                add(connection, table, rows)


def array(values: Iterable[object]) -> str:
    """Texts or numbers as PostgreSQL writes an array: the driver takes microseconds for each.

    Raises ValueError for a text that holds NUL, which PostgreSQL does not store.
    """
    texts = list(map(str, values))
    joined = "\0".join(texts)
    if joined.count("\0") >= len(texts) > 0:
        raise ValueError("a text of PostgreSQL holds no NUL")
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{escaped}"}}' if texts else "{}"


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _drop_each(connection: Connection, table: Table, length: int, keys: Sequence[RowKey]) -> None:
    connection.exec_driver_sql(_drop_each_text(table, length), list(keys))


@cache
def _drop_each_text(table: Table, length: int) -> str:
    columns = list(table.primary_key.columns)[:length]
    where = [column == "" for column in columns]
    return str(table.delete().where(*where).compile(dialect=sqlite.dialect()))


def _drop_joined(connection: Connection, table: Table, length: int, keys: Sequence[RowKey]) -> None:
    columns = zip(*keys, strict=True)
    connection.exec_driver_sql(_drop_joined_text(table, length), tuple(map(array, columns)))


@cache
def _drop_joined_text(table: Table, length: int) -> str:
    columns = list(table.primary_key.columns)[:length]
    kinds = ("bigint[]" if isinstance(column.type, Integer) else "text[]" for column in columns)
    names = [column.name for column in columns]
    return (
        f"DELETE FROM {table.name} AS kept USING unnest({', '.join(f'%s::{k}' for k in kinds)}) "
        f"AS gone({', '.join(names)}) "
        f"WHERE {' AND '.join(f'kept.{name} = gone.{name}' for name in names)}"
    )


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """PostgreSQL's own way in: rows are not statements."""
    with (
        closing(connection.connection.cursor()) as cursor,
        cursor.copy(f"COPY {table.name} FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
