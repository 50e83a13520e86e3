"""Connections that stay open: on a file, to take one from the pool costs more than most statements.

An alert is stored and sent in five transactions, which took a tenth of its time to begin and end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from weakref import WeakSet

from sqlalchemy import Connection, Engine


class Kept:
    """A connection of each engine and thread, until they are closed."""

    def __init__(self) -> None:
        self._of_thread = local()
        self._all = WeakSet[Connection]()  # those of a thread which ended go back to their pool

    @contextmanager
    def begin(self, engine: Engine) -> Iterator[Connection]:
        """A transaction; one within another has a connection of its own."""
        mine: dict[Engine, Connection] = self._of_thread.__dict__.setdefault("connections", {})
        kept = mine.get(engine)
        if kept is None or kept.closed:
            kept = mine[engine] = engine.connect()
            self._all.add(kept)
        if kept.in_transaction():
            with engine.begin() as connection:
                yield connection
        else:
            with kept.begin():
                yield kept

    def close(self) -> None:
        """Closes all, when their pool is gone."""
        for connection in list(self._all):
            if not connection.closed:
                connection.detach()
                connection.close()
