"""All units of a history: which of them leave, what a sale is, what replaces what."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from .units import Event, Json, Unit, UnitSale, first_long_day, settlement_day, unit_sizes

ACQUIRING = {"buy", "swap"}
SETTLING = {"stock", "fund", "option"}  # named until settlement, not only until the sale
BOOKS_SUFFICE_UNTIL = date(2026, 12, 31)  # Notice 2026-20


class HeldOutError(Exception):
    """The event asks for more units than the wallet holds."""


class State:
    """The units, the sales, and the rules that need no event type."""

    def __init__(self, scenario: Json, policy: Json, events: list[Event]) -> None:
        if policy["jurisdiction"] != "US":
            raise NotImplementedError(policy["jurisdiction"])
        self.policy = policy
        self.accounts: dict[str, Json] = {a["id"]: a for a in scenario["accounts"]}
        self.assets: dict[str, Json] = {a["id"]: a for a in scenario["assets"]}
        self.factor = {n: Fraction(a.get("ratio", "1")) for n, a in self.assets.items()}
        self.sizes = unit_sizes(events, self.assets)
        self.units: list[Unit] = []
        self.sales: list[UnitSale] = []
        self.pending: list[UnitSale] = []  # unmatched losses, oldest first
        self.matches: list[tuple[UnitSale, Unit]] = []
        self.orders: dict[str, Json] = {}
        self.income: list[Json] = []
        self.abandoned: list[tuple[str, Unit, Fraction]] = []
        self.error = False

    # which units

    def count(self, asset: str, qty: str) -> int:
        """How many units a quantity of an asset is."""
        number = Fraction(qty) * self.factor[asset] / self.sizes[self.assets[asset]["group"]]
        if number.denominator != 1:
            raise AssertionError("a quantity is not a whole number of units")
        return int(number)

    def wallet(self, account: str, asset: str) -> list[Unit]:
        """Units of an asset held in an account."""
        return [u for u in self.units if u.held and (u.account, u.asset) == (account, asset)]

    def method(self, account: str, when: date) -> str:
        """Lot method of an account on a day."""
        order = self.orders.get(account)
        if order is None:
            return str(self.policy["lot_method"])
        if self.books_fail(account, order.get("recorded_in"), when):
            return "FIFO"
        return str(order["method"])

    def books_fail(self, account: str, kept_in: str | None, when: date) -> bool:
        """True if an identification kept in the own books binds no longer."""
        at_broker = self.accounts[account].get("custody") == "broker"
        return at_broker and kept_in == "books" and when > BOOKS_SUFFICE_UNTIL

    def by_method(self, pool: list[Unit], method: str) -> list[Unit]:
        """The pool in the order in which the method takes it."""
        if method == "FIFO":
            return sorted(pool, key=lambda u: u.fifo_key)
        if method == "LIFO":  # inside one sub-lot the lower index still goes first
            return sorted(
                sorted(pool, key=lambda u: u.index), key=lambda u: u.fifo_key[:2], reverse=True
            )
        if method == "HIFO":
            return sorted(pool, key=lambda u: (-u.basis / u.size, u.fifo_key))
        raise NotImplementedError(method)

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

    def identified(self, event: Event, account: str, pool: list[Unit], n: int) -> list[Unit]:
        """Units named by an adequate identification; none if there is none or it is not."""
        raw, lots = event.raw, Counter[str]()
        if "withheld_from" in raw:
            lots[raw["withheld_from"]] = n
        else:
            if self.is_late(event, pool[0].asset):
                return []
            if self.books_fail(account, raw.get("identified_to"), event.when):
                return []
            for item in raw.get("lots", []):
                lots[item["lot"]] += self.count(pool[0].asset, item["qty"])
        if lots.total() > n or any(k > sum(u.lot == x for u in pool) for x, k in lots.items()):
            return []
        first = self.by_method(pool, "FIFO")
        return [u for x, k in lots.items() for u in [v for v in first if v.lot == x][:k]]

    def choose(self, event: Event, account: str, asset: str, n: int) -> list[Unit]:
        """The n units that leave a wallet: identified ones, then by method."""
        pool = self.wallet(account, asset)
        if n > len(pool):
            raise HeldOutError
        named = self.identified(event, account, pool, n)
        rest = [u for u in pool if not any(u is v for v in named)]
        return named + self.by_method(rest, self.method(account, event.when))[: n - len(named)]

    # disposals

    def reports(self, account: str) -> bool:
        """True for the accounts whose sales are on the taxpayer's return."""
        a = self.accounts[account]
        return a["type"] == "taxable" and a["owner"] in ("self", "spouse")

    def as_sold(self, event: str, unit: Unit, when: date, price: Fraction) -> UnitSale:
        """What the sale of a unit is, before any wash sale."""
        basis, start = price, unit.start  # between the two bases of a gift: nothing
        if price > unit.basis:
            basis = unit.basis
        elif price < unit.loss_basis:
            basis, start = unit.loss_basis, unit.loss_start
        inherited = unit.kind == "inherit"
        return UnitSale(
            event=event,
            sold=when,
            unit=unit,
            account=unit.account,
            asset=unit.asset,
            qty=unit.size / self.factor[unit.asset],
            acquired="INHERITED" if inherited else start.isoformat(),
            start=start,
            term="L" if inherited or when >= first_long_day(start) else "S",
            proceeds=price,
            basis=basis,
        )

    def dispose(self, event: Event, units: list[Unit], proceeds: Fraction) -> None:
        """Sell units one by one, by original acquisition; later ones are still held."""
        each = proceeds / len(units) if units else proceeds
        for unit in sorted(units, key=lambda u: u.fifo_key):
            unit.held = False
            if not self.reports(unit.account):
                continue
            sale = self.as_sold(event.raw["id"], unit, event.when, each)
            self.sales.append(sale)
            if sale.gain < 0 and self.assets[sale.asset]["class"] in self.classes(sale.sold):
                found = [u for u in self.units if self.replaces(u, sale)]
                if found:
                    self.wash(sale, min(found, key=lambda u: (u.order, u.index)))
                else:
                    self.pending.append(sale)

    # wash sales

    def classes(self, when: date) -> list[str]:
        """Classes under the wash-sale rule on a day."""
        versions = [v for v in self.policy["wash_sale"] if date.fromisoformat(v["from"]) <= when]
        return list(max(versions, key=lambda v: str(v["from"]))["classes"]) if versions else []

    def replaces(self, unit: Unit, sale: UnitSale) -> bool:
        """True if the unit is a replacement for a unit sold at a loss."""
        sold, asset = self.assets[sale.asset], self.assets[unit.asset]
        taxed_receipt = unit.kind == "income" and self.policy["income_is_acquisition"]
        return (
            unit.held
            and not unit.used
            and (unit.kind in ACQUIRING or taxed_receipt)
            and unit.lot != sale.unit.lot
            and sold["group"] == asset["group"]
            and {sold["class"], asset["class"]} <= set(self.classes(sale.sold))
            and abs((unit.order[0] - sale.sold).days) <= 30
            and (self.policy["earlier_lots"] == "count" or unit.order > sale.unit.order)
        )

    def wash(self, sale: UnitSale, unit: Unit) -> None:
        """Disallow the loss of one unit and move it to its replacement."""
        loss = -sale.gain
        sale.wash, unit.used = loss, True
        self.matches.append((sale, unit))
        if self.shifts(self.accounts[sale.account], self.accounts[unit.account]):
            unit.basis += loss
            unit.loss_basis += loss
            unit.start -= sale.sold - sale.start
            unit.loss_start = unit.start

    def shifts(self, seller: Json, buyer: Json) -> bool:
        """True if the disallowed loss goes to the replacement's basis."""
        if buyer["type"] != "taxable":
            return False
        if buyer["owner"] == "entity":
            return bool(self.policy["entity_basis"] == "shift")
        return bool(buyer["owner"] == seller["owner"] or self.policy["spouse_basis"] == "shift")

    def acquire(
        self,
        event: Event,
        asset: str,
        qty: str,
        bases: tuple[Fraction, Fraction],
        starts: tuple[date, date] | None = None,
    ) -> None:
        """Add a lot; each of its units serves the oldest open loss it can replace."""
        n, raw = self.count(asset, qty), event.raw
        starts = starts or (event.when, event.when)
        size = self.sizes[self.assets[asset]["group"]]
        new = [
            Unit(
                raw["id"],
                Fraction(i),
                event.order,
                raw["type"],
                size,
                raw["account"],
                asset,
                bases[0] / n,
                bases[1] / n,
                *starts,
            )
            for i in range(n)
        ]
        self.units += new
        for unit in new:
            sale = next((s for s in self.pending if self.replaces(unit, s)), None)
            if sale is not None:
                self.pending = [s for s in self.pending if s is not sale]
                self.wash(sale, unit)
