"""Snapshots: a taxpayer as of a position of the log, so that a start folds only what came after.

They are a cache and never the truth: they may be dropped at will. One of other code is folded
anew without a word, one whose bytes are damaged with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    inspect,
    select,
    text,
)

from domain.facts import Fact
from domain.thawed import Thawed, kept_state
from services.database import Database
from services.ledger import Ledger
from services.snapshot_codec import Damaged, digest_of, fingerprint, packed, unpacked
from services.written import Taxpayer, Written

CACHES = MetaData()
SNAPSHOTS = Table(
    "snapshots",
    CACHES,
    Column("taxpayer", Text, primary_key=True),
    Column("position", Integer, nullable=False),  # of the log: later facts are not in it
    Column("facts", Integer, nullable=False),  # how many facts are in it
    Column("fingerprint", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
_S = SNAPSHOTS.c
AT_LEAST = 500  # facts since the last one; fewer fold in a few milliseconds
SHARE = 4  # and a quarter of all: so that writing them costs a few parts of the fold
# Asked once a taxpayer: written out, as building it would take longer than the answer.
_MINE = text(
    "SELECT * FROM snapshots WHERE taxpayer = :name AND position <= :until AND fingerprint = :by"
)
MOST_BYTES = 900_000_000  # what SQLite takes in one value, with some room

_log = logging.getLogger(__name__)


class Snapshots:
    """Loads taxpayers, by their snapshot where there is one, and writes new snapshots."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger
        self._facts: dict[str, tuple[int, int]] = {}  # in the snapshot, and since
        self._has_table = False

    def load(self, name: str, until: int) -> Taxpayer:
        """The taxpayer as of the position `until`, its tables taken as written."""
        row = self._stored(name, until) if until else None
        taxpayer = None if row is None else self._thawed(row)
        if row is None or taxpayer is None:
            taxpayer = Taxpayer()
            self._facts[name] = 0, self._add(taxpayer, name, 0, until) if until else 0
            taxpayer.settle_without_writing()
        else:
            self._facts[name] = row.facts, self._add(taxpayer, name, row.position, until)
            _settle_without_writing(taxpayer)
        return taxpayer

    def _add(self, taxpayer: Taxpayer, name: str, after: int, until: int) -> int:
        count = 0
        for logged in self._ledger.facts_of(name, until, after):
            taxpayer.portfolio.add(logged.ref, logged.recorded.fact)
            count += 1
        return count

    def came(self, name: str) -> None:
        """Counts a fact of a taxpayer in memory."""
        stored, since = self._facts.get(name, (0, 0))
        self._facts[name] = stored, since + 1

    def keep(self, taxpayers: Mapping[str, Taxpayer], position: int) -> None:
        """Writes those of the taxpayers, as they stand at `position`, that have grown enough."""
        due = [name for name in sorted(taxpayers) if self._is_due(name)]
        rows = [row for name in due for row in self._rows(name, taxpayers[name], position)]
        if rows:
            with self._database.writing() as connection:
                CACHES.create_all(connection)
                stale = _S.taxpayer.in_(due) | (_S.fingerprint != fingerprint())
                connection.execute(SNAPSHOTS.delete().where(stale))
                connection.execute(SNAPSHOTS.insert(), rows)

    def names(self) -> list[str]:
        """The taxpayers that have a snapshot."""
        with self._database.reading() as connection:
            if not self._exists(connection):
                return []
            return list(connection.scalars(select(_S.taxpayer).order_by(_S.taxpayer)))

    def _is_due(self, name: str) -> bool:
        stored, since = self._facts.get(name, (0, 0))
        return since >= max(AT_LEAST, stored // SHARE)

    def _rows(self, name: str, taxpayer: Taxpayer, position: int) -> Iterator[dict[str, Any]]:
        stored, since = self._facts[name]
        self._facts[name] = stored + since, 0
        state = kept_state(taxpayer.portfolio)
        if state is None:
            return
        data = packed((state, taxpayer.written))
        if len(data) <= MOST_BYTES:
            yield {
                "taxpayer": name, "position": position, "facts": stored + since,
                "fingerprint": fingerprint(), "digest": digest_of(data), "state": data,
            }  # fmt: skip

    def _stored(self, name: str, until: int) -> Row[Any] | None:
        with self._database.reading() as connection:
            if not self._exists(connection):
                return None
            found = connection.execute(_MINE, {"name": name, "until": until, "by": fingerprint()})
            return found.one_or_none()

    def _exists(self, connection: Connection) -> bool:
        self._has_table = self._has_table or inspect(connection).has_table(SNAPSHOTS.name)
        return self._has_table

    def _thawed(self, row: Row[Any]) -> Taxpayer | None:
        """The taxpayer of a snapshot; None if its bytes are not what was written."""

        def recall() -> Iterator[tuple[str, Fact]]:
            for logged in self._ledger.facts_of(row.taxpayer, row.position):
                yield logged.ref, logged.recorded.fact

        taxpayer = Taxpayer()
        try:
            state, taxpayer.written = unpacked(row.state, row.digest)
        except Damaged:
            _log.warning(
                "a snapshot is damaged: its facts are folded anew", extra={"taxpayer": row.taxpayer}
            )
            return None
        taxpayer.portfolio = Thawed(state, recall)
        return taxpayer


def _settle_without_writing(taxpayer: Taxpayer) -> None:
    """After folding, onto a snapshot, facts that the tables already hold."""
    portfolio = taxpayer.portfolio
    portfolio.settle()
    for name in portfolio.changed | portfolio.refolded:
        book = portfolio.books.get(name)
        if book is None or name in portfolio.refolded:
            taxpayer.written.pop(name, None)
        if book is not None:
            written = taxpayer.written.setdefault(name, Written())
            written.advance(book)
            written.touched(book)
    taxpayer.know_tokens()
