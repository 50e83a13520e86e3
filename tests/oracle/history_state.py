"""A history being written: clock, prices, and what is held according to the oracle."""

from __future__ import annotations

import random
from datetime import date, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from .unit_simulator import Simulation
from .units import DEFAULT_POLICY, Json, read_event

COINS = ("crypto", "nft", "tokenized_security")
MOST_UNITS = 80  # of one group, in grains


def decimal(value: Fraction) -> str:
    """A finite decimal, without trailing zeros."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
        if digits > 40:
            raise AssertionError(f"{value} is no finite decimal")
    whole = abs(int(value * 10**digits))
    text = str(whole).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


class Draft:
    """Scenario so far; every quantity is a whole number of grains of its group."""

    def __init__(self, rng: random.Random, scenario: Json, start: date) -> None:
        self.rng, self.scenario, self.day = rng, scenario, start
        self.clock: time | None = None
        self.accounts: list[Json] = scenario["accounts"]
        self.assets: dict[str, Json] = {a["id"]: a for a in scenario["assets"]}
        self.groups = sorted({a["group"] for a in self.assets.values()})
        self.grain = {g: rng.choice([Fraction(1), Fraction(1, 2)]) for g in self.groups}
        self.price = {g: rng.randint(2000, 30000) for g in self.groups}  # cents per group unit
        self.bought = dict.fromkeys(self.groups, 0)
        self.dead: set[str] = set()  # assets of worthless groups
        self.books: set[str] = set()  # accounts with an order kept in the own books only
        rules = {**DEFAULT_POLICY, **scenario["policy"]}
        self.zone = ZoneInfo(rules["tz"])
        self.sim = Simulation(scenario, rules, self.grain)
        self.factor = self.sim.factor
        self.later: list[Json] = []  # what counts as sold at the end of the year

    @property
    def events(self) -> list[Json]:
        """Events so far."""
        events: list[Json] = self.scenario["events"]
        return events

    def move(self, days: int, clock: time | None) -> None:
        """Later; nothing else happens on the day on which worthless stock counts as sold."""
        self.day += timedelta(days=days)
        if self.dead and (self.day.month, self.day.day) == (12, 31):
            self.day += timedelta(days=1)
        self.clock = clock
        for raw in [r for r in self.later if date(int(r["date"][:4]), 12, 31) < self.day]:
            self.later.remove(raw)
            self.sim.apply(read_event(raw, self.events.index(raw), self.zone))

    def now(self) -> Simulation:
        """State after the events so far, without what is only deemed sold later."""
        return self.sim

    def held(self, sim: Simulation, account: str, asset: str) -> int:
        """Grains of an asset in an account."""
        return int(sim.counts[account, asset] / self.grain[self.assets[asset]["group"]])

    def positions(self, sim: Simulation, *classes: str) -> list[tuple[str, str, int]]:
        """(account, asset, grains) of everything that may be traded."""
        out = []
        for account in self.accounts:
            for asset in self.assets.values():
                if asset["id"] in self.dead or (classes and asset["class"] not in classes):
                    continue
                grains = self.held(sim, account["id"], asset["id"])
                if grains:
                    out.append((account["id"], asset["id"], grains))
        return out

    def buyable(self) -> list[str]:
        """Assets whose group has room for more units."""
        return [
            n
            for n, a in self.assets.items()
            if n not in self.dead and self.bought[a["group"]] < MOST_UNITS
        ]  # fmt: skip

    def fits(self, account: Json, asset: str) -> bool:
        """True if such an account holds such an asset."""
        kind = self.assets[asset]["class"]
        if account["custody"] == "self" or account["id"] in self.books:
            return kind in COINS
        if kind == "option" and self.is_written(account["id"], asset):
            return False
        return bool(account["type"] == "taxable" or kind != "nft")

    def is_written(self, account: str, asset: str) -> bool:
        """True if units of the asset are owed in the account."""
        return any(s.size and (s.account, s.asset) == (account, asset)
                   for s in self.sim.shorts.values())  # fmt: skip

    def qty(self, asset: str, grains: int) -> str:
        """Grains as a quantity of the asset today."""
        return decimal(grains * self.grain[self.assets[asset]["group"]] / self.factor[asset])

    def amount(self, asset: str, grains: int) -> str:
        """Money for so many grains; the price walks, a little more often down than up."""
        group = self.assets[asset]["group"]
        self.price[group] = max(800, int(self.price[group] * self.rng.uniform(0.72, 1.24)))
        cents = int(self.price[group] * grains * self.grain[group]) + self.rng.randint(0, 99)
        return decimal(Fraction(cents, 100))

    def mark(self, asset: str) -> str:
        """Today's price of one unit of the asset."""
        cents = self.price[self.assets[asset]["group"]] * self.factor[asset]
        return decimal(Fraction(int(cents * self.rng.uniform(0.7, 1.1)) + 1, 100))

    def add(self, kind: str, /, **fields: object) -> None:
        """Append an event at the present moment."""
        event: Json = {"id": f"e{len(self.events) + 1}", "type": kind}
        event["date"] = self.day.isoformat()
        if self.clock is not None:
            event["time"] = self.clock.isoformat()
        self.events.append(event | fields)
        read = read_event(self.events[-1], len(self.events) - 1, self.zone)
        if kind == "worthless":
            self.later.append(self.events[-1])
        elif kind == "basis_allocation":
            self.sim.foreseen.append(read)
        else:
            self.sim.apply(read)
