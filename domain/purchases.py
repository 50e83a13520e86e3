"""Purchases of the last 30 days: the units that can still be replacements in a wash sale."""

from __future__ import annotations

from typing import Protocol

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.disposals import Disposal
from domain.lots import Lot


class SoldUnits(msgspec.Struct, gc=False, eq=False):
    """Unused units of a recent purchase that were sold: candidates only by a position taken."""

    row: Disposal
    quantity: int
    offset: int

    @property
    def asset(self) -> Asset:
        return self.row.asset

    @property
    def account(self) -> Account:
        return self.row.account


class Purchase(msgspec.Struct, gc=False, eq=False):
    """An acquisition of the last 30 days: `pieces` are its units that are still unused."""

    ref: str
    order: int
    day: int
    pieces: list[Lot]
    sold: tuple[SoldUnits, ...] = ()


class LotKeeper(Protocol):
    """What the rule asks of the book that owns the lots."""

    def split_off(
        self, lot: Lot, units: int, used: bool = False, added: int = 0, tacked: int = 0
    ) -> Lot: ...
    def place(self, first: Lot, lot: Lot) -> None: ...
    def renew(self, lot: Lot) -> Lot: ...
