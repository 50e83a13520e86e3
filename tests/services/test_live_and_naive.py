"""The live engine crosses where valuing everything at every step crosses: never else, never late.

Random runs of ticks, gaps, facts, late facts, busts, midnights, rule edits and restarts.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from domain.days import sortable_instant
from domain.decisions import (
    AlertFired,
    AlertLapsed,
    AlertPending,
    AlertRearmed,
    AlertRuleRemoved,
)
from domain.exact import money
from services.ledger import Offer
from services.marks import Quote
from tests.services.house import Clock, House, Json, buy, sell
from tests.services.naive_watch import NaiveWatch, Said

RUNS = int(os.environ.get("THRESHER_MARKETS", "50"))
ASSETS = {"S": "stock", "T": "tokenized_security", "C": "crypto", "D": "crypto", "N": "nft"}
TOKEN = "U"  # a tenth of S: it has no mark of its own
KINDS = ("trade",) * 12 + ("bid", "bid", "floor", "ask", "manual")
LAWS = ("US", "US", "US", "US", "UK", "CA")
SCOPES = (
    "all",
    "class:crypto",
    "asset:S",
    "asset:N",
    "asset:U",
    "group:S",
    "account:A",
    "account:R",
    "position:A/C",
    "position:A/S",
)
METRICS = {
    "harvestable_loss": (20, 900), "tax_saved": (5, 300), "loss_percent": (2, 40),
}  # fmt: skip


class Market:
    """One random run: a house, its prices, and what the naive engine says beside it."""

    def __init__(self, seed: int, path: Path) -> None:
        self.rng = Random(seed)
        self.naive = NaiveWatch()
        self.house = House(path / "live.db", Clock())
        self.prices = dict.fromkeys(ASSETS, 100.0)
        self.ids: list[tuple[str, Json]] = []
        self.crossings = 0
        for taxpayer in ("main", "other"):
            self.house.append(*self.declared(), taxpayer=taxpayer)
        self.house.app.projector.catch_up(self.house.clock.day)
        for _ in range(12):
            self.trade()
        for number in range(3):
            self.rule(f"r{number}")

    def declared(self) -> list[Json]:
        assets: list[Json] = [
            {"id": f"asset/{asset}", "type": "asset", "asset": asset, "class": kind,
             "group": "S" if asset == "T" else asset}
            for asset, kind in ASSETS.items()
        ]  # fmt: skip
        assets.append({"id": "asset/U", "type": "asset", "asset": TOKEN, "ratio": "0.1",
                       "class": "tokenized_security", "group": "S"})  # fmt: skip
        accounts: list[Json] = [
            {"id": "account/A", "type": "account", "account": "A", "custody": "broker"},
            {"id": "account/R", "type": "account", "account": "R", "kind": "ira"},
        ]
        law = self.rng.choice(LAWS)
        positions: Json = {"id": "law", "type": "policy", "jurisdiction": law}
        if law == "US":
            positions |= {"tz": self.rng.choice(("America/New_York", "Asia/Tokyo"))}
            if self.rng.random() < 0.5:
                positions |= {"wash_sale": "conservative"}
        return [positions, *assets, *accounts]

    def date(self) -> str:
        """A day of the last fourteen months, mostly of the last weeks."""
        days = self.rng.choice((3, 20, 45, 400))
        clock = Clock(self.house.clock.now)
        clock.advance(days=-self.rng.randint(1, days))
        return clock.day

    def trade(self) -> None:
        rng = self.rng
        taxpayer, id = rng.choice(("main", "other")), f"f{len(self.ids)}"
        asset, account = rng.choice([*ASSETS, TOKEN]), rng.choice("AAAABR")
        quantity = str(rng.randint(1, 9) if asset == "N" else rng.randint(1, 900) / 100)
        price = self.prices["S"] / 10 if asset == TOKEN else self.prices[asset]
        amount = f"{float(quantity) * price * rng.uniform(0.8, 1.6):.2f}"
        make = buy if rng.random() < 0.75 else sell
        event = make(id, quantity, amount, asset=asset, account=account, date=self.date())
        self.ids.append((taxpayer, event))
        self.house.say(event, taxpayer=taxpayer)

    def amend(self) -> None:
        taxpayer, event = self.rng.choice(self.ids)
        if self.rng.random() < 0.5:
            change: Json = {"id": event["id"], "type": "bust", "date": self.house.clock.day}
        else:
            corrected = event | {"amount": f"{float(event['amount']) * 1.3:.2f}"}
            change = {"id": event["id"], "type": "correction", "fact": corrected}
        self.house.say(change, taxpayer=taxpayer)

    def rule(self, name: str) -> None:
        metric = self.rng.choice(list(METRICS))
        self.house.watch(
            name, str(self.rng.randint(*METRICS[metric])), metric=metric,
            scope=self.scope(), rearm_ratio=self.rng.choice(("0.5", "0.85", "1")),
            taxpayer=self.rng.choice(("main", "other")),
            cooldown_seconds=self.rng.choice((0, 0, 3600, 90000)),
            dwell_seconds=self.rng.choice((0, 0, 60, 3600, 90000)),
        )  # fmt: skip

    def scope(self) -> str:
        """Lots of many kinds, or one lot."""
        lots = [f"lot:csv:{event['id']}" for _, event in self.ids if event["type"] == "buy"]
        return self.rng.choice([*SCOPES, *self.rng.sample(lots, min(3, len(lots)))])

    def unwatch(self) -> None:
        at = sortable_instant(self.house.clock.now)
        offer = Offer("main", "thresher", "rule/r0", AlertRuleRemoved(effective_at=at, name="r0"))
        self.house.app.record(offer)
        self.house.app.market.facts_changed(self.house.clock.text)

    def move(self, asset: str) -> None:
        self.prices[asset] *= self.rng.choice((0.7, 0.95, 0.99, 0.999, 1.001, 1.01, 1.04, 1.3))

    def split(self) -> None:
        """A taxpayer tells that the share was split: a token of it is twice as many, then."""
        id = f"split/{self.house.clock.text}"
        taxpayer, event = self.rng.choice(("main", "other")), {"id": id, "type": "split"}
        event |= {"date": self.date(), "asset": "S", "num": "2", "den": "1"}
        self.house.say(event, taxpayer=taxpayer)

    def step(self) -> None:
        """Something happens; then both engines have to have said the same."""
        rng, house = self.rng, self.house
        house.clock.advance(minutes=rng.choice((1, 7, 60, 1000, 20000)))
        before = house.app.ledger.head()
        what = rng.random()
        if what < 0.12:
            self.trade()
        elif what < 0.16:
            self.amend()
        elif what < 0.20:
            self.rule(rng.choice(("r0", "r1", "r2")))
        elif what < 0.22:
            self.unwatch()
        elif what < 0.24:
            self.split()
        elif what < 0.26:
            house.app.market.facts_changed(house.clock.text)
        else:
            if what < 0.30:
                self.house = house = house.reopened()
            moved = rng.sample(list(ASSETS), rng.choice((1, 1, 2)))
            for asset in moved:
                self.move(asset)
            kind = rng.choice(KINDS)
            quotes = [
                Quote(asset, f"{self.prices[asset]:.4f}", house.clock.text, kind=kind)
                for asset in moved
            ]
            house.app.market.take(quotes, confirmed=True)
        assert live_said(house, before) == self.naive.step(house)
        self.crossings += house.app.ledger.head() - before


def live_said(house: House, after: int) -> list[Said]:
    """The crossings that the log holds after a position."""
    said: list[Said] = []
    for logged in house.app.ledger.read(after, 10_000):
        fact = logged.recorded.fact
        if isinstance(fact, AlertFired | AlertRearmed):
            kind = "fired" if isinstance(fact, AlertFired) else "rearmed"
            said.append((logged.taxpayer, kind, fact.rule, fact.crossing, money(fact.value)))
        elif isinstance(fact, AlertPending | AlertLapsed):
            kind = "pending" if isinstance(fact, AlertPending) else "lapsed"
            said.append((logged.taxpayer, kind, fact.rule, fact.number, money(fact.value)))
    return said


@pytest.mark.parametrize("seed", range(RUNS))
def test_live_and_naive_say_the_same_at_the_same_step(seed: int, tmp_path: Path) -> None:
    market = Market(seed, tmp_path)
    market.naive.step(market.house)
    for _ in range(60):
        market.step()
    market.house.close()
