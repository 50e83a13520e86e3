"""Lots, and the pool of open lots of one asset in one account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.days import first_long_day, iso

if TYPE_CHECKING:
    from domain.wash_sales import WashSales

SortKey = Callable[["Lot"], tuple[Any, ...]]
Pick = tuple["Lot", int]
NO_LOSS_BASIS = -1
INHERITED = "INHERITED"
POOLED = -(10**40)  # the place of pooled units: before all others of their acquisition and date


class Lot(msgspec.Struct, gc=False, eq=False):
    """Units of one acquisition that share account, basis per unit and dates.

    `quantity` in 10**-18 units, `basis` in 10**-36 of the currency, days as ordinals.
    `acquired` includes tacked days; `origin` is the day the owner really got the units.
    `order` numbers acquisitions within the book, `offset` is the lot's first unit within
    its acquisition. `used`: has absorbed a disallowed loss (Reg. 1.1091-1(e)).
    """

    ref: str
    asset: Asset
    account: Account
    quantity: int
    basis: int
    acquired: int
    order: int
    offset: int
    serial: int
    origin: int
    covered: bool = False
    used: bool = False
    picked: bool = False
    inherited: bool = False
    loss_basis: int = NO_LOSS_BASIS
    gift_day: int = 0

    @property
    def acquired_text(self) -> str:
        """What Form 8949 column (b) will say of it."""
        return INHERITED if self.inherited else iso(self.acquired)

    @property
    def long_from(self) -> int:
        """First day on which a sale is long-term (IRC 1222(3), 1223(9))."""
        return self.origin if self.inherited else first_long_day(self.acquired)

    @property
    def long_from_text(self) -> str:
        """That day as ISO 8601 text; empty where the law knows no term."""
        return iso(self.long_from)


class Pool:
    """Open lots of one asset in one account, in the order in which they would be sold.

    A heap of (sort key, lot); a lot that was emptied stays until it comes up. A lot whose
    key would change (a wash sale moves basis and date; a front part lives on apart from the
    rest) is replaced by a new lot instead. `wallets`: of a pool that several accounts share,
    the units that each holds. `latest`: the lot that absorbed a loss last, `absorbers` the last
    by acquisition and holding date, where pieces are pooled; the next one may merge with it.
    """

    __slots__ = ("absorbers", "heap", "latest", "method", "quantity", "sort_key", "wallets", "wash")

    def __init__(self, method: str, sort_key: SortKey, wash: WashSales) -> None:
        self.method = method
        self.sort_key = sort_key
        self.wash = wash
        self.heap: list[tuple[Any, ...]] = []
        self.quantity = 0
        self.wallets: dict[str, int] | None = None
        self.absorbers: dict[tuple[int, int], Lot] = {}
        self.latest: Lot | None = None

    def count(self, account: str, units: int) -> None:
        """Counts units that came to (or, if negative, left) an account."""
        self.quantity += units
        if self.wallets is not None:
            self.wallets[account] += units

    def push(self, lot: Lot, pools_pieces: bool) -> Lot | None:
        """Puts a lot into its place, without counting it; merged with its like (decision 0011).

        Returns the lot that went into it, empty now.
        """
        merged = None
        if lot.used:
            if pools_pieces:
                lot.offset = POOLED
                merged = self._pooled(lot)
            else:
                latest, self.latest = self.latest, lot
                if latest is not None and latest.order == lot.order:
                    merged = latest if _is_next_to(lot, latest) and _merge(lot, latest) else None
        heappush(self.heap, self.sort_key(lot))
        return merged

    def _pooled(self, lot: Lot) -> Lot | None:
        key = (lot.order, lot.acquired)
        other = self.absorbers.get(key)
        self.absorbers[key] = lot
        if other is None or not _merge(lot, other):
            return None
        if len(self.absorbers) > 2 * len(self.heap):
            self.absorbers = {at: each for at, each in self.absorbers.items() if each.quantity}
        return other

    def lots(self) -> Iterator[Lot]:
        """Open lots in no order."""
        return (item[-1] for item in self.heap if item[-1].quantity)

    def reorder(self, method: str, sort_key: SortKey) -> None:
        """Changes the method (a new standing order) or refreshes the keys (a split)."""
        self.method = method
        self.sort_key = sort_key
        self.heap = [sort_key(lot) for lot in self.lots()]
        heapify(self.heap)

    def take(self, quantity: int) -> list[Pick]:
        """The lots that `quantity` units come from, each with the units to take from it.

        Whole lots leave the heap; the last, partial one stays. The caller has checked that
        the pool holds enough, and reduces the lots.
        """
        picks: list[Pick] = []
        heap = self.heap
        self.quantity -= quantity
        while quantity:
            lot: Lot = heap[0][-1]
            held = lot.quantity
            if held > quantity:
                picks.append((lot, quantity))
                break
            heappop(heap)
            if held:
                picks.append((lot, held))
                quantity -= held
        return picks


def _is_next_to(lot: Lot, other: Lot) -> bool:
    """Whether merging pieces of one acquisition changes no figure: neighbours, alike per unit."""
    return (
        other.acquired == lot.acquired
        and other.offset + other.quantity == lot.offset
        and other.basis * lot.quantity == lot.basis * other.quantity
    )


def _merge(lot: Lot, other: Lot) -> bool:
    """Takes `other`, which lies before `lot`, into it if they are alike: whether they were."""
    alike = (
        other.quantity
        and not other.picked
        and other.account is lot.account
        and other.covered is lot.covered
        and other.inherited is lot.inherited
        and other.loss_basis == lot.loss_basis == NO_LOSS_BASIS
    )
    if not alike:
        return False
    lot.quantity += other.quantity
    lot.basis += other.basis
    lot.offset = other.offset
    other.quantity = other.basis = 0
    return True


def part_of(total: int, units: int, of_units: int) -> int:
    """The share of `total` for `units` of `of_units`; the rest is total minus it."""
    return total if units == of_units else total * units // of_units
