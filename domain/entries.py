"""Entries: facts made ready for the fold, with exact integers, resolved account and asset."""

from __future__ import annotations

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.facts import Fact, LotPick

OrderKey = tuple[int, int, int, int, str, int]


class Entry(msgspec.Struct, gc=False, eq=False):
    """One step of a book. `key` orders it: tax day, microsecond, seq, rank, ref, leg.

    `quantity` in 10**-18 units; `amount` and `fee` in 10**-36 of the currency. A swap is two
    entries: the leg given and the leg received.
    """

    key: OrderKey
    kind: str
    ref: str
    account: Account
    asset: Asset
    quantity: int
    amount: int
    fee: int
    fact: Fact
    to_account: Account | None = None
    to_asset: Asset | None = None
    to_quantity: int = 0
    fee_quantity: int = 0
    lots: tuple[LotPick, ...] = ()

    @property
    def day(self) -> int:
        """Tax day, as an ordinal."""
        return self.key[0]


class Issue(msgspec.Struct, frozen=True):
    """Something about a fact that its owner should mend. `blocking`: held out of all totals."""

    ref: str
    code: str
    says: str
    remedy: str
    blocking: bool = True
