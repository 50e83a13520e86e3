"""Entries: facts made ready for the fold, with exact integers, resolved account and asset."""

from __future__ import annotations

from bisect import insort

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.facts import Fact, LotPick

OrderKey = tuple[int, int, int, int, str, int]
_FEW = 16


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


def entry_key(entry: Entry) -> OrderKey:
    """What entries are sorted by."""
    return entry.key


def merge_into(known: list[Entry], fresh: list[Entry]) -> None:
    """Puts a few late entries into their places in a sorted list; sorts many in."""
    if len(fresh) > _FEW:
        known += fresh
        known.sort(key=entry_key)
    else:
        for entry in fresh:
            insort(known, entry, key=entry_key)


class Issue(msgspec.Struct, frozen=True):
    """Something about a fact that its owner should mend. `blocking`: held out of all totals."""

    ref: str
    code: str
    says: str
    remedy: str
    blocking: bool = True
