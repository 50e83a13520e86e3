"""The projector: moves read models from their checkpoint to the head of the log, in batches.

One transaction a batch: fence first (the checkpoint moves by compare-and-set), then rows, then
outbox. State of taxpayers is kept in memory and loaded on first touch (services/snapshots.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zlib import crc32

from sqlalchemy import Connection, inspect

from domain.decisions import (
    AlertAcknowledged,
    AlertFired,
    AlertRuleRemoved,
    AlertRuleSet,
    AlertSnoozed,
)
from domain.fact_codec import ALERT_TYPES
from projections import alerts, pending
from projections.rows import Changes
from projections.schema import CHECKPOINTS, METADATA, insert, insert_new
from services.collector import paused
from services.database import Database
from services.delivery import enqueue, hold
from services.ledger import Ledger, LoggedFact
from services.marks import MarkBoard
from services.progress import (
    DELIVERY,
    READ_MODELS,
    TOKENS,
    Fenced,
    checkpoint_name,
    count_tokens,
    move,
    position_of,
    row_of,
    with_tokens,
)
from services.read_models import (
    PROJECTIONS,
    clear,
    drop_opportunities,
    forget_opportunities,
    write_changes,
    write_opportunities,
)
from services.snapshots import Snapshots
from services.tables import PERMANENT
from services.telling import Telling
from services.written import Taxpayer

BATCH = 100_000
RULE_TYPES = AlertRuleSet | AlertRuleRemoved | AlertSnoozed
# One fingerprint of all versions: raising one rebuilds the read models. PostgreSQL takes 31 bits.
VERSION = crc32(repr([(each.name, each.version) for each in PROJECTIONS]).encode()) >> 1
_OF_DELIVERY = 1  # its version, whatever that of the read models is
_NO_TOKENS = {"projection": TOKENS, "version": 1, "position": 0, "as_of": ""}


class Projector:
    """Owns the read models of one shard: of all taxpayers of one log.

    `catch_up` is idempotent and safe to repeat. `until_mark`: the board starts there; None: at the
    last mark. Opportunities of whom facts change are written again, or, unless it
    `keeps_opportunities`, dropped: then they are computed when they are asked for.
    """

    def __init__(
        self, database: Database, ledger: Ledger, *, delivers: bool = True,
        until_mark: int | None = None, keeps_opportunities: bool = True,
    ) -> None:  # fmt: skip
        self.database = database
        self.ledger = ledger
        self._version = VERSION
        self._read_models = checkpoint_name(READ_MODELS, ledger.shard)
        self._delivery = checkpoint_name(DELIVERY, ledger.shard)
        self._tokens_seen = 0
        self._delivered = 0  # up to where alerts have entered the outbox; 0: look
        self.snapshots = Snapshots(database, ledger)
        self.taxpayers: dict[str, Taxpayer] = {}
        self.telling = Telling(ledger.shard)
        # Taxpayers whose books moved, and whose rules may have; who follows them takes them away.
        self.changed: set[str] = set()
        self.ruled: set[str] = set()
        self._delivers = delivers
        self._keeps_opportunities = keeps_opportunities
        self.position = self._stored_position()
        if self.position < 0:
            mine = ledger.taxpayers()
            with database.writing() as connection:
                METADATA.create_all(connection)
                PERMANENT.create_all(connection)
                self.position = self._start(connection, mine)
        with database.reading() as connection:
            self._tokens_seen = position_of(connection, TOKENS)
            self.board = MarkBoard(connection, until_mark)

    def catch_up(
        self, as_of: str, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> set[str]:
        """Projects every fact after the checkpoint that was there when this process appended last,
        or now, if that is projected; opportunities as of the day `as_of`.

        Returns the taxpayers that changed. `progress(done, total)` is called once a batch.
        """
        changed: set[str] = set()
        facts, start = self.ledger.just_appended(self.position), self.position
        # What was appended here was the head then: it need be neither asked nor read.
        self.telling.head = head = facts[-1].position if facts else self.ledger.head()
        while self.position < head:
            if not facts:  # of whoever appended them
                facts = self.ledger.read(self.position, BATCH)
                # Alerts that others may have told: whose rules they are, takes them up anew.
                self._anew({m.taxpayer for m in facts if type(m.recorded.fact) in ALERT_TYPES})
            try:
                changed |= self._project(facts, as_of)
            except BaseException as error:
                self._forget(facts)
                if not isinstance(error, Fenced):
                    raise
                self.follow()
            facts = []
            progress(self.position - start, head - start)
        if self.telling.held:
            self.tell_all(self.telling.held)
        known = {name: self.taxpayers[name] for name in changed if name in self.taxpayers}
        self.snapshots.keep(known, self.position)
        return changed

    def tell_all(self, at: str) -> None:
        """Whoever listens hears of everybody, as of the instant `at` (UTC text)."""
        self.telling.tell_all(self.database, self.ledger.taxpayers(), self.position, at)

    def _forget(self, facts: Sequence[LoggedFact]) -> None:
        """Nothing of a batch was stored: what was taken in of it is not as of any position."""
        for logged in facts:
            if type(logged.recorded.fact) not in ALERT_TYPES:
                self.taxpayers.pop(logged.taxpayer, None)
        self._delivered, self._tokens_seen = 0, -1  # to be looked at anew

    def refresh(self, name: str, as_of: str) -> None:
        """Writes a taxpayer's opportunities at the board's marks on the day `as_of`."""
        taxpayer = self.taxpayer(name)
        with self.database.writing() as connection:
            with_tokens(connection, self._read_models, self._version)  # raises OtherVersion
            changes = Changes()
            drop_opportunities(changes, name)
            write_opportunities(changes, name, taxpayer, self.board, as_of)
            changes.write(connection)

    def taxpayer(self, name: str) -> Taxpayer:
        """A taxpayer's state as of the checkpoint, loaded from the ledger if need be."""
        known = self.taxpayers.get(name)
        if known is None:
            with paused():
                known = self.taxpayers[name] = self.snapshots.load(name, self.position)
        return known

    def _project(self, facts: list[LoggedFact], as_of: str) -> set[str]:
        changed: set[str] = set()
        tokens_changed, changes = False, Changes()
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
                delivered = self._fence(connection, facts[-1].position)
                for name in sorted(changed):
                    tokens_changed |= write_changes(changes, name, self.taxpayers[name])
                changes.write(connection)
                if tokens_changed:
                    count_tokens(connection)
                    if self.board.follow_tokens(connection):
                        forget_opportunities(connection)  # others may hold them as well
                for name in sorted(changed):
                    drop_opportunities(changes, name)
                    if self._keeps_opportunities:
                        write_opportunities(changes, name, self.taxpayers[name], self.board, as_of)
                changes.write(connection)
                self._project_alerts(connection, facts, delivered)
                last = facts[-1]
                self.telling.came(connection, changed, last.position, last.recorded.recorded_at)
        self.position = facts[-1].position
        self._delivered = max(delivered, self.position)
        self.changed |= changed
        return changed

    def is_current(self, connection: Connection) -> bool:
        """Whether nobody else moved the read models, or tokens; raises OtherVersion."""
        stands = with_tokens(connection, self._read_models, self._version)
        return stands == (self.position, self._tokens_seen)

    def rewind(self, last: int) -> None:
        """Sets the board back to where it was at mark `last`."""
        with self.database.reading() as connection:
            self.board = MarkBoard(connection, last)

    def follow(self) -> None:
        """If another process moved the read models, goes on from where it left them.

        Tokens are followed as well: another shard may have got them. Raises OtherVersion.
        """
        with self.database.reading() as connection:
            stored, tokens_now = with_tokens(connection, self._read_models, self._version)
            if stored != self.position:
                self._delivered = 0  # that moved as well
            if stored < self.position:  # they were started anew
                self.taxpayers = {}
                self.all_changed()
                self.board = MarkBoard(connection, self.board.last_id)
            elif stored > self.position:
                self._anew(self._passed_by(stored))
            if tokens_now != self._tokens_seen:
                self.board.follow_tokens(connection)
            self.position, self._tokens_seen = stored, tokens_now

    def all_changed(self) -> None:
        """Whoever follows takes everybody up anew."""
        self._anew(set(self.ledger.taxpayers()))

    def _anew(self, names: set[str]) -> None:
        self.changed, self.ruled = self.changed | names, self.ruled | names

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

    def _project_alerts(
        self, connection: Connection, facts: list[LoggedFact], delivered: int
    ) -> None:
        """What is after `delivered` enters the outbox as well."""
        for logged in facts:
            fact, recorded_at = logged.recorded.fact, logged.recorded.recorded_at
            if type(fact) in ALERT_TYPES:
                if isinstance(fact, RULE_TYPES):
                    self.ruled.add(logged.taxpayer)
                alerts.apply(connection, logged.taxpayer, fact, recorded_at)
                pending.apply(connection, logged.taxpayer, fact, recorded_at)
                if logged.position <= delivered:
                    continue
                zone = self.taxpayer(logged.taxpayer).portfolio.declared.policy.zone
                if isinstance(fact, AlertFired):
                    enqueue(connection, logged.taxpayer, fact, recorded_at, zone)
                elif isinstance(fact, AlertAcknowledged | AlertSnoozed):
                    hold(connection, logged.taxpayer, fact, zone)

    def _fence(self, connection: Connection, new: int) -> int:
        """Moves the checkpoints; returns up to where alerts had entered the outbox before."""
        old = {self._read_models: (self._version, self.position)}
        delivered = new
        if self._delivers:
            delivered = self._delivered or position_of(connection, self._delivery)
            if delivered < new:
                old[self._delivery] = (_OF_DELIVERY, delivered)
        move(connection, old, new)
        return delivered

    def _stored_position(self) -> int:
        """The checkpoint of read models of these versions; -1 where they must be made.

        Looked up without the write lock: reading commands never wait for a running import.
        """
        with self.database.reading() as connection:
            if not inspect(connection).has_table(CHECKPOINTS.name):
                return -1
            row, tokens = (row_of(connection, name) for name in (self._read_models, TOKENS))
            is_there = tokens is not None and row is not None and row.version == self._version
            return int(row.position) if row is not None and is_there else -1

    def _start(self, connection: Connection, mine: Sequence[str]) -> int:
        """Makes the checkpoints; read models of another version start anew from fact one."""
        connection.execute(insert_new(connection.dialect, CHECKPOINTS), _NO_TOKENS)
        row = row_of(connection, self._read_models)
        if row is not None and row.version == self._version:
            return int(row.position)  # another process made them meanwhile
        clear(connection, mine)
        if row is not None:
            connection.execute(
                CHECKPOINTS.delete().where(CHECKPOINTS.c.projection == self._read_models)
            )
        insert(connection, CHECKPOINTS, [(self._read_models, self._version, 0, "")])
        if self._delivers and row is None:
            insert(connection, CHECKPOINTS, [(self._delivery, _OF_DELIVERY, 0, "")])
        return 0
