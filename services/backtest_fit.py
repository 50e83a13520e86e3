"""Recorded facts in a telling in which some units were sold earlier: what of each can still happen.

Units are taken out as far as they are there; the amounts shrink with them (rounded down at the
last place that is kept). Units that were identified and are gone are chosen by the account's
method instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.exact import format_money, format_quantity, money, quantity
from domain.facts import Abandon, Convert, Fact, GiftOut, Leg, LotPick, Sell, Swap, Transfer
from domain.portfolio import Portfolio

Place = tuple[str, str]  # account, asset


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is told instead of a fact: nothing if no unit is left. `missing` units were sold before.

    `amount` (money, 10**-36) is what the fact had brought for the missing units.
    """

    fact: Fact | None
    place: Place
    missing: int = 0
    amount: int = 0


def place_of(fact: Fact) -> Place | None:
    """The account and asset that a fact takes units out of; None if it does nothing like that."""
    match fact:
        case Sell() | GiftOut() | Abandon():
            return fact.account, fact.asset
        case Transfer():
            return fact.from_account, fact.asset
        case Swap() | Convert():
            return fact.account, fact.out.asset
    return None


def fitted(portfolio: Portfolio, fact: Fact, place: Place) -> Fitted:
    """The fact as far as the units at `place` (see `place_of`) go now."""
    lots = [
        lot
        for book in portfolio.books.values()
        for lot in book.open_lots()
        if (lot.account.id, lot.asset.id) == place
    ]
    held = sum(lot.quantity for lot in lots)
    wanted = _units(fact)
    changed: dict[str, Any] = {}
    picks: tuple[LotPick, ...] = getattr(fact, "lots", ())
    if wanted > held or any(
        quantity(pick.quantity) > sum(lot.quantity for lot in lots if lot.ref == pick.lot)
        for pick in picks
    ):
        changed = dict.fromkeys(("identified_at", "identified_to")) | {"lots": ()}
    if wanted <= held:
        return Fitted(_changed(fact, changed), place)
    amount = money(getattr(fact, "amount", None) or "0")
    lost = amount - amount * held // wanted
    if not held:
        return Fitted(None, place, wanted, lost)
    return Fitted(_changed(fact, changed | _shrunk(fact, held, wanted)), place, wanted - held, lost)


def _units(fact: Fact) -> int:
    match fact:
        case Transfer():
            return quantity(fact.quantity) + quantity(fact.fee_quantity)
        case Swap() | Convert():
            return quantity(fact.out.quantity)
        case Sell() | GiftOut() | Abandon():
            return quantity(fact.quantity)
    raise TypeError(fact)


def _shrunk(fact: Fact, held: int, wanted: int) -> dict[str, Any]:
    """The fields that `held` instead of `wanted` units change."""

    def share(text: str, read: Callable[[str], int], write: Callable[[int], str]) -> str:
        return write(read(text) * held // wanted)

    if isinstance(fact, Transfer):
        fee = min(quantity(fact.fee_quantity), held)
        return {"quantity": format_quantity(held - fee), "fee_quantity": format_quantity(fee)}
    changed: dict[str, Any] = {}
    for name in ("amount", "fee"):
        text = getattr(fact, name, None)
        if text is not None:
            changed[name] = share(text, money, format_money)
    if isinstance(fact, Swap | Convert):
        into = share(fact.into.quantity, quantity, format_quantity)
        return changed | {
            "out": Leg(fact.out.asset, format_quantity(held)),
            "into": Leg(fact.into.asset, into),
        }
    return changed | {"quantity": format_quantity(held)}


def _changed(fact: Fact, fields: dict[str, Any]) -> Fact:
    known = {name: value for name, value in fields.items() if name in fact.__struct_fields__}
    return msgspec.structs.replace(fact, **known) if known else fact
