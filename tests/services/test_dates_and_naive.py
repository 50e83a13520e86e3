"""Date rules tell what a day-by-day reading of calendar and lots says: no day else, none twice.

Random runs of ticks, trades that come late, corrections, busts, midnights, leaps over days, rule
edits and restarts, in three jurisdictions and zones on both sides of Greenwich.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from domain.days import day_of, iso, moment_key
from domain.decisions import AlertDate, AlertFired, AlertRearmed
from domain.exact import money
from domain.harvest import opportunities
from projections import alerts
from services.calendar import reentry
from services.trading_days import is_open, last_trading_day, trading_days_left
from tests.services.house import Clock, House, Json, buy, sell
from tests.services.naive_watch import in_scope as loss_in_scope

RUNS = int(os.environ.get("THRESHER_MARKETS", "15"))
STEPS = 40
ASSETS = {"S": "stock", "T": "tokenized_security", "C": "crypto", "Q": "stock"}
ZONES = ("America/Los_Angeles", "Asia/Tokyo", "")
METRICS = ("window_closes", "safe_to_buy", "long_term", "year_end")
RULES = tuple(f"r{number}" for number in range(8))
SCOPES = ("all", "class:stock", "asset:S", "asset:T", "group:S", "group:Q")
EXCHANGES = {"US": "NYSE", "UK": "LSE", "CA": "TSX"}
Key = tuple[str, str, str, str, str]  # rule, kind, day, group or lot, account of a lot


class Run:
    """One random run: a house, and everything that was told in it."""

    def __init__(self, seed: int, path: Path) -> None:
        self.rng = Random(seed)
        start = Clock().now + timedelta(days=self.rng.choice((0, 15, 280, 290)))
        self.house = House(path / "dates.db", Clock(start))
        self.law = self.rng.choice(("US", "US", "UK", "CA"))
        self.zone = self.rng.choice(ZONES)
        self.ids: list[Json] = []
        self.said_on: dict[str, str] = {}
        self.told: set[Key] = set()
        self.read_to = 0
        positions: Json = {"id": "law", "type": "policy", "jurisdiction": self.law}
        self.house.say(positions | ({"tz": self.zone} if self.zone else {}))
        self.house.say(*(
            {"id": f"asset/{asset}", "type": "asset", "asset": asset, "class": kind,
             "group": "S" if asset == "T" else asset} for asset, kind in ASSETS.items()
        ))  # fmt: skip
        self.house.say({"id": "account/R", "type": "account", "account": "R", "kind": "ira"})
        for name in RULES:
            self.rule(name)
        for _ in range(25):
            self.trade()
        self.told |= set(self.heard())  # between these facts nobody looks

    @property
    def today(self) -> int:
        zone = self.house.app.projector.taxpayer("main").portfolio.declared.zone
        return moment_key(self.house.clock.text, zone)[0]

    def rule(self, name: str) -> None:
        rng = self.rng
        metric = rng.choice(METRICS)
        self.house.watch(
            name, str(rng.choice((0, 0, 0, 1, 7, 30))), metric=metric, scope=rng.choice(SCOPES),
            amount=rng.choice(("0", "50")) if metric == "year_end" else "0",
        )  # fmt: skip

    def trade(self) -> None:
        """A trade of yesterday or before: so the calendar of yesterday knows all there is."""
        rng, id = self.rng, f"f{len(self.ids)}"
        back = rng.choice((1, 2, rng.randint(20, 33), rng.randint(350, 372), 400))
        make = buy if rng.random() < 0.45 else sell
        units = rng.randint(1, 3) if make is sell else rng.randint(1, 9)
        amount = rng.randint(20, 60) if make is sell else 9 * rng.randint(20, 60)
        event = make(
            id, str(units), str(amount), asset=rng.choice(list(ASSETS)),
            account=rng.choice("AABR"), date=iso(self.today - back),
        )  # fmt: skip
        self.ids.append(event)
        self.say(event)

    def amend(self) -> None:
        event = self.rng.choice(self.ids)
        if self.rng.random() < 0.4:
            self.say({"id": event["id"], "type": "bust", "date": iso(self.today)})
        else:
            moved = event | {"date": iso(day_of(event["date"]) - self.rng.randint(1, 3))}
            self.say({"id": event["id"], "type": "correction", "fact": moved})

    def say(self, event: Json) -> None:
        self.said_on[f"csv:{event['id']}"] = iso(self.today)
        self.house.say(event)

    def happen(self) -> None:
        rng = self.rng
        self.house.clock.advance(minutes=rng.choice((1, 60, 700, 1440, 1440, 5000)))
        what = rng.random()
        if what < 0.25:
            self.trade()
        elif what < 0.35:
            self.amend()
        elif what < 0.42:
            self.rule(rng.choice(RULES))
        elif what < 0.6:
            self.house.app.market.facts_changed(self.house.clock.text)
        else:
            if what < 0.7:
                self.house = self.house.reopened()
            self.house.ticks(*((asset, str(rng.randint(20, 200))) for asset in ASSETS))

    def heard(self) -> list[Key]:
        """What was told since last asked; what is past was known in its time, and is a week old."""
        found: list[Key] = []
        for logged in self.house.app.ledger.read(self.read_to, 10_000):
            self.read_to, fact = logged.position, logged.recorded.fact
            if isinstance(fact, AlertFired):
                assert [each.day for each in fact.dates] == sorted(d.day for d in fact.dates)
                for date in fact.dates:
                    found.append(key_of(fact.rule, date))
                    if date.day < iso(self.today):
                        assert day_of(date.day) >= self.today - 7
                        said = [self.said_on.get(ref, "") for ref in date.because]
                        assert max(said, default="") <= date.day
            elif isinstance(fact, AlertRearmed):
                assert money(fact.value) < 0
        return found


def key_of(rule: str, date: AlertDate) -> Key:
    account = date.accounts[0] if date.lot else ""
    return rule, date.kind, date.day, date.lot or date.group, account


def due(run: Run, rule: Json) -> set[Key]:
    """The days from today on that a rule has to have told by now, by public answers alone."""
    last = iso(run.today + int(rule["threshold"]))
    if rule["metric"] == "year_end":
        return year_end(run, rule)
    if rule["metric"] == "long_term":
        return {each for each in long_term(run, rule) if iso(run.today) <= each[2] <= last}
    found = set()
    for line, is_today in lines(run):
        if not group_in_scope(run, rule["scope"], line["group"]):
            continue
        buying, selling = line["safe_to_buy_from"], line["safe_to_sell_older_from"]
        if rule["metric"] == "safe_to_buy" and buying:
            found.add((rule["name"], "safe_to_buy", buying, line["group"], ""))
        elif rule["metric"] == "window_closes" and is_today:
            for kind, safe in (("do_not_buy", buying), ("do_not_sell", selling)):
                if safe:
                    day = iso(day_of(safe) - 1)
                    found.add((rule["name"], kind, day, line["group"], ""))
    return {each for each in found if iso(run.today) <= each[2] <= last}


def lines(run: Run) -> list[tuple[Json, bool]]:
    """The calendar of today; of yesterday only where buying is safe today of all days."""
    queries = run.house.app.queries
    now = reentry(queries, queries.view("main", iso(run.today)))
    before = reentry(queries, queries.view("main", iso(run.today - 1)))
    waiting = {line["group"] for line in now if line["safe_to_buy_from"]}
    over = [
        line for line in before
        if line["safe_to_buy_from"] == iso(run.today) and line["group"] not in waiting
    ]  # fmt: skip
    return [(line, True) for line in now] + [(line, False) for line in over]


def group_in_scope(run: Run, scope: str, group: str) -> bool:
    assets = [asset for asset in ASSETS if ("S" if asset == "T" else asset) == group]
    names = {f"asset:{each}" for each in assets} | {f"class:{ASSETS[each]}" for each in assets}
    return scope in names | {"all", f"group:{group}"}


def long_term(run: Run, rule: Json) -> set[Key]:
    queries = run.house.app.queries
    return {
        (rule["name"], "long_term", lot["long_from"], lot["lot"], lot["account"])
        for lot in queries.lots(queries.view("main"))
        if lot["account"] != "R" and lot["long_from"]
        and lot_in_scope(rule["scope"], lot["asset"])
    }  # fmt: skip


def lot_in_scope(scope: str, asset: str) -> bool:
    group = "S" if asset == "T" else asset
    return scope in ("all", f"asset:{asset}", f"class:{ASSETS[asset]}", f"group:{group}")


def year_end(run: Run, rule: Json) -> set[Key]:
    exchange, end = EXCHANGES[run.law], "04-05" if run.law == "UK" else "12-31"
    year = int(iso(run.today)[:4])
    over = iso(run.today)[5:] > end
    last = last_trading_day(exchange, day_of(f"{year + over}-{end}"))
    left = trading_days_left(exchange, run.today, last)
    if run.today > last or left > int(rule["threshold"]):
        return set()
    portfolio = run.house.app.projector.taxpayer("main").portfolio
    prices = {name: mark.price for name, mark in run.house.app.projector.board.marks.items()}
    loss = sum(
        one.harvestable
        for book in portfolio.books.values()
        for one in opportunities(book, prices, run.today)
        if loss_in_scope(rule["scope"], one)
    )
    assert is_open(exchange, last)
    if loss <= 0 or loss < money(rule["amount"]):
        return set()
    return {(rule["name"], "year_end", iso(last), "", "")}


@pytest.mark.parametrize("seed", range(RUNS))
def test_what_is_told_is_what_fell_due_and_only_once(seed: int, tmp_path: Path) -> None:
    run = Run(seed, tmp_path)
    for _ in range(STEPS):
        heard = run.heard()
        assert len(set(heard)) == len(heard)
        assert not run.told & set(heard)
        with run.house.app.projector.database.reading() as connection:
            rules = alerts.rules(connection, "main")
        fallen_due = {key for rule in rules for key in due(run, rule)}
        new = {key for key in heard if key[2] >= iso(run.today)}
        assert new - run.told == fallen_due - run.told
        run.told |= set(heard)
        run.happen()
    run.house.close()
