"""Telling: whoever listens hears whose books changed, in the transaction of their rows."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Connection

# Taxpayers whose books changed, and when (UTC text).
Listener = Callable[[Connection, Collection[str], str], object]


class Telling:
    """Gathers names while facts that were there come in batches; tells once they are all in.

    So that of a rebuild only the end is told. `head`: the position of the last of them.
    """

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.head = 0
        self._names: set[str] = set()
        self._at = ""

    def __bool__(self) -> bool:
        """Whether somebody is still to be told."""
        return bool(self._names)

    def came(self, connection: Connection, names: set[str], position: int, at: str) -> None:
        """A batch changed these books, up to a position of the log."""
        if self.listener is not None:
            self._names |= names
            self._at = at
            if position >= self.head:
                self.tell(connection)

    def tell(self, connection: Connection) -> None:
        """Tells what was gathered, in the caller's transaction."""
        if self.listener is not None and self._names:
            self.listener(connection, sorted(self._names), self._at)
        self._names = set()
