"""The two ways into the read-model database: transactions that read, transactions that write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Database:
    """Engines on one database: `reader` never takes a write lock, the others take theirs at once.

    `writer` is for the tables of one shard of the log, `marks` for the marks, which all share. On a
    file they are the same.
    """

    reader: Engine
    writer: Engine
    marks: Engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with self.reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed at the end."""
        with self.writer.begin() as connection:
            yield connection

    @contextmanager
    def writing_marks(self) -> Iterator[Connection]:
        """The same for marks and held quotes: they are numbered in the order of commits."""
        with self.marks.begin() as connection:
            yield connection
