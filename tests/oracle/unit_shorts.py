"""Short sales and options: what is owed, what closing it realizes, what an option becomes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction

from .unit_matching import WINDOW, Matching
from .unit_state import NONE, HeldOutError
from .units import Event, Json, Order, Unit, UnitSale


@dataclass(eq=False)
class Short:
    """A short sale: what is still owed and the net proceeds kept for it."""

    event: str
    order: Order
    account: str
    asset: str
    size: Fraction
    proceeds: Fraction


@dataclass(eq=False)
class Sold:
    """Units that were sold, or sold short, and have not yet disallowed a short's loss."""

    order: Order
    event: str
    asset: str
    left: Fraction
    short: Short | None = None


@dataclass(eq=False)
class Waiting:
    """The loss of a short closed with units bought later: sales may still disallow it."""

    row: UnitSale
    opened: str
    left: Fraction
    each: Fraction = field(default=NONE)  # loss per group unit


class Shorts(Matching):
    """The part of the simulation about short sales and options."""

    def __init__(self, scenario: Json, policy: Json, sizes: dict[str, Fraction]) -> None:
        super().__init__(scenario, policy, sizes)
        self.shorts: dict[str, Short] = {}
        self.sold: list[Sold] = []
        self.waiting: list[Waiting] = []

    def on_short_open(self, event: Event) -> None:
        """Net proceeds are held until the close."""
        raw = event.raw
        size = self.size(raw["asset"], raw["qty"])
        net = Fraction(raw["amount"]) - Fraction(raw.get("fee", "0"))
        short = Short(raw["id"], event.order, raw["account"], raw["asset"], size, net)
        self.shorts[short.event] = short
        self.factor.used.add(raw["asset"])
        if self.reports(raw["account"]):
            self.was_sold(Sold(event.order, raw["id"], raw["asset"], size, short))

    def on_short_close(self, event: Event) -> None:
        """Units are delivered; each counts by when it was acquired."""
        raw = event.raw
        size = self.size(raw["asset"], raw["qty"])
        short = self.shorts.get(raw["opens"])
        named = (raw["account"], raw["asset"])
        if short is None or (short.account, short.asset) != named or size > short.size:
            raise HeldOutError("no_such_short_sale")
        units = self.choose(event, raw["account"], raw["asset"], size)
        each = short.proceeds / short.size
        short.proceeds -= each * size
        each -= Fraction(raw.get("fee", "0")) / size
        short.size -= size
        for unit in self.one_by_one(raw["account"], units):
            if self.reports(raw["account"]):
                self.close_one(event, unit, short, each * unit.size)

    def close_one(self, event: Event, unit: Unit, short: Short, price: Fraction) -> None:
        """Owned when the short was opened: that day counts. Bought later: sales count."""
        owned = unit.order[0] <= short.order[0]
        row = self.as_sold(event, unit, event.when, price, short.order if owned else event.order)
        if owned:
            self.sell_one(row)
            return
        unit.row = row
        self.sales.append(row)
        if row.loss and self.is_under_rule(row):
            self.waiting.append(Waiting(row, short.event, unit.size, row.loss / unit.size))
            for sold in self.sold:
                self.disallow(self.waiting[-1], sold)

    def was_sold(self, sold: Sold) -> None:
        """A sale or short sale that may disallow losses of shorts closed before it."""
        self.sold.append(sold)
        for waiting in self.waiting:
            self.disallow(waiting, sold)

    def disallow(self, waiting: Waiting, sold: Sold) -> None:
        """IRC 1091(e), unit by unit."""
        row, size = waiting.row, min(waiting.left, sold.left)
        classes = {self.assets[a]["class"] for a in (row.asset, sold.asset)}
        if (
            not size
            or self.group(row.asset) != self.group(sold.asset)
            or sold.event in (row.event, waiting.opened)
            or abs((sold.order[0] - row.sold).days) > WINDOW
            or not classes <= self.classes(row.sold)
        ):
            return
        loss = waiting.each * size
        waiting.left -= size
        sold.left -= size
        row.wash += loss
        if sold.short is not None:
            sold.short.proceeds -= loss

    def sell_one(self, row: UnitSale) -> None:
        """A row of a sale may also disallow a short's loss."""
        size = row.unit.size
        super().sell_one(row)
        if row.kind != "short_close":  # a delivery: its sale was the opening
            self.was_sold(Sold(row.order, row.event, row.asset, size))

    # options

    def on_option_expire(self, event: Event) -> None:
        """Sale for 0; of a written option the premium is the gain."""
        raw = event.raw
        asset, account = raw["asset"], raw["account"]
        size = self.size(asset, raw["qty"])
        written = [s for s in self.shorts.values()
                   if s.size and (s.account, s.asset) == (account, asset)]  # fmt: skip
        if self.counts[account, asset] or not written:
            units = self.choose(event, account, asset, size, NONE)
            self.dispose(event, account, units, NONE)
            return
        if size > sum(s.size for s in written):
            raise HeldOutError("no_such_short_sale")
        for short in written:
            part = min(size, short.size)
            if part:
                self.lapse(event, short, part)
                size -= part

    def lapse(self, event: Event, short: Short, size: Fraction) -> None:
        """A written option ran out: its premium is short-term gain (IRC 1234(b))."""
        price = short.proceeds * size / short.size
        short.proceeds -= price
        short.size -= size
        unit = Unit(
            short.event, NONE, short.order, "short_open", size, short.account, short.asset,
            NONE, NONE, short.order[0], short.order[0], held=False,
        )  # fmt: skip
        if self.reports(short.account):
            row = self.as_sold(event, unit, event.when, price, event.order)
            row.term = "S"
            self.sales.append(row)

    def on_option_exercise(self, event: Event) -> None:
        """Each piece of the option makes its share of the underlying."""
        raw = event.raw
        account, size = raw["account"], self.size(raw["asset"], raw["qty"])
        cost = Fraction(raw["amount"]) + Fraction(raw.get("fee", "0"))
        whole = self.size(raw["underlying"], raw["underlying_qty"])
        new: list[Unit] = []
        at = NONE
        for option in self.choose(event, account, raw["asset"], size):
            self.leaves(account, option)
            share = self.share_of(event, option, whole * option.size / size, at)
            share.basis += cost * option.size / size
            share.loss_basis = share.basis
            at += share.size
            new.append(share)
        self.come_in(new)

    def share_of(self, event: Event, option: Unit, size: Fraction, at: Fraction) -> Unit:
        """The underlying units of one option unit, with all that it carries."""
        days = option.order[0] - option.start if option.used else timedelta()
        start = event.when - days
        return replace(
            option, lot=event.raw["id"], index=at, order=event.order, kind=event.raw["type"],
            size=size, account=event.raw["account"], asset=event.raw["underlying"],
            start=start, loss_start=start, held=True, row=None,
        )  # fmt: skip

    def collectible(self, asset: str) -> bool:
        """Stated for the token; by position also where nothing is stated."""
        a: Json = self.assets[asset]
        silent = a["class"] == "nft" and asset not in self.reasons
        return bool(a.get("collectible")) or (
            silent and self.policy["digital_art"] == "collectible"
        )
