"""What replaces what: losses and purchases meet unit by unit, and the disallowed loss moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from .unit_choice import Choice
from .units import Event, Json, Unit, UnitSale

ACQUIRING = {"buy", "swap", "option_exercise"}
TAXABLE_ROWS = {"sell", "spend", "swap", "transfer"}  # a transfer's row is about its fee
WINDOW = 30


class Matching(Choice):
    """The part of the simulation that matches sales with purchases."""

    def __init__(self, scenario: Json, policy: Json, sizes: dict[str, Fraction]) -> None:
        super().__init__(scenario, policy, sizes)
        self.leaves_nothing = False  # the running sale is an exit that replaces nothing

    # who replaces

    def replaces(self, unit: Unit, sale: UnitSale) -> bool:
        """True if the unit is a replacement for a unit sold."""
        if unit.used or unit.lot == sale.unit.lot or not self.counts_as_bought(unit):
            return False
        if abs((unit.order[0] - sale.day).days) > WINDOW:
            return False
        sold, bought = self.assets[sale.asset], self.assets[unit.asset]
        if sold["group"] != bought["group"]:
            return False
        if not {sold["class"], bought["class"]} <= self.classes(sale.day):
            return False
        if self.policy["earlier_lots"] == "ignore" and unit.order < sale.unit.order:
            return False
        return self.held_or_sold_before(unit, sale)

    def counts_as_bought(self, unit: Unit) -> bool:
        """True for a purchase or a receipt that is taxed at its value."""
        if unit.kind == "income":
            return bool(self.policy["income_is_acquisition"])
        return unit.kind in ACQUIRING

    def held_or_sold_before(self, unit: Unit, sale: UnitSale) -> bool:
        """Held now; or, by position, sold before on a row of its own, also in the same sale."""
        if unit.held:
            return not (self.leaves_nothing and unit.going)
        row = unit.row
        return (
            self.policy["sold_replacements"] == "count"
            and row is not None
            and row.kind in TAXABLE_ROWS
        )

    def place_in_line(self, unit: Unit) -> tuple[Any, ...]:
        """Earliest acquisition first; by position retirement accounts after all others."""
        later = (
            self.policy["replacement_order"] == "taxable_first"
            and self.accounts[unit.account]["type"] != "taxable"
        )
        return (later, unit.order, unit.index)

    def is_under_rule(self, sale: UnitSale) -> bool:
        """True if the rule looks at this sale: its class, its account, a loss (or by position)."""
        if sale.account in self.traders:
            return False
        if self.assets[sale.asset]["class"] not in self.classes(sale.day):
            return False
        return sale.loss > 0 or self.policy["gain_units"] == "in_order"

    def seek(self, sale: UnitSale) -> None:
        """Match a sale with the purchases there are; what is left waits for later ones."""
        while True:
            kin = self.units[self.group(sale.asset)]
            found = [u for u in kin if self.replaces(u, sale)]
            if not found:
                at = sum(s.day <= sale.day for s in self.pending)
                self.pending.insert(at, sale)
                return
            best = min(found, key=self.place_in_line)
            rest = self.fit(sale, best)
            self.match(sale, best)
            if rest is None:
                return
            sale = rest

    def fit(self, sale: UnitSale, unit: Unit) -> UnitSale | None:
        """Cut the larger of the two to the size of the other; the rest of the sale, if any."""
        mine = sale.unit
        if unit.size > mine.size:
            self.cut(unit, mine.size)
        if unit.size == mine.size:
            return None
        at = self.sales.index(sale)
        self.cut(mine, unit.size)
        return self.sales[at + 1]

    def serve(self, unit: Unit) -> None:
        """A new unit replaces the oldest sales that wait for one."""
        while True:
            sale = next((s for s in self.pending if self.replaces(unit, s)), None)
            if sale is None:
                return
            before = unit.size
            kin = self.units[self.group(unit.asset)]
            at = kin.index(unit)
            self.fit(sale, unit)
            self.pending.remove(sale)
            self.match(sale, unit)
            if unit.size == before:
                return
            unit = kin[at + 1]

    # what a match does

    def match(self, sale: UnitSale, unit: Unit) -> None:
        """Disallow the loss of one unit and move it to its replacement."""
        unit.used = True
        if not sale.loss:
            return
        sale.wash += sale.loss
        if not self.shifts(self.accounts[sale.account], self.accounts[unit.account]):
            return
        if unit.row is not None:
            unit.row.basis += sale.loss
            return
        unit.basis += sale.loss
        unit.loss_basis += sale.loss
        unit.start = self.tacked(sale, unit)
        unit.loss_start = unit.start
        unit.absorbed = True
        self.share_evenly(unit)

    def tacked(self, sale: UnitSale, unit: Unit) -> date:
        """Start of the holding period of a replacement.

        By position, it goes no further back than makes it long-term from its first day.
        """
        if self.policy["overlap_days"] == "once" and unit.order < sale.order:
            start = min(unit.start, sale.start)
        else:
            start = unit.start - (sale.day - sale.start)
        if self.policy["pool_pieces"]:
            return min(unit.start, max(start, unit.order[0] - timedelta(days=367)))
        return start

    def shifts(self, seller: Json, buyer: Json) -> bool:
        """True if the disallowed loss goes to the replacement's basis."""
        if buyer["type"] != "taxable":
            return False
        if buyer["owner"] == "entity":
            return bool(self.policy["entity_basis"] == "shift")
        return bool(buyer["owner"] == seller["owner"] or self.policy["spouse_basis"] == "shift")

    def share_evenly(self, unit: Unit) -> None:
        """By position, the pieces of one purchase in one account and of one date pool basis."""
        if not self.policy["pool_pieces"] or unit.going:
            return
        kin = [
            u for u in self.wallet(unit.account, unit.asset)
            if u.lot == unit.lot and u.absorbed and u.start == unit.start and not u.going
        ]  # fmt: skip
        size = sum((u.size for u in kin), Fraction(0))
        basis = sum((u.basis for u in kin), Fraction(0)) / size
        loss_basis = sum((u.loss_basis for u in kin), Fraction(0)) / size
        for each in kin:
            each.basis = basis * each.size
            each.loss_basis = loss_basis * each.size

    # in and out

    def acquire(
        self,
        event: Event,
        asset: str,
        qty: str,
        bases: tuple[Fraction, Fraction],
        starts: tuple[date, date] | None = None,
    ) -> None:
        """Add a lot, unit by unit; each serves the oldest open losses that it can replace."""
        raw, size = event.raw, self.size(asset, qty)
        starts = starts or (event.when, event.when)
        each = self.sizes[self.group(asset)]
        n, odd = divmod(size, each)
        sizes = [each] * int(n) + ([odd] if odd else [])
        new, at = [], Fraction(0)
        for part in sizes:
            share = part / size
            unit = Unit(
                raw["id"], at, event.order, raw["type"], part, raw["account"], asset,
                bases[0] * share, bases[1] * share, *starts,
            )  # fmt: skip
            at += part
            new.append(unit)
        self.come_in(new)

    def come_in(self, new: list[Unit]) -> None:
        """New units are held; then those that are purchases replace what waits."""
        for unit in new:
            self.add(unit)
        for unit in new:
            if not unit.used and self.counts_as_bought(unit):
                self.serve(unit)

    def dispose(
        self, event: Event, account: str, units: list[Unit], proceeds: Fraction
    ) -> list[UnitSale]:
        """Sell units one by one, by original acquisition; later ones are still held."""
        if not units:
            return []
        whole = sum((u.size for u in units), Fraction(0))
        first = len(self.sales)
        for unit in self.one_by_one(account, units):
            if self.reports(account):
                price = proceeds * unit.size / whole
                self.sell_one(self.as_sold(event, unit, event.when, price, event.order))
        return self.sales[first:]

    def one_by_one(self, account: str, units: list[Unit]) -> Iterator[Unit]:
        """The units of a sale as they leave; those still to come may not pool, and in a full
        exit (by position) not replace each other."""
        for unit in units:
            unit.going = True
        kin = self.units[self.group(units[0].asset)]
        stays = any(u.held and not u.going for u in kin)
        self.leaves_nothing = self.policy["full_exit"] == "allow" and not stays
        self.queue = sorted(units, key=self.fifo)
        while self.queue:
            unit = self.queue.pop(0)
            unit.going = False
            self.leaves(account, unit)
            yield unit
        self.leaves_nothing = False

    def sell_one(self, row: UnitSale) -> None:
        """Put a row on the return and see whether its loss is allowed."""
        row.unit.row = row
        self.sales.append(row)
        if self.is_under_rule(row):
            self.seek(row)

    def forget(self, today: date) -> None:
        """Sales whose window is past wait for nothing."""
        last = today - timedelta(days=WINDOW)
        self.pending = [s for s in self.pending if s.day >= last]
