"""Lot methods: each is one row of sort keys in a table. Adding one is adding a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from domain.days import first_long_day
from domain.exact import half_up
from domain.lots import Lot, SortKey


class Offer(msgspec.Struct, frozen=True, gc=False):
    """What a sale offers: net `proceeds` (10**-36) for `units` (10**-18) on `day`; tax rates."""

    day: int
    proceeds: int
    units: int
    rate_short: int
    rate_long: int


class LotMethod(msgspec.Struct, frozen=True, gc=False):
    """The order in which a method sells lots.

    `key` sorts by the lot alone. `priced` makes the key of a method that depends on the sale's
    price and day; without a price (gifts, moves) `key` is used.
    """

    key: SortKey
    priced: Callable[[Offer], SortKey] | None = None


def _fifo(lot: Lot) -> tuple[Any, ...]:
    """Actual acquisition first, then the earlier tacked date (rulebook a.4, c.11)."""
    return (lot.order, lot.acquired, lot.offset, lot.serial, lot)


def _lifo(lot: Lot) -> tuple[Any, ...]:
    return (-lot.order, -lot.acquired, lot.offset, lot.serial, lot)


def _hifo(lot: Lot) -> tuple[Any, ...]:
    """Highest adjusted basis per unit, to 18 decimals (so exact ties stay ties), then FIFO."""
    per_unit = half_up(lot.basis, lot.quantity)
    return (-per_unit, lot.order, lot.acquired, lot.offset, lot.serial, lot)


def _hifo_lt(offer: Offer) -> SortKey:
    """Losses first, then long-term gains, then short-term gains; each highest basis first."""
    return partial(_hifo_lt_key, offer)


def _hifo_lt_key(offer: Offer, lot: Lot) -> tuple[Any, ...]:
    per_unit, gain, is_long = _outcome(lot, offer)
    rank = 0 if gain < 0 else 1 if is_long else 2
    return (rank, -per_unit, lot.order, lot.acquired, lot.offset, lot.serial, lot)


def _min_tax(offer: Offer) -> SortKey:
    """Least (price - basis) x rate of the unit's term first, ties FIFO."""
    return partial(_min_tax_key, offer)


def _min_tax_key(offer: Offer, lot: Lot) -> tuple[Any, ...]:
    _, gain, is_long = _outcome(lot, offer)
    tax = gain * (offer.rate_long if is_long else offer.rate_short)
    return (tax, lot.order, lot.acquired, lot.offset, lot.serial, lot)


def _outcome(lot: Lot, offer: Offer) -> tuple[int, int, bool]:
    """(basis per unit, gain per unit, long-term) of a lot in that sale.

    Per unit in 10**-18, rounded half up, so that equal lots tie; whether there is a loss is
    exact. A gift worth less than the donor's basis has that of its loss side (IRC 1015(a)).
    """
    basis, acquired = lot.basis, lot.acquired
    proceeds = offer.proceeds * lot.quantity
    if lot.loss_basis >= 0 and proceeds <= basis * offer.units:
        acquired = lot.gift_day if proceeds < lot.loss_basis * offer.units else acquired
        basis = min(basis, max(lot.loss_basis, proceeds // offer.units))
    per_unit = _rounded(basis, lot.quantity)
    gain = _rounded(offer.proceeds, offer.units) - per_unit
    exact = proceeds - basis * offer.units
    if exact < 0 <= gain:
        gain = -1  # a loss too small for 18 decimals is a loss
    return per_unit, gain, lot.inherited or offer.day >= first_long_day(acquired)


def _rounded(money: int, units: int) -> int:
    return half_up(money, units)


LOT_METHODS: dict[str, LotMethod] = {
    "FIFO": LotMethod(_fifo),
    "LIFO": LotMethod(_lifo),
    "HIFO": LotMethod(_hifo),
    "HIFO_LT": LotMethod(_hifo, _hifo_lt),
    "MIN_TAX": LotMethod(_hifo, _min_tax),
}
