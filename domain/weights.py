"""Weights: how units of different assets of one identical group meet share for share."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import Protocol

from domain.assets import Asset
from domain.disposals import Disposal
from domain.exact import ONE_UNIT

Weights = dict[str, tuple[int, int]]
# The next serial of the book (0 where it has none), asset, new units, old units, tax day.
BookSplit = tuple[int, Asset, int, int, int]


class Units(Protocol):
    """Units of an asset that can meet units of a loss."""

    @property
    def asset(self) -> Asset: ...
    @property
    def quantity(self) -> int: ...


def first_weight(asset: Asset, splits: Iterable[tuple[Asset, int, int]]) -> tuple[int, int]:
    """The weight of an asset at its first fact: group units in one unit, a reduced fraction.

    Its ratio is stated as of that fact, in units of the group's base as they are then; `splits`
    are those of the history so far (asset, new units, old units). Splits of the asset itself
    before its first fact, other than the base, change nothing (decision 0016).
    """
    number, unit = asset.ratio, ONE_UNIT
    for each, new, old in splits:
        if each.is_base and each.group == asset.group:
            number, unit = number * old, unit * new
    return reduced(number, unit)


def reduced(number: int, unit: int) -> tuple[int, int]:
    """A fraction in its lowest terms."""
    common = gcd(number, unit)
    return number // common, unit // common


def common_units(weights: Weights, loss: Disposal, lot: Units) -> tuple[int, int]:
    """How many units of `lot` meet how many of `loss`, share for share of the group."""
    lot_number, lot_unit = weights[lot.asset.id]
    loss_number, loss_unit = weights[loss.asset.id]
    per_lot, per_loss = lot_number * loss_unit, loss_number * lot_unit
    held, lost = lot.quantity * per_lot, loss.open_quantity * per_loss
    if abs(held - lost) < max(per_lot, per_loss):  # less than 10**-18 of the coarser asset
        return lot.quantity, loss.open_quantity
    if lost <= held:
        return min(lot.quantity, -(-lost // per_lot)), loss.open_quantity
    return lot.quantity, min(loss.open_quantity, -(-held // per_loss))
