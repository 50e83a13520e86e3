"""Harvest: open lots at today's marks, what a sale would allow now and what is blocked.

Each sub-lot (lot, account, asset, date) is taken as if sold alone today without fee (rulebook
c.18): blocked are the units that purchases of the last 30 days, still held and unused, would
replace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from domain.book import Book
from domain.days import first_long_day
from domain.kept_book import KeptBook
from domain.lots import Lot, part_of
from domain.purchases import Purchase, SoldUnits


class Opportunity(msgspec.Struct, frozen=True, gc=False):
    """A piece of a sub-lot with a loss. Money in 10**-36, quantity in 10**-18 units.

    `blocked` is the loss that would be disallowed now, until `blocked_until` (the last day on
    which the purchase `blocked_by` stands in the way), `harvestable` the rest.
    """

    lot: Lot
    price: int
    value: int
    basis: int
    loss: int
    blocked: int
    harvestable: int
    is_long: bool
    acquired: int
    days_to_long: int
    blocked_by: str
    blocked_until: int


class Blocker(NamedTuple):
    """A recent purchase with unused units: `units` in group units x 10**18."""

    purchase: Purchase
    units: int


def opportunities(book: KeptBook, marks: Mapping[str, int], day: int) -> list[Opportunity]:
    """Losses of a book on `day` at `marks` (asset id -> price, integer of 10**-18)."""
    return list(book.policy.rules.books.opportunities(book, marks, day))


def lot_opportunities(book: Book, marks: Mapping[str, int], day: int) -> list[Opportunity]:
    """The losses of a book of lots."""
    blockers = {group: blockers_of(book, group, day) for group in book.washes}
    found: list[Opportunity] = []
    for pieces in sublots(book, lambda lot: lot.asset.id in marks):
        price = marks[pieces[0].asset.id]
        if sum(loss_side(lot)[0] - lot.quantity * price for lot in pieces) > 0:
            taken = 0
            for lot in pieces:
                one, units = _opportunity(book, lot, price, day, blockers[lot.asset.group], taken)
                taken += units
                found.append(one)
    return found


def sublots(book: Book, wanted: Callable[[Lot], bool]) -> Iterator[list[Lot]]:
    """Pieces that are sold together: same lot, account, asset and date; reporting accounts."""
    sublots: dict[tuple[str, str, str, int], list[Lot]] = {}
    for lot in sorted(book.open_lots(), key=lambda each: (each.order, each.acquired, each.offset)):
        if lot.account.reports and wanted(lot):
            key = (lot.ref, lot.account.id, lot.asset.id, loss_side(lot)[1])
            sublots.setdefault(key, []).append(lot)
    yield from sublots.values()


def loss_side(lot: Lot) -> tuple[int, int]:
    """(basis, day) that count for a loss: of a gift the lower value, held from the gift."""
    if lot.loss_basis >= 0:
        return lot.loss_basis, lot.gift_day
    return lot.basis, lot.acquired


def _opportunity(
    book: Book, lot: Lot, price: int, day: int, blockers: list[Blocker], taken: int
) -> tuple[Opportunity, int]:
    """The piece's loss at `price`, and the units blocked; `taken` units are blocked before it."""
    value = lot.quantity * price
    basis, acquired = loss_side(lot)
    loss = basis - value
    units, latest = 0, None
    if blockers and (loss > 0 or book.matches_gains):
        units, latest = blocked_units(book, lot, day, blockers, taken)
    blocked = part_of(loss, units, lot.quantity) if loss > 0 else 0
    is_long = lot.inherited or day >= first_long_day(acquired)
    found = Opportunity(
        lot=lot,
        price=price,
        value=value,
        basis=basis,
        loss=loss,
        blocked=blocked,
        harvestable=loss - blocked,
        is_long=is_long,
        acquired=acquired,
        days_to_long=0 if is_long else first_long_day(acquired) - day,
        blocked_by=latest.ref if latest else "",
        blocked_until=latest.day + book.policy.rules.window_days if latest else 0,
    )
    return found, units


def blockers_of(book: Book, group: str, day: int) -> list[Blocker]:
    """Purchases of a group in the last 30 days that still hold unused units, oldest first."""
    classes = book.wash_classes(day)
    first = day - book.policy.rules.window_days
    found = []
    for purchase in book.washes[group].recent:
        if first <= purchase.day <= day:
            units = 0
            candidates: list[Lot | SoldUnits] = [*purchase.pieces, *purchase.sold]
            for piece in candidates:
                if piece.asset.asset_class.name in classes:
                    number, unit = book.weights[piece.asset.id]
                    units += piece.quantity * number * 10**18 // unit
            if units:
                found.append(Blocker(purchase, units))
    return found


def blocked_units(
    book: Book, lot: Lot, day: int, blockers: list[Blocker], taken: int
) -> tuple[int, Purchase | None]:
    """Units of `lot` that would be disallowed today, and the last purchase that does it.

    The purchase of the lot itself never blocks it (Rev. Rul. 56-602).
    """
    exempt = lot.account.marked_to_market
    if exempt or lot.asset.asset_class.name not in book.wash_classes(day):
        return 0, None
    number, unit = book.weights[lot.asset.id]
    per_unit = number * 10**18 // unit
    needed = (lot.quantity + taken) * per_unit
    earlier_count = book.policy.earlier_lots == "count"
    covered, latest = 0, None
    for blocker in blockers:
        order = blocker.purchase.order
        if order != lot.order and (earlier_count or order > lot.order):
            covered += blocker.units
            latest = blocker.purchase
            if covered >= needed:
                break
    units = -(-min(covered, needed) // per_unit) - taken
    return max(0, min(lot.quantity, units)), latest
