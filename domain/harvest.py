"""Harvest: open lots at today's marks, what a sale would allow now and what is blocked.

Each lot is taken as if sold alone today without fee (rulebook c.18): blocked are the units
that purchases of the last 30 days, still held and unused, would replace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.book import Book
from domain.days import first_long_day
from domain.lots import Lot, part_of
from domain.wash_sales import Purchase


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A lot with a loss at its mark. Money in 10**-36, quantity in 10**-18 units.

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


def opportunities(book: Book, marks: Mapping[str, int], day: int) -> list[Opportunity]:
    """Losses of a book on `day` at `marks` (asset id -> price, integer of 10**-18)."""
    found = []
    for lot in book.open_lots():
        price = marks.get(lot.asset.id)
        if price is not None and lot.account.reports:
            one = opportunity(book, lot, price, day)
            if one is not None:
                found.append(one)
    return found


def opportunity(book: Book, lot: Lot, price: int, day: int) -> Opportunity | None:
    """The lot's loss at `price` on `day`, or None if there is none."""
    value = lot.quantity * price
    basis, acquired = lot.basis, lot.acquired
    if lot.loss_basis >= 0:  # a gift: the lower value counts, held from the gift
        basis, acquired = lot.loss_basis, lot.gift_day
    loss = basis - value
    if loss <= 0:
        return None
    units, blockers = blocked_units(book, lot, day)
    blocked = part_of(loss, units, lot.quantity)
    is_long = lot.inherited or day >= first_long_day(acquired)
    latest = blockers[-1] if blockers else None
    return Opportunity(
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


def blocked_units(book: Book, lot: Lot, day: int) -> tuple[int, list[Purchase]]:
    """Units of `lot` whose loss would be disallowed today, and the purchases that do it."""
    policy = book.policy
    classes = policy.wash_classes(day)
    if lot.asset.asset_class.name not in classes:
        return 0, []
    number, unit = book.weights[lot.asset.id]
    needed = lot.quantity * number
    covered = 0
    blockers = []
    for purchase in book.washes[lot.asset.group].recent:
        if covered >= needed or not day - policy.rules.window_days <= purchase.day <= day:
            continue
        if purchase.order == lot.order:
            continue
        if policy.earlier_lots == "ignore" and purchase.order < lot.order:
            continue
        held = 0
        for piece in purchase.pieces:
            if piece.quantity and piece.asset.asset_class.name in classes:
                piece_number, piece_unit = book.weights[piece.asset.id]
                held += piece.quantity * piece_number * unit // piece_unit
        if held:
            blockers.append(purchase)
            covered += held
    return min(lot.quantity, -(-min(covered, needed) // number)), blockers
