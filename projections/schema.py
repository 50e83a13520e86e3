"""What read models share: metadata, the projection type, checkpoints, writing and reading rows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Executable,
    Integer,
    MetaData,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

METADATA = MetaData()

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("projection", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("as_of", Text, nullable=False),
)

_AT_ONCE = 1_000
Row = tuple[Any, ...]
Piece = dict[str, Any]
Formats = dict[str, Callable[[Any], str]]


@dataclass(frozen=True, slots=True)
class Projection:
    """A rebuildable table. A changed shape or meaning raises `version`, which rebuilds it."""

    name: str
    version: int
    table: Table


def text(*names: str) -> list[Column[str]]:
    """Required text columns; exact numbers and days are stored as text."""
    return [Column(name, Text, nullable=False) for name in names]


def book_table(name: str, keys: Sequence[Column[Any]], columns: Sequence[Column[Any]]) -> Table:
    """A table whose rows belong to one book of one taxpayer."""
    return Table(
        name,
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("book", Text, primary_key=True),
        *keys,
        *columns,
        sqlite_with_rowid=False,  # one tree, in the order of the key
    )


@cache
def insert_new(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """A statement that inserts a row unless one with its key is there, on either database."""
    make = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    return make(table).on_conflict_do_nothing()


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows given in column order, in one driver call."""
    if rows:
        drive_each(connection, _insert_text(table, connection.dialect), rows)


@cache  # compiling takes longer than inserting a row
def _insert_text(table: Table, dialect: Dialect) -> str:
    return str(table.insert().compile(dialect=dialect))


def insert_once(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """The same, unless a row with the key is there; returns how many were inserted."""
    if not rows:
        return 0
    return drive_each(connection, _insert_once_text(table, connection.dialect), rows)


@cache
def _insert_once_text(table: Table, dialect: Dialect) -> str:
    values = dict.fromkeys(table.columns.keys(), "")
    return str(insert_new(dialect, table).values(values).compile(dialect=dialect))


def rows(connection: Connection, statement: Executable, **values: Any) -> Sequence[Row]:
    """What a statement that is built once finds, with values by name, as plain tuples."""
    text, names, fixed = _plain(statement, connection.dialect)
    given = tuple(values[name] if name in values else fixed[name] for name in names)
    return drive(connection, text, given)


def change(connection: Connection, statement: Executable, *values: Mapping[str, Any]) -> int:
    """Runs a statement that is built once for each of these; returns how many rows it changed."""
    text, names, fixed = _plain(statement, connection.dialect)
    each = [tuple(row[name] if name in row else fixed[name] for name in names) for row in values]
    return drive_each(connection, text, each)


def drive(connection: Connection, text: str, given: Row = ()) -> Sequence[Row]:
    """What plain text finds. On SQLite by its driver itself: to say what rows are like takes
    SQLAlchemy five times as long as to find one, and every batch of marks waits for some."""
    if connection.dialect.name != "sqlite":
        found: Sequence[Any] = connection.exec_driver_sql(text, given).fetchall()
        return found
    with errors_as_known(text):
        plain: Any = connection.connection.driver_connection
        here: list[Row] = plain.execute(text, given).fetchall()
        return here


def drive_each(connection: Connection, text: str, each: Sequence[Row]) -> int:
    """The same for a text that changes rows, run for each; returns how many it changed."""
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(text, list(each)).rowcount
    with errors_as_known(text):
        plain: Any = connection.connection.driver_connection
        changed: int = plain.executemany(text, each).rowcount
        return changed


@contextmanager
def errors_as_known(text: str) -> Iterator[None]:
    """Errors of SQLite's driver, when it runs this, as SQLAlchemy would raise them."""
    try:
        yield
    except sqlite3.Error as error:
        raise DBAPIError(text, None, error) from error


@cache
def _plain(statement: Any, dialect: Dialect) -> tuple[str, Sequence[str], Mapping[str, Any]]:
    """Its text, the names of what it takes in their order, and what of it is fixed."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ()), compiled.params


def parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Some at a time: a statement takes no more than some thousand values."""
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]


def having(connection: Connection, table: Table, taxpayers: Collection[str]) -> set[str]:
    """Which of these taxpayers have rows."""
    found: set[str] = set()
    for some in parts(sorted(taxpayers)):
        mine = select(table.c.taxpayer).where(table.c.taxpayer.in_(some))
        found |= set(connection.scalars(mine.distinct()))
    return found


def pieces(connection: Connection, table: Table, taxpayer: str) -> list[Piece]:
    """The rows of a taxpayer as dicts, in primary-key order."""
    query = select(table).where(table.c.taxpayer == taxpayer).order_by(*table.primary_key.columns)
    return [dict(row._mapping) for row in connection.execute(query)]


def digest(connection: Connection, table: Table) -> str:
    """SHA-256 over every row in primary-key order: equal tables have equal digests."""
    total = hashlib.sha256()
    query = select(table).order_by(*table.primary_key.columns)
    for row in connection.execute(query):
        total.update(repr(tuple(row)).encode())
        total.update(b"\n")
    return total.hexdigest()


def merge(
    rows: Iterable[Piece],
    key: Callable[[Piece], tuple[Any, ...]],
    sums: Sequence[str],
) -> list[Piece]:
    """Rows of equal key as one, with the integer columns `sums` added up; first-seen order."""
    merged: dict[tuple[Any, ...], Piece] = {}
    for row in rows:
        known = merged.get(key(row))
        if known is None:
            merged[key(row)] = dict(row)
        else:
            for name in sums:
                known[name] += row[name]
    return list(merged.values())


def shown(row: Mapping[str, Any], formats: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """The named columns of a row, each through its format, in the order of `formats`."""
    return {name: form(row[name]) for name, form in formats.items()}
