"""The composition root: builds each part once, on first use, from the settings."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from eventsourcing.persistence import PersistenceError
from rich.console import Console
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from domain.days import sortable_instant
from domain.errors import ThresherError
from infra.channels.file import send_to_file
from infra.channels.terminal import terminal_channel
from infra.channels.webhook import webhook_channel
from infra.database import open_database, open_memory
from infra.settings import Settings
from services.alerting import SOURCE
from services.changes_out import WINDOWS, make_tables
from services.collector import paused, settle
from services.database import Clock, Database
from services.delivery import Channels, Confirm, Message, Send
from services.evaluated import EvaluatedOfFile
from services.ledger import Ledger, Offer, check_id
from services.market import Market
from services.marks import last_id
from services.projector import Projector
from services.queries import Queries
from services.windows_out import tell_windows

if TYPE_CHECKING:
    from infra.channels.kafka import KafkaSender

DEFAULT_TAXPAYER = "main"
_STORE = "infra.event_store:FactSQLiteFactory"


class UnusableDatabase(ThresherError):
    """The database file cannot be opened, or is none."""


class NoLedger(ThresherError):
    """There is no file of that name, and what is asked for would be read from it."""


class NoTaxpayerChosen(ThresherError):
    """The ledger holds several taxpayers and none was named."""


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class App:
    """Every part of the embedded edition over one database file.

    `is_process`: the process is there for it alone, and its collector may be tuned for it.
    `is_there`: it is for what needs a ledger; a missing file is not made, but raises NoLedger.
    """

    def __init__(
        self, settings: Settings, clock: Clock = system_clock, *, is_process: bool = False,
        is_there: bool = False,
    ) -> None:  # fmt: skip
        self.is_process = is_process
        self._is_there = is_there
        self.settings = settings
        self.clock = clock
        self.reconnects = True  # to a server whose connections were lost
        self.is_service = False  # one that runs beside others, and computes little while it writes
        self.shard = 0  # on a server: of whose taxpayer is spoken

    @cached_property
    def database(self) -> Database:
        """Read models and permanent tables."""
        if self.settings.is_postgres:
            from infra.postgres import opening  # noqa: PLC0415  the driver is for servers alone

            return opening.database(
                self.settings.database_url, reconnects=self.reconnects, is_service=self.is_service
            )
        if self.settings.memory:
            return open_memory(self.settings.memory)
        try:
            return open_database(self._path)
        except DatabaseError as error:
            raise UnusableDatabase(f"{self._path}: {error.orig}") from error

    @cached_property
    def ledger(self) -> Ledger:
        """The log of facts."""
        if self.settings.is_postgres:
            from infra.postgres import opening  # noqa: PLC0415

            return opening.ledger(self.settings.database_url, self.shard, self.shards)
        name = self.settings.memory
        if not name:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            name = str(self._path)
        try:
            return Ledger({"PERSISTENCE_MODULE": _STORE, "SQLITE_DBNAME": name})
        except (PersistenceError, sqlite3.Error) as error:
            raise UnusableDatabase(f"{name}: {error}") from error

    @cached_property
    def _path(self) -> Path:
        path = self.settings.database_path
        if self._is_there and not path.exists():
            raise NoLedger(
                f"{path}: no ledger is there; say where it is by THRESHER_DATABASE_URL, or begin "
                "one: thresher import trades.csv"
            )
        return path

    @cached_property
    def shards(self) -> int:
        """How many logs the store has: one on a file."""
        if not self.settings.is_postgres:
            return 1
        from infra.postgres.shards import count  # noqa: PLC0415

        with self.database.reading() as connection:
            return count(connection)

    @cached_property
    def projector(self) -> Projector:
        """Read models, brought up to the head of the log."""
        projector = Projector(self.database, self.ledger)
        if WINDOWS in self.settings.published:
            make_tables(self.database)
            with self.database.reading() as connection:
                projector.telling.listen(connection, tell_windows)
        projector.catch_up(self.clock().date().isoformat())
        return projector

    @cached_property
    def queries(self) -> Queries:
        """Reads."""
        return Queries(self.projector, self.ledger, self.clock)

    @cached_property
    def channels(self) -> Channels:
        """Ways out for alerts."""
        return {
            "terminal": terminal_channel(Console(stderr=True)),
            "file": send_to_file,
            "webhook": webhook_channel(
                self.settings.webhook_secret, self.settings.webhook_allow_local, self.clock
            ),
            "kafka": self._to_kafka,
        }

    def _to_kafka(self, target: str, message: Message) -> Confirm | None:
        return self._kafka_channel(target, message)

    @cached_property
    def _kafka_channel(self) -> Send:
        from infra.channels.kafka import kafka_channel  # noqa: PLC0415
        from infra.kafka.topics import topics  # noqa: PLC0415

        return kafka_channel(self.kafka, topics(self.settings.kafka_prefix))

    @cached_property
    def kafka(self) -> KafkaSender:
        """The way out to Kafka."""
        from infra.channels.kafka import KafkaSender  # noqa: PLC0415  for streams alone

        return KafkaSender(self.settings.kafka)

    @cached_property
    def market(self) -> Market:
        """Quotes in, alerts out. Marks that a killed process stored and did not come to ask rules
        about are asked about first, each instant in turn."""
        with paused():
            waits, evaluated = self._waits, self._evaluated
            if waits and evaluated is not None:
                self.projector.rewind(evaluated.last)
            made = Market(
                self.database,
                self.ledger,
                self.projector,
                self.clock,
                self.channels,
                evaluated,
                self.settings.marks_ahead,
            )
            if waits:
                made.resume()
        if self.is_process:
            settle()
        return made

    @cached_property
    def _evaluated(self) -> EvaluatedOfFile | None:
        """How far rules were asked, on a file; on a server workers know it, each of its shard."""
        self.projector  # noqa: B018  makes the tables
        return None if self.settings.is_postgres else EvaluatedOfFile(self.database)

    @property
    def _waits(self) -> bool:
        """Whether rules were not asked about all marks of the file."""
        if self._evaluated is None:
            return False
        with self.database.reading() as connection:
            return self._evaluated.look_in(connection) < last_id(connection)

    def ask_first(self) -> None:
        """Before facts are appended: marks that wait are asked about with the books of before."""
        if not self._waits:
            return
        if "market" in self.__dict__:
            self.market.take(())
        self.market.keep_evaluated()  # it asks as it is made

    def record(self, offer: Offer) -> None:
        """A fact that somebody states: appended and projected."""
        self.ask_first()
        self.ledger.append([offer], sortable_instant(self.clock()))
        self.projector.catch_up(self.queries.today(offer.taxpayer))

    def taxpayer(self, named: str | None) -> str:
        """The taxpayer meant: named, set, or the only one there is (for writing: `main`)."""
        chosen = named or self.settings.taxpayer
        if not chosen:
            known = self.taxpayers()
            if len(known) > 1:
                # Whoever has rules alone does not trade: most likely a name that was mistyped.
                known = self.ledger.everybody(beside=SOURCE) or known
            if len(known) > 1:
                raise NoTaxpayerChosen(f"say which with --taxpayer: {', '.join(known)}")
            chosen = known[0] if known else DEFAULT_TAXPAYER
        check_id(chosen, "taxpayer")
        if self.shards > 1:
            from infra.postgres.shards import shard_of  # noqa: PLC0415

            self._go_to(shard_of(chosen, self.shards))
        return chosen

    def taxpayers(self) -> list[str]:
        """All that have facts, in whatever shard."""
        return self.ledger.everybody()

    def of_all_shards(self) -> list[App]:
        """One of these for each shard; itself for its own."""
        return [
            self if number == self.shard else self.of_shard(number) for number in range(self.shards)
        ]

    def of_shard(self, number: int) -> App:
        """The same over another shard's log and tables; it shares the connections of tables."""
        other = type(self)(self.settings, self.clock)
        other.database, other.shards, other.shard = self.database, self.shards, 0
        other._go_to(number)
        return other

    def _go_to(self, shard: int) -> None:
        """From now on its parts are those of a shard."""
        if shard == self.shard:
            return
        from infra.postgres.database import of_shard  # noqa: PLC0415

        if "ledger" in self.__dict__:
            self.ledger.close()
        for part in ("ledger", "projector", "queries", "market", "_evaluated"):
            self.__dict__.pop(part, None)
        self.shard, self.database = shard, of_shard(self.database.reader, shard)

    def rest(self) -> None:
        """Leaves the next process what rules waited for: a cache, so no error of it counts."""
        if "market" in self.__dict__:
            with suppress(SQLAlchemyError):
                self.market.keep_evaluated()
                self.market.rest()

    def close(self) -> None:
        """Gives files and connections back."""
        if "kafka" in self.__dict__:
            self.kafka.close()
        if "ledger" in self.__dict__:
            self.ledger.close()
        if "database" in self.__dict__:
            try:
                self.database.through.close()
            finally:
                self.database.reader.dispose()
