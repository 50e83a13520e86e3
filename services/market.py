"""The market: quotes are stored, then rules are evaluated instant by instant, then delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.days import sortable_instant
from domain.decisions import AlertFired, AlertRearmed
from services.alerting import Watch
from services.database import Clock, Database
from services.delivery import Channels, deliver
from services.ledger import Ledger
from services.marks import Quote, store
from services.projector import Projector
from services.queries import Queries


@dataclass(slots=True)
class MarketCounts:
    """What a run of quotes did."""

    quotes: int = 0
    new: int = 0
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

    def take(self, quotes: Sequence[Quote]) -> list[AlertFired | AlertRearmed]:
        """Stores quotes, evaluates rules at each instant in turn, and delivers what fired."""
        if not quotes:
            return []
        recorded_at = sortable_instant(self._clock())
        self.watch.follow()
        with self._database.writing() as connection:
            self.counts.new += store(connection, quotes, recorded_at)
        crossings: list[AlertFired | AlertRearmed] = []
        for instant in _instants(quotes):
            crossings += self.watch.tick(instant, recorded_at)
        with self._database.reading() as connection:
            self._projector.board.stored(connection)
        self._count(quotes, crossings)
        if crossings:
            self.deliver()
        return crossings

    def facts_changed(self, at: str | None = None) -> list[AlertFired | AlertRearmed]:
        """After facts were projected: they move losses without a tick."""
        self.watch.reload()
        recorded_at = sortable_instant(self._clock())
        crossings = self.watch.evaluate(at or recorded_at, recorded_at)
        self._count((), crossings)
        if crossings:
            self.deliver()
        return crossings

    def deliver(self) -> dict[str, int]:
        """Sends what is due in the outbox."""
        return deliver(self._database, self._channels, self._clock())

    def refresh(self) -> None:
        """Brings the opportunities of every taxpayer to the latest marks and today."""
        for taxpayer in self._ledger.taxpayers():
            self._projector.refresh(taxpayer, self._queries.today(taxpayer))

    def _count(
        self, quotes: Sequence[Quote], crossings: Sequence[AlertFired | AlertRearmed]
    ) -> None:
        fired = sum(isinstance(each, AlertFired) for each in crossings)
        self.counts.quotes += len(quotes)
        self.counts.fired += fired
        self.counts.rearmed += len(crossings) - fired


def _instants(quotes: Sequence[Quote]) -> Iterator[list[Quote]]:
    """Consecutive quotes of one instant together: they are one state of the market."""
    group: list[Quote] = []
    for quote in quotes:
        if group and quote.at != group[0].at:
            yield group
            group = []
        group.append(quote)
    if group:
        yield group
