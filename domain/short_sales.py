"""Short sales: what is open, and losses on closing that another sale washes (IRC 1091(e)).

A short sale is a sale whose proceeds wait for the day on which units are delivered. A loss on
delivering units that were owned when it was opened is an ordinary wash-sale case of the opening
day (Reg. 1.1091-1(g)); a loss on units acquired later is washed by other sales, not purchases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.disposals import Disposal, WashMatch
from domain.lots import part_of
from domain.wash_sales import NEVER, WashSales
from domain.weights import BookSplit, common_units

_NO_SALES = ("return_of_capital", "option_written")


class ShortSale(msgspec.Struct, gc=False, eq=False):
    """`units` still to be delivered for `proceeds` (net, 10**-36); `day` it was opened."""

    serial: int
    ref: str
    account: Account
    asset: Asset
    day: int
    units: int
    proceeds: int


class _Sale(msgspec.Struct, gc=False, eq=False):
    """A sale or short sale that can wash a loss: `quantity` units have washed none yet."""

    serial: int
    ref: str
    account: Account
    asset: Asset
    day: int
    quantity: int
    short: ShortSale | None = None


class _Rows(Protocol):
    """What is asked of the book."""

    disposals: list[Disposal]
    washes: dict[str, WashSales]
    splits: list[BookSplit]


class ShortSales:
    """The short sales of one book, and losses that wait for another sale."""

    __slots__ = ("_book", "_closings", "_waiting", "_washing", "by_ref")

    def __init__(self, book: _Rows) -> None:
        self._book = book
        self.by_ref: dict[str, ShortSale] = {}
        self._closings: set[str] = set()
        self._waiting: list[Disposal] = []
        self._washing: dict[int, _Sale] = {}

    def open(self, short: ShortSale, window: int) -> None:
        """Opens a short sale; it may wash a loss on closing another one."""
        self.by_ref[short.ref] = short
        self.keep_purchases(short.asset.group)
        self._meet(
            _Sale(short.serial, short.ref, short.account, short.asset, short.day, short.units,
                  short),
            window,
        )  # fmt: skip

    def close(self, ref: str, units: int) -> int:
        """Takes `units` off an open short sale and returns their share of its proceeds."""
        short = self.by_ref[ref]
        share = part_of(short.proceeds, units, short.units)
        short.units -= units
        short.proceeds -= share
        return share

    def split(self, asset: Asset, numerator: int, denominator: int) -> None:
        """A stock split: what is owed, and what may wash a loss, counts in new units."""
        for short in self.by_ref.values():
            if short.asset is asset:
                short.units = short.units * numerator // denominator
        for sale in self._washing.values():
            if sale.asset is asset:
                sale.quantity = sale.quantity * numerator // denominator
        for loss in self._waiting:
            if loss.asset is asset:
                loss.open_quantity = loss.open_quantity * numerator // denominator

    def closing(self, ref: str) -> None:
        """The rows of this fact close a short sale: they are no sales of their own."""
        self._closings.add(ref)

    def checkpoint(self, keep_row: Callable[[Disposal], None]) -> Callable[[], None]:
        """What sets this state back; rows that may change are handed to `keep_row`."""
        shorts = [(each, each.units, each.proceeds) for each in self.by_ref.values()]
        washing = [(each, each.quantity) for each in self._washing.values()]
        closings, waiting = set(self._closings), list(self._waiting)
        for row in waiting:
            keep_row(row)

        def undo() -> None:
            self.by_ref = {each.ref: each for each, _, _ in shorts}
            for short, units, proceeds in shorts:
                short.units, short.proceeds = units, proceeds
            self._washing = {sale.serial: sale for sale, _ in washing}
            for sale, quantity in washing:
                sale.quantity = quantity
            self._closings, self._waiting = set(closings), list(waiting)

        return undo

    def keep_purchases(self, group: str) -> None:
        """Purchases around the day of the oldest open short sale may still be replacements."""
        days = [
            short.day
            for short in self.by_ref.values()
            if short.units and short.asset.group == group
        ]
        self._book.washes[group].kept_from = min(days, default=NEVER)

    def sold(self, row: Disposal, window: int) -> None:
        """A new row: a sale may wash a loss that waits."""
        if self._waiting and row.ref not in self._closings:
            self._meet(_sale_of(row), window)

    def closed_at_a_loss(self, row: Disposal, window: int) -> None:
        """Oldest other sales of the 30 days before first; then it waits 30 days for one."""
        found = list(self._washing.values())
        for other in reversed(self._book.disposals):
            if other.sold < row.sold - window:
                break
            is_sale = other.ref not in self._closings and other.chosen_by not in _NO_SALES
            if is_sale and other.serial not in self._washing:
                found.append(self._sale_before(other))
        found.sort(key=lambda sale: sale.serial)
        for sale in found:
            if row.sold - window <= sale.day and row.open_quantity:
                self._match(row, sale)
        if row.open_quantity:
            self._waiting.append(row)

    def _sale_before(self, row: Disposal) -> _Sale:
        """An earlier sale, its units counted as they are after the splits since."""
        sale = _sale_of(row)
        for serial, asset, numerator, denominator, _ in self._book.splits:
            if serial > row.serial and asset is row.asset:
                sale.quantity = sale.quantity * numerator // denominator
        return sale

    def _meet(self, sale: _Sale, window: int) -> None:
        for loss in self._waiting:
            if loss.open_quantity and sale.day <= loss.sold + window:
                self._match(loss, sale)
        self._waiting = [
            loss for loss in self._waiting
            if loss.open_quantity and sale.day <= loss.sold + window
        ]  # fmt: skip
        if sale.short is not None:
            self._washing[sale.serial] = sale

    def _match(self, loss: Disposal, sale: _Sale) -> None:
        """Disallows the loss share for share; another short takes it off its proceeds."""
        same_class = sale.asset.asset_class.name in loss.wash_classes
        if not (sale.quantity and same_class and sale.asset.group == loss.asset.group):
            return
        if sale.short is not None and sale.ref == loss.short_ref:
            return
        group = self._book.washes[loss.asset.group]
        units, loss_units = common_units(group.weights, loss, sale)
        disallowed = group.disallow(loss, loss_units)
        sale.quantity -= units
        self._washing[sale.serial] = sale
        shifted = sale.short is not None and sale.short.units > 0
        if shifted and sale.short is not None:
            sale.short.proceeds -= disallowed
        group.matches.append(
            WashMatch(
                loss, sale.ref, sale.account, sale.asset, sale.day, units, loss_units, disallowed,
                0, shifted,
            )
        )  # fmt: skip


def _sale_of(row: Disposal) -> _Sale:
    return _Sale(row.serial, row.ref, row.account, row.asset, row.sold, row.quantity)
