"""Which units leave a wallet: adequately identified ones, then by the account's method."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import groupby
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from .unit_state import DIGITAL, State
from .units import Event, Json, Unit, settlement_day

SETTLING = {"stock", "fund", "option"}  # named until settlement, not only until the sale
BOOKS_SUFFICE_UNTIL = date(2026, 12, 31)  # Notice 2026-20
LOOK_AT_PRICE = {"HIFO_LT", "MIN_TAX"}
SCALE = 10**18


def to_18_decimals(value: Fraction) -> Fraction:
    """Half up (away from zero below it)."""
    rounded = floor(abs(value) * SCALE + Fraction(1, 2))
    return Fraction(rounded if value >= 0 else -rounded, SCALE)


class Choice(State):
    """The part of the simulation that chooses units."""

    def __init__(self, scenario: Json, policy: Json, sizes: dict[str, Fraction]) -> None:
        super().__init__(scenario, policy, sizes)
        self.orders: dict[str, Json] = {}
        self.rate = {
            "S": Fraction(policy["rates"]["st"]),
            "L": Fraction(policy["rates"]["lt"]),
        }

    def method(self, account: str, asset: str, when: date) -> str:
        """Lot method of an asset in an account on a day."""
        order = self.orders.get(account)
        if order is None:
            return str(self.policy["lot_method"])
        if self.books_fail(account, asset, order.get("recorded_in"), when):
            return "FIFO"
        return str(order["method"])

    def books_fail(self, account: str, asset: str, kept_in: str | None, when: date) -> bool:
        """True if an identification of digital assets in the own books binds no longer."""
        if self.assets[asset]["class"] not in DIGITAL:
            return False
        at_broker = self.accounts[account].get("custody") == "broker"
        return at_broker and kept_in == "books" and when > BOOKS_SUFFICE_UNTIL

    def fifo(self, unit: Unit) -> tuple[Any, ...]:
        """FIFO order; pooled units have no place, they go first among units of one date."""
        first = self.policy["pool_pieces"] and unit.absorbed
        return (unit.order, unit.start, not first, unit.index)

    def by_method(
        self, pool: list[Unit], method: str, when: date, price: Fraction | None
    ) -> list[Unit]:
        """The pool in the order in which the method takes it; `price` is per group unit."""
        if method in LOOK_AT_PRICE and price is None:
            method = "HIFO"
        if method == "FIFO":
            return sorted(pool, key=self.fifo)
        if method == "LIFO":  # inside one sub-lot the lower index still goes first
            return sorted(
                sorted(pool, key=lambda u: self.fifo(u)[2:]),
                key=lambda u: (u.order, u.start),
                reverse=True,
            )
        if method == "HIFO":
            return sorted(pool, key=lambda u: (-u.basis / u.size, self.fifo(u)))
        assert price is not None
        rank = self.hifo_lt if method == "HIFO_LT" else self.min_tax
        ranks = {id(u): rank(u, when, price) for u in pool}
        return sorted(pool, key=lambda u: (ranks[id(u)], self.fifo(u)))

    def hifo_lt(self, unit: Unit, when: date, price: Fraction) -> tuple[int, Fraction]:
        """Losses, then long-term, then short-term gains; the highest basis first."""
        basis, _, term = self.outcome(unit, when, price * unit.size)
        each = to_18_decimals(basis / unit.size * self.factor[unit.asset])
        if price * unit.size < basis:
            return (0, -each)
        return (1 if term == "L" else 2, -each)

    def min_tax(self, unit: Unit, when: date, price: Fraction) -> tuple[int, Fraction]:
        """Gain per unit of the asset times the rate of its term."""
        basis, _, term = self.outcome(unit, when, price * unit.size)
        per = self.factor[unit.asset]
        gain = to_18_decimals(price * per) - to_18_decimals(basis / unit.size * per)
        return (0, gain * self.rate[term])

    def is_late(self, event: Event, asset: str) -> bool:
        """True if the lots were named after settlement (coins: after the disposal)."""
        raw = event.raw
        if "identified_at" not in raw:
            return False
        at = datetime.fromisoformat(raw["identified_at"].replace("Z", "+00:00"))
        local = at.astimezone(ZoneInfo(self.policy["tz"]))
        if self.assets[asset]["class"] in SETTLING:
            return local.date() > settlement_day(event.when)
        if "ts" in raw or "time" in raw:
            return at.astimezone(UTC) > event.instant
        return local.date() > event.when

    def identified(
        self, event: Event, account: str, pool: list[Unit], size: Fraction
    ) -> dict[str, Fraction]:
        """Size by lot of an adequate identification; empty if there is none or it is not."""
        raw, lots = event.raw, defaultdict[str, Fraction](Fraction)
        if "withheld_from" in raw:
            lots[raw["withheld_from"]] = size
        elif raw.get("lots"):
            if self.is_late(event, pool[0].asset):
                return {}
            if self.books_fail(account, pool[0].asset, raw.get("identified_to"), event.when):
                return {}
            for item in raw["lots"]:
                lots[item["lot"]] += self.size(pool[0].asset, item["qty"])
        here = defaultdict[str, Fraction](Fraction)
        for unit in pool:
            here[unit.lot] += unit.size
        if sum(lots.values()) > size or any(part > here[lot] for lot, part in lots.items()):
            return {}
        return lots

    def choose(
        self,
        event: Event,
        account: str,
        asset: str,
        size: Fraction,
        price: Fraction | None = None,
        named: bool = True,
    ) -> list[Unit]:
        """The units that leave a wallet: identified ones, then by method."""
        self.has(account, asset, size)
        pool = self.wallet(account, asset)
        if not size:
            return []
        method = self.method(account, asset, event.when)
        lots = self.identified(event, account, pool, size) if named else {}
        if not lots and self.policy["sub_lots"] == "pro_rata" and method in ("FIFO", "LIFO"):
            return self.pro_rata(pool, method, size)
        chosen: list[Unit] = []
        for lot, part in lots.items():
            mine = sorted((u for u in pool if u.lot == lot), key=self.fifo)
            chosen += self.take(mine, part)
            size -= part
        if size:
            ids = {id(u) for u in chosen}
            rest = [u for u in self.wallet(account, asset) if id(u) not in ids]
            chosen += self.take(self.by_method(rest, method, event.when, price), size)
        return chosen

    def pro_rata(self, pool: list[Unit], method: str, size: Fraction) -> list[Unit]:
        """Acquisition by acquisition; part of one takes from each sub-lot by its units."""
        chosen: list[Unit] = []
        first = sorted(pool, key=self.fifo)
        lots = [list(same) for _, same in groupby(first, key=lambda u: (u.order, u.lot))]
        for lot in lots if method == "FIFO" else lots[::-1]:
            whole = sum((u.size for u in lot), Fraction(0))
            if whole <= size:
                chosen += lot
                size -= whole
                continue
            sub_lots = [list(s) for _, s in groupby(lot, key=self.sub_lot)]
            chosen += self.parts(sub_lots, size, whole)
            break
        return chosen

    def sub_lot(self, unit: Unit) -> tuple[Any, ...]:
        """What all units of a sub-lot have in common."""
        return (unit.start, unit.basis / unit.size, unit.used, unit.absorbed)

    def parts(self, sub_lots: list[list[Unit]], size: Fraction, whole: Fraction) -> list[Unit]:
        """From each its share, rounded down; the last gives the rest."""
        chosen: list[Unit] = []
        left = size
        per = self.factor[sub_lots[0][0].asset]
        for sub_lot in sub_lots[:-1]:
            units = sum((u.size for u in sub_lot), Fraction(0))
            share = Fraction(floor(left * units / whole / per * SCALE), SCALE) * per
            chosen += self.take(sub_lot, share)
            left -= share
            whole -= units
        return chosen + self.take(sub_lots[-1], left)
