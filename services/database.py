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
    """Engines on one database: `reader` never takes the write lock, `writer` takes it at once."""

    reader: Engine
    writer: Engine

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
