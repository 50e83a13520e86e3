"""Telling: whoever listens hears whose books changed, in the transaction of their rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Connection, delete

from projections.schema import CHECKPOINTS, insert
from services.database import Database
from services.progress import checkpoint_name, row_of

# Taxpayers whose books changed, and when (UTC text).
Listener = Callable[[Connection, Collection[str], str], object]
_UNTOLD = "untold"
_AT_ONCE = 500


class Telling:
    """Tells of each batch of facts; where more batches follow, once of everybody when all are in.

    So that of a rebuild only the end is told. `head`: the position of the last fact that is there.
    `held`: when facts came that are not told yet (UTC text); empty: there are none. It is stored
    with them, so that whoever listens next tells of them, should this process not live to.
    """

    def __init__(self, shard: int) -> None:
        self.listener: Listener | None = None
        self.head = 0
        self.held = ""
        self._name = checkpoint_name(_UNTOLD, shard)
        self._mark = CHECKPOINTS.c.projection == self._name

    def listen(self, connection: Connection, listener: Listener) -> None:
        """From now on `listener` is told, and first of what was not told to the one before."""
        self.listener = listener
        row = row_of(connection, self._name)
        self.held = row.as_of if row is not None else ""

    def came(self, connection: Connection, names: set[str], position: int, at: str) -> None:
        """A batch changed these books, up to a position of the log."""
        if self.listener is None:
            return
        if position < self.head:
            self.held = at
            connection.execute(delete(CHECKPOINTS).where(self._mark))
            insert(connection, CHECKPOINTS, [(self._name, 1, position, at)])
        elif names and not self.held:
            self.listener(connection, sorted(names), at)

    def tell_all(self, database: Database, names: Sequence[str], position: int, at: str) -> None:
        """Tells of all these, some in each transaction: their books are as of a position."""
        if self.listener is None:
            return
        for start in range(0, len(names), _AT_ONCE):
            with database.writing() as connection:
                self.listener(connection, names[start : start + _AT_ONCE], at)
        if self.held:
            with database.writing() as connection:
                # What another process holds since is beyond it.
                connection.execute(
                    delete(CHECKPOINTS).where(self._mark, CHECKPOINTS.c.position <= position)
                )
            self.held = ""
