"""The service as tests use it: real parts over a SQLite file, and a clock to be advanced."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from domain.days import sortable_instant
from domain.decisions import AlertFired, AlertRearmed, AlertRuleSet
from infra.composition import App
from infra.database import open_database
from infra.settings import Settings
from infra.sources.fact_json import parse_event
from services import deciding
from services.ledger import Offer, Outcome
from services.marks import Quote
from services.verify import rebuild_and_compare

Json = dict[str, Any]
START = datetime(2025, 3, 1, 12, tzinfo=UTC)
STOCK: Json = {"id": "S", "type": "asset", "asset": "S", "class": "stock"}
COIN: Json = {"id": "C", "type": "asset", "asset": "C", "class": "crypto"}


class Clock:
    """Stands still until it is told to move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)

    @property
    def text(self) -> str:
        return sortable_instant(self.now)

    @property
    def day(self) -> str:
        return self.now.date().isoformat()


class House:
    """One process over one database; `reopened` is the next process, after the first ended."""

    def __init__(
        self, path: Path, clock: Clock | None = None, *, url: str = "",
        family: list[House] | None = None, **settings: Any,
    ) -> None:  # fmt: skip
        self.path = path
        self.url = url or f"sqlite:///{path}"
        self.clock = clock or Clock()
        self._settings = settings
        self._family = [] if family is None else family
        self._family.append(self)
        self.app = App(Settings(database_url=self.url, **settings), self.clock)
        self._file = self.app.settings.memory or f"file:{path}"
        self._kept = sqlite3.connect(self._file, uri=True) if self.app.settings.memory else None

    @property
    def is_postgres(self) -> bool:
        """Whether it stores on a server."""
        return self.url.startswith("postgresql")

    def reopened(self) -> House:
        self.close()
        return House(self.path, self.clock, url=self.url, family=self._family, **self._settings)

    def beside(self) -> House:
        """Another process on the same file, at the same time."""
        return House(self.path, self.clock, url=self.url, family=self._family, **self._settings)

    def close(self) -> None:
        self.app.close()

    def close_all(self) -> None:
        """This one, those beside it and those reopened."""
        for house in self._family:
            house.close()
            if house._kept is not None:  # until now: what is in memory goes with the last to leave
                house._kept.close()

    def lose(self, position: int) -> None:
        """A fact disappears, past every guard."""
        delete = f"DELETE FROM facts WHERE position = {position}"
        if self.is_postgres:
            self.sql("ALTER TABLE facts DISABLE TRIGGER append_only")
            self.sql(delete)
            self.sql("ALTER TABLE facts ENABLE TRIGGER append_only")
        else:
            self.sql(delete)

    def append(self, *events: Json, taxpayer: str = "main", source: str = "csv") -> list[Outcome]:
        """Facts given as JSON objects, into the ledger alone."""
        return self.app.ledger.append(offers(events, taxpayer, source), self.clock.text)

    def say(self, *events: Json, taxpayer: str = "main", source: str = "csv") -> list[Outcome]:
        """The same, projected and seen by alert rules."""
        self.app.ask_first()
        outcomes = self.append(*events, taxpayer=taxpayer, source=source)
        self.app.projector.catch_up(self.clock.day)
        self.app.market.facts_changed(self.clock.text)
        return outcomes

    def watch(self, name: str, threshold: str, *, taxpayer: str = "main", **rule: Any) -> None:
        """Sets an alert rule."""
        fact = AlertRuleSet(
            effective_at=self.clock.text, name=name, threshold=threshold,
            **({"scope": "all", "metric": "harvestable_loss", "channels": ()} | rule),
        )  # fmt: skip
        self.app.record(Offer(taxpayer, "thresher", f"rule/{name}", fact))
        self.app.market.facts_changed(self.clock.text)

    def tick(self, asset: str, price: str) -> list[AlertFired | AlertRearmed]:
        """A mark, one minute later."""
        self.clock.advance(minutes=1)
        return self.ticks((asset, price))

    def ticks(self, *prices: tuple[str, str]) -> list[AlertFired | AlertRearmed]:
        """Marks of this very instant."""
        at = self.clock.text
        quotes = [Quote(asset, price, at) for asset, price in prices]
        return self.app.market.take(quotes, confirmed=True)  # rules are tested here, not feeds

    def confirm(self, held: int) -> Quote:
        """A person says that a held quote is right."""
        return deciding.confirm(self.app.market, self.app.database, self.clock, held)

    def reject(self, held: int) -> Quote:
        """Or wrong."""
        return deciding.reject(self.app.database, self.clock, held)

    def ask(self, *, taxpayer: str = "main", as_of: str | None = None,
            known_at: str | None = None) -> Json:  # fmt: skip
        """Every answer of one view."""
        queries = self.app.queries
        view = queries.view(taxpayer, as_of, known_at)
        return {
            "lots": queries.lots(view), "gains": queries.gains(view),
            "windows": queries.windows(view), "opportunities": queries.opportunities(view),
            "years": queries.years(view), "issues": queries.issues(view),
            "alerts": queries.alerts(view),
        }  # fmt: skip

    def unequal(self) -> list[str]:
        """The read models that a rebuild from fact one finds different."""
        scratch = open_database(self.path.with_name("scratch.db"))
        try:
            found = rebuild_and_compare([self.app.projector], scratch, lambda done, total: None)
        finally:
            scratch.reader.dispose()
            for leftover in self.path.parent.glob("scratch.db*"):
                leftover.unlink()
        return [each.projection for each in found if not each.equal]

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Plain SQL on the store, past every part of ours."""
        if self.is_postgres:
            with psycopg.connect(self.url) as server:
                cursor = server.execute(statement.replace("?", "%s"), parameters or None)
                return cursor.fetchall() if cursor.description else []
        connection = sqlite3.connect(self._file, uri=True)
        try:
            rows = connection.execute(statement, parameters).fetchall()
            connection.commit()
        finally:
            connection.close()
        return rows


def offers(events: Iterable[Json], taxpayer: str = "main", source: str = "csv") -> list[Offer]:
    """JSON objects as offers to the ledger."""
    parsed = [parse_event(event) for event in events]
    return [Offer(taxpayer, source, model.id, fact) for model, fact in parsed]


def buy(id: str, qty: str = "1", amount: str = "100", **more: Any) -> Json:
    """A purchase, of stock S in account A on 2025-01-02 unless told otherwise."""
    return {"id": id, "type": "buy", "date": "2025-01-02", "account": "A", "asset": "S",
            "qty": qty, "amount": amount} | more  # fmt: skip


def sell(id: str, qty: str = "1", amount: str = "80", **more: Any) -> Json:
    """A sale, of stock S in account A on 2025-02-03 unless told otherwise."""
    return {"id": id, "type": "sell", "date": "2025-02-03", "account": "A", "asset": "S",
            "qty": qty, "amount": amount} | more  # fmt: skip
