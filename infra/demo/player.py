"""The player: the demo's days through the product itself, on a clock that says it is that day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from domain.days import sortable_instant
from domain.decisions import AlertFired, AlertRearmed, AlertRuleSet
from domain.portfolio import Portfolio
from infra.channels.terminal import terminal_channel
from infra.composition import App
from infra.demo.material import DECLARED, TRADES, BrokenDemo, Day, days, derived
from infra.demo.place import SOURCE, TAXPAYER, clear
from infra.importing import Importer, recognise
from infra.settings import Settings
from infra.sources.neutral_csv import TradeReader
from services.alert_rules import checked_rule
from services.alerting import SOURCE as OWN
from services.ledger import Offer

RULES = (("notice", "25000"), ("urgent", "45000"))
REARM_RATIO = "0.85"
EVENING = "T22:00:00+00:00"


class DayClock:
    """A clock that stands at 22:00 UTC of the day it was set to."""

    def __init__(self, day: str) -> None:
        self.set(day)

    def set(self, day: str) -> None:
        """Makes it that day's evening."""
        self._now = datetime.fromisoformat(day + EVENING).astimezone(UTC)

    def __call__(self) -> datetime:
        return self._now


@dataclass(frozen=True, slots=True)
class Evening:
    """A day that was played, and what the rules said at its close."""

    day: str
    crossings: list[AlertFired | AlertRearmed]


class Player:
    """Plays the days into a fresh ledger; `app` then answers as of the last of them."""

    def __init__(self, path: Path, notes: Console) -> None:
        clear(path)
        self.days = days()
        self._clock = DayClock(self.days[0].day)
        self.app = App(Settings(database_url=f"sqlite:///{path}", taxpayer=TAXPAYER), self._clock)
        self.app.channels = {**self.app.channels, "terminal": terminal_channel(notes)}
        self._importer = Importer(self.app, TAXPAYER, SOURCE)
        self._declare()
        declared = self.portfolio.declared
        self._trades = TradeReader(TAXPAYER, SOURCE, declared.assets, declared.policy.currency)

    @property
    def portfolio(self) -> Portfolio:
        """The demo person's portfolio as projected so far."""
        return self.app.projector.taxpayer(TAXPAYER).portfolio

    def play(self) -> Iterator[Day | Evening]:
        """Each day twice: its trades recorded and projected, then its close valued."""
        for day in self.days:
            self._clock.set(day.day)
            self._trade(day)
            yield day
            quotes = day.quotes + derived(day.quotes, self.portfolio.declared.assets)
            yield Evening(day.day, self.app.market.take(quotes))
        self.app.market.refresh()

    def _declare(self) -> None:
        for source in recognise(DECLARED, siblings=False):
            self._importer.file(source, lambda rows: None)
        at = sortable_instant(self._clock())
        rules = [
            checked_rule(
                AlertRuleSet(
                    effective_at=at, name=name, scope="all", metric="harvestable_loss",
                    threshold=threshold, rearm_ratio=REARM_RATIO,
                )
            )
            for name, threshold in RULES
        ]  # fmt: skip
        offers = [Offer(TAXPAYER, OWN, f"rule/{rule.name}", rule) for rule in rules]
        self.app.ledger.append(offers, at)
        self.app.projector.catch_up(at[:10])

    def _trade(self, day: Day) -> None:
        if not day.trades:
            return
        rows = (self._trades.row(line, TRADES.name) for line in day.trades)
        self._importer.ingest.take(rows, lambda rows: None)
        if self._importer.counts.quarantined:
            bad = self._importer.counts.first_bad[0]
            raise BrokenDemo(f"{bad.origin} row {bad.row}: {bad.reason}")
        self.app.projector.catch_up(day.day)
