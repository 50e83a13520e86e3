"""The market: quotes are stored, then rules are evaluated instant by instant, then delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.days import sortable_instant
from domain.decisions import AlertFired, AlertRearmed
from services.alerting import Watch
from services.database import Clock, Database
from services.delivery import Channels, deliver
from services.held_marks import Screen, decide, held_quote
from services.ledger import Ledger
from services.marks import Quote, store_after
from services.projector import Projector
from services.queries import Queries


@dataclass(slots=True)
class MarketCounts:
    """What a run of quotes did."""

    quotes: int = 0
    new: int = 0
    held: int = 0
    fired: int = 0
    rearmed: int = 0


class Market:
    """Takes quotes in batches; every batch is durable before rules see it."""

    def __init__(
        self, database: Database, ledger: Ledger, projector: Projector, clock: Clock,
        channels: Channels,
    ) -> None:  # fmt: skip
        self.counts = MarketCounts()
        self.watch = Watch(projector, ledger)
        self._database = database
        self._projector = projector
        self._queries = Queries(projector, ledger, clock)
        self._ledger = ledger
        self._clock = clock
        self._channels = channels
        self._screen = Screen(projector, ledger)

    def take(
        self, quotes: Sequence[Quote], *, confirmed: bool = False
    ) -> list[AlertFired | AlertRearmed]:
        """Stores quotes, evaluates rules at each instant in turn, and delivers what fired.

        A quote that jumps is held instead (services/held_marks.py), unless it is `confirmed`.
        What counts is what the store held after it: a mark that was known adds nothing, and
        marks that another process stored meanwhile count in their order.
        """
        recorded_at = sortable_instant(self._clock())
        self.watch.follow()
        with self._database.writing() as connection:
            if confirmed:
                usable, held = list(quotes), 0
            else:
                usable, held = self._screen.usable(connection, quotes, recorded_at)
            last = self._projector.board.last_id
            new = store_after(connection, usable, recorded_at, last)
        crossings: list[AlertFired | AlertRearmed] = []
        for _, instant in groupby(new, key=lambda stored: stored[1].at):
            crossings += self.watch.tick(list(instant), recorded_at)
        self.counts.quotes += len(quotes)
        self.counts.new += len(new)
        self.counts.held += held
        self._count(crossings)
        if crossings:
            self.deliver()
        return crossings

    @property
    def now(self) -> str:
        """The instant up to which rules were evaluated; empty before the first."""
        return self.watch.engine.now

    def confirm(self, held: int) -> Quote:
        """Makes a held quote a mark after all; raises NoSuchHeldMark.

        Stored first: if this stops in between, it is still listed and can be confirmed again.
        """
        with self._database.reading() as connection:
            quote = held_quote(connection, held)
        self.take([quote], confirmed=True)
        self._decide(held, "confirmed")
        return quote

    def reject(self, held: int) -> Quote:
        """Lets a held quote never become a mark; raises NoSuchHeldMark."""
        return self._decide(held, "rejected")

    def facts_changed(self, at: str | None = None) -> list[AlertFired | AlertRearmed]:
        """After facts were projected: they move losses without a tick, at the marks of now."""
        with self._database.reading() as connection:
            moved = self._projector.board.follow(connection)
        self.watch.reload()
        self.watch.moved(moved)
        recorded_at = sortable_instant(self._clock())
        crossings = self.watch.evaluate(at or recorded_at, recorded_at)
        self._count(crossings)
        if crossings:
            self.deliver()
        return crossings

    def rest(self) -> None:
        """Stores what every rule waits for: before a process ends, or when there is time."""
        self.watch.rest()

    def deliver(self) -> dict[str, int]:
        """Sends what is due in the outbox."""
        return deliver(self._database, self._channels, self._clock())

    def refresh(self) -> None:
        """Brings the opportunities of every taxpayer to the latest marks and today."""
        for taxpayer in self._ledger.taxpayers():
            self._projector.refresh(taxpayer, self._queries.today(taxpayer))

    def _decide(self, held: int, state: str) -> Quote:
        with self._database.writing() as connection:
            return decide(connection, held, state, sortable_instant(self._clock()))

    def _count(self, crossings: Sequence[AlertFired | AlertRearmed]) -> None:
        fired = sum(isinstance(each, AlertFired) for each in crossings)
        self.counts.fired += fired
        self.counts.rearmed += len(crossings) - fired
