"""The projector: moves read models from their checkpoint to the head of the log, in batches.

One transaction a batch: fence first (the checkpoint moves by compare-and-set), then rows, then
outbox. State of taxpayers is kept in memory and loaded on first touch (services/snapshots.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Row, bindparam, inspect, select, update

from domain.decisions import AlertAcknowledged, AlertFired, AlertSnoozed
from domain.errors import ThresherError
from domain.fact_codec import ALERT_TYPES
from projections import alerts, pending
from projections.schema import CHECKPOINTS, METADATA, insert
from services.collector import paused
from services.database import Database
from services.delivery import enqueue, hold
from services.ledger import Ledger, LoggedFact
from services.marks import MarkBoard
from services.read_models import (
    PROJECTIONS,
    Taxpayer,
    forget_opportunities,
    write_changes,
    write_opportunities,
)
from services.snapshots import Snapshots
from services.tables import PERMANENT

READ_MODELS = "read_models"
DELIVERY = "delivery"
BATCH = 100_000
# One fingerprint of all versions: raising one rebuilds the read models.
VERSION = crc32(repr([(each.name, each.version) for each in PROJECTIONS]).encode())
# Built once: a statement that is built anew takes longer than it runs.
_POSITION = select(CHECKPOINTS.c.position).where(CHECKPOINTS.c.projection == bindparam("name"))
_MOVE = (
    update(CHECKPOINTS)
    .where(
        CHECKPOINTS.c.projection == bindparam("name"), CHECKPOINTS.c.position == bindparam("old")
    )
    .values(position=bindparam("new"))
)


# Whose books changed, and when (UTC text); called in the transaction of their rows.
Tells = Callable[[Connection, Collection[str], str], object]


class Fenced(ThresherError):
    """Another process moved the read models: this one's state is stale and it must stop."""


class Projector:
    """Owns the read models of one database. `catch_up` is idempotent and safe to repeat."""

    def __init__(self, database: Database, ledger: Ledger, *, delivers: bool = True) -> None:
        self.database = database
        self.ledger = ledger
        self.snapshots = Snapshots(database, ledger)
        self.taxpayers: dict[str, Taxpayer] = {}
        self.changed: set[str] = set()  # taxpayers that moved; who follows them takes it away
        self.tells: Tells | None = None
        self._untold: set[str] = set()
        self._head = 0
        self._delivers = delivers
        self.position = self._stored_position()
        if self.position < 0:
            with database.writing() as connection:
                METADATA.create_all(connection)
                PERMANENT.create_all(connection)
                self.position = self._start(connection)
        with database.reading() as connection:
            self.board = MarkBoard(connection)

    def catch_up(
        self, as_of: str, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> set[str]:
        """Projects every fact after the checkpoint; opportunities as of the day `as_of`.

        Returns the taxpayers that changed. `progress(done, total)` is called once a batch.
        """
        changed: set[str] = set()
        head, start = self.ledger.head(), self.position
        self._head = head
        while self.position < head:
            facts = self.ledger.read(self.position, BATCH)
            try:
                changed |= self._project(facts, as_of)
            except Fenced:
                for logged in facts:  # taken in, but not as of any position
                    self.taxpayers.pop(logged.taxpayer, None)
                self.follow()
            progress(self.position - start, head - start)
        known = {name: self.taxpayers[name] for name in changed if name in self.taxpayers}
        self.snapshots.keep(known, self.position)
        return changed

    def refresh(self, name: str, as_of: str) -> None:
        """Writes a taxpayer's opportunities at the board's marks on the day `as_of`."""
        taxpayer = self.taxpayer(name)
        with self.database.writing() as connection:
            write_opportunities(connection, name, taxpayer, self.board, as_of)

    def taxpayer(self, name: str) -> Taxpayer:
        """A taxpayer's state as of the checkpoint, loaded from the ledger if need be."""
        known = self.taxpayers.get(name)
        if known is None:
            with paused():
                known = self.taxpayers[name] = self.snapshots.load(name, self.position)
        return known

    def _project(self, facts: list[LoggedFact], as_of: str) -> set[str]:
        changed: set[str] = set()
        tokens_changed = False
        with paused():
            for logged in facts:
                if type(logged.recorded.fact) not in ALERT_TYPES:
                    self.taxpayer(logged.taxpayer).portfolio.add(logged.ref, logged.recorded.fact)
                    self.snapshots.came(logged.taxpayer)
                    changed.add(logged.taxpayer)
            for name in changed:
                self.taxpayers[name].portfolio.settle()
                self.taxpayers[name].position = facts[-1].position
            with self.database.writing() as connection:
                self._fence(connection, facts[-1].position)
                for name in sorted(changed):
                    tokens_changed |= write_changes(connection, name, self.taxpayers[name])
                if tokens_changed and self.board.follow_tokens(connection):
                    forget_opportunities(connection)  # others may hold them as well
                for name in sorted(changed):
                    write_opportunities(connection, name, self.taxpayers[name], self.board, as_of)
                self._project_alerts(connection, facts)
                self._tell(connection, changed, facts[-1])
        self.position = facts[-1].position
        self.changed |= changed
        return changed

    def _tell(self, connection: Connection, changed: set[str], last: LoggedFact) -> None:
        """Tells who listens, once the facts that were there are in: not of what was meanwhile."""
        if self.tells is None:
            return
        self._untold |= changed
        if last.position >= self._head and self._untold:
            self.tells(connection, sorted(self._untold), last.recorded.recorded_at)
            self._untold = set()

    def follow(self) -> None:
        """If another process moved the read models, goes on from where it left them."""
        with self.database.reading() as connection:
            stored = self._checkpoint(connection, READ_MODELS)
            if stored < self.position:  # they were started anew
                self.taxpayers = {}
                self.changed |= set(self.ledger.taxpayers())
                self.board = MarkBoard(connection)
            elif stored > self.position:
                self.changed |= self._passed_by(stored)
                self.board.follow_tokens(connection)
            self.position = stored

    def _passed_by(self, until: int) -> set[str]:
        """Whom others' facts up to a position reach; those whose books moved are loaded anew."""
        names, at = set(), self.position
        while at < until:
            facts = self.ledger.read(at, min(BATCH, until - at))
            for logged in facts:
                names.add(logged.taxpayer)
                if type(logged.recorded.fact) not in ALERT_TYPES:
                    self.taxpayers.pop(logged.taxpayer, None)
            at = facts[-1].position
        return names

    def _project_alerts(self, connection: Connection, facts: list[LoggedFact]) -> None:
        delivered = self._checkpoint(connection, DELIVERY) if self._delivers else facts[-1].position
        for logged in facts:
            fact, recorded_at = logged.recorded.fact, logged.recorded.recorded_at
            if type(fact) in ALERT_TYPES:
                alerts.apply(connection, logged.taxpayer, fact, recorded_at)
                pending.apply(connection, logged.taxpayer, fact, recorded_at)
                if logged.position <= delivered:
                    continue
                zone = self.taxpayer(logged.taxpayer).portfolio.declared.policy.zone
                if isinstance(fact, AlertFired):
                    enqueue(connection, logged.taxpayer, fact, recorded_at, zone)
                elif isinstance(fact, AlertAcknowledged | AlertSnoozed):
                    hold(connection, logged.taxpayer, fact, zone)
        if self._delivers and facts[-1].position > delivered:
            self._move(connection, DELIVERY, delivered, facts[-1].position)

    def _fence(self, connection: Connection, position: int) -> None:
        self._move(connection, READ_MODELS, self.position, position)

    def _move(self, connection: Connection, name: str, old: int, new: int) -> None:
        moved = connection.execute(_MOVE, {"name": name, "old": old, "new": new})
        if moved.rowcount != 1:
            raise Fenced(f"{name} is no longer at position {old}: another process moved it")

    def _stored_position(self) -> int:
        """The checkpoint of read models of these versions; -1 where they must be made.

        Looked up without the write lock: reading commands never wait for a running import.
        """
        with self.database.reading() as connection:
            if not inspect(connection).has_table(CHECKPOINTS.name):
                return -1
            row = self._read_models_row(connection)
            return int(row.position) if row is not None and row.version == VERSION else -1

    def _read_models_row(self, connection: Connection) -> Row[Any] | None:
        query = select(CHECKPOINTS).where(CHECKPOINTS.c.projection == READ_MODELS)
        return connection.execute(query).one_or_none()

    def _start(self, connection: Connection) -> int:
        """Makes the checkpoints; read models of another version start anew from fact one."""
        row = self._read_models_row(connection)
        if row is not None and row.version == VERSION:
            return int(row.position)  # another process made them meanwhile
        if row is not None:
            keep = CHECKPOINTS.c.projection != DELIVERY
            connection.execute(CHECKPOINTS.delete().where(keep))
        for projection in PROJECTIONS:
            connection.execute(projection.table.delete())
        insert(connection, CHECKPOINTS, [(READ_MODELS, VERSION, 0, "")])
        if self._delivers and row is None:
            insert(connection, CHECKPOINTS, [(DELIVERY, 1, 0, "")])
        return 0

    def _checkpoint(self, connection: Connection, name: str) -> int:
        return int(connection.execute(_POSITION, {"name": name}).scalar_one())
