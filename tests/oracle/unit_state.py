"""All units of a history, where they are, which wallets share basis, and what a sale of one is."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from .units import (
    Event,
    Factors,
    Json,
    Order,
    Unit,
    UnitSale,
    cut_row,
    cut_unit,
    first_long_day,
)  # fmt: skip

DIGITAL = {"crypto", "nft", "tokenized_security"}
PER_WALLET_FROM = date(2025, 1, 1)  # Rev. Proc. 2024-28
NONE = Fraction(0)


class HeldOutError(Exception):
    """The event cannot have happened as it is told; `code` says why."""

    def __init__(self, code: str = "insufficient_units") -> None:
        super().__init__(code)
        self.code = code


class State:
    """The units, the rows, the wallets, and the rules that need no event type."""

    def __init__(self, scenario: Json, policy: Json, sizes: dict[str, Fraction]) -> None:
        if policy["jurisdiction"] != "US":
            raise NotImplementedError(policy["jurisdiction"])
        self.policy = policy
        self.accounts: dict[str, Json] = {a["id"]: a for a in scenario["accounts"]}
        self.assets: dict[str, Json] = {a["id"]: a for a in scenario["assets"]}
        self.traders = set(scenario.get("marked_to_market", ()))  # IRC 475(f)
        self.reasons: Json = scenario.get("collectible_reasons", {})
        self.factor = Factors(self.assets)
        self.sizes = sizes
        self.units: dict[str, list[Unit]] = defaultdict(list)  # by group, gone ones included
        self.counts: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        self.sales: list[UnitSale] = []
        self.pending: list[UnitSale] = []  # sales that still look for a replacement, oldest first
        self.queue: list[Unit] = []  # units of the running sale that are still to be sold
        self.pooled = policy["pool"] == "universal_before_2025"  # until the hand-out
        self.versions = sorted(
            (date.fromisoformat(v["from"]), frozenset(v["classes"])) for v in policy["wash_sale"]
        )

    def group(self, asset: str) -> str:
        """The substantially identical set of an asset."""
        return str(self.assets[asset]["group"])

    def size(self, asset: str, qty: str) -> Fraction:
        """A quantity of an asset in group units."""
        return Fraction(qty) * self.factor[asset]

    # places

    def sharing(self, account: str, asset: str) -> tuple[str, ...]:
        """The accounts whose basis of an asset is one pool with that of `account`."""
        own = self.accounts[account]
        if own["type"] != "taxable" or self.assets[asset]["class"] not in DIGITAL:
            return (account,)
        kin = [a for a in self.accounts.values()
               if a["type"] == "taxable" and a["owner"] == own["owner"]]  # fmt: skip
        if self.pooled:
            return tuple(a["id"] for a in kin)
        if self.policy["self_custody_pool"] == "one" and own.get("custody") == "self":
            return tuple(a["id"] for a in kin if a.get("custody") == "self")
        return (account,)

    def place(self, account: str, asset: str) -> str:
        """Name of the pool of basis, which is that of the account if it is alone."""
        return "+".join(self.sharing(account, asset))

    def wallet(self, account: str, asset: str) -> list[Unit]:
        """Units of an asset that basis may be taken from for an account."""
        places = self.sharing(account, asset)
        return [u for u in self.units[self.group(asset)]
                if u.held and u.asset == asset and u.account in places]  # fmt: skip

    def has(self, account: str, asset: str, size: Fraction) -> None:
        """Refuse to take a wallet below zero."""
        if size > self.counts[account, asset]:
            raise HeldOutError

    def leaves(self, account: str, unit: Unit) -> None:
        """A unit is no longer held in an account."""
        unit.held = False
        unit.account = account
        self.counts[account, unit.asset] -= unit.size

    def add(self, unit: Unit) -> None:
        """A unit is held from now on."""
        self.factor.used.add(unit.asset)
        self.units[self.group(unit.asset)].append(unit)
        self.counts[unit.account, unit.asset] += unit.size

    def reports(self, account: str) -> bool:
        """True for the accounts whose sales are on the taxpayer's return."""
        a = self.accounts[account]
        return a["type"] == "taxable" and a["owner"] in ("self", "spouse")

    # pieces

    def cut(self, unit: Unit, size: Fraction) -> None:
        """Make two of a unit, the first of `size`; its row is cut too."""
        share, row = size / unit.size, unit.row
        rest = cut_unit(unit, size)
        kin = self.units[self.group(unit.asset)]
        kin.insert(kin.index(unit) + 1, rest)
        if unit.going:
            self.queue.insert(self.queue.index(unit) + 1, rest)
        if row is not None:
            other = cut_row(row, share, rest)
            self.sales.insert(self.sales.index(row) + 1, other)
            if row in self.pending:
                self.pending.insert(self.pending.index(row) + 1, other)

    def take(self, ordered: list[Unit], size: Fraction) -> list[Unit]:
        """The first units of a list that make up `size`; the last of them is cut to it."""
        taken: list[Unit] = []
        for unit in ordered:
            if size <= 0:
                break
            if unit.size > size:
                self.cut(unit, size)
            taken.append(unit)
            size -= unit.size
        return taken

    # sales

    def outcome(self, unit: Unit, when: date, price: Fraction) -> tuple[Fraction, date, str]:
        """Basis, start of the holding period and term of a unit that is sold for `price`."""
        basis, start = price, unit.start  # between the two bases of a gift: nothing
        if price > unit.basis:
            basis = unit.basis
        elif price < unit.loss_basis:
            basis, start = unit.loss_basis, unit.loss_start
        if unit.kind == "inherit":
            return basis, start, "L"
        return basis, start, "L" if when >= first_long_day(start) else "S"

    def as_sold(
        self, event: Event | None, unit: Unit, when: date, price: Fraction, order: Order
    ) -> UnitSale:
        """What the sale of a unit is, before any wash sale."""
        basis, start, term = self.outcome(unit, when, price)
        return UnitSale(
            event=event.raw["id"] if event else "",
            kind=event.raw["type"] if event else "",
            order=order,
            sold=when,
            unit=unit,
            account=unit.account,
            asset=unit.asset,
            qty=unit.size / self.factor[unit.asset],
            acquired="INHERITED" if unit.kind == "inherit" else start.isoformat(),
            start=start,
            term=term,
            proceeds=price,
            basis=basis,
            loss=max(NONE, basis - price),
        )

    def classes(self, when: date) -> frozenset[str]:
        """Classes under the wash-sale rule on a day."""
        found: frozenset[str] = frozenset()
        for since, listed in self.versions:
            if since <= when:
                found = listed
        return found
