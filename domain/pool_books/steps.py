"""Steps of pools: entries as units that come in, go out or move, where a wallet covers them.

Quantities of a group are counted in one exact integer unit for the whole history (`Step.units`),
so that splits and assets of another ratio need no rounding and no adjustment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import lcm
from typing import NamedTuple

import msgspec

from domain.accounts import Account
from domain.assets import Asset
from domain.entries import Entry
from domain.exact import ONE_UNIT
from domain.weights import BookSplit, first_weight, reduced


class Ring(NamedTuple):
    """Whose units make one pool: one owner's of one group, those in sheltered accounts apart."""

    owner: str
    sheltered: bool
    group: str

    @property
    def is_own(self) -> bool:
        """Its disposals are the taxpayer's: each person has a return of his own."""
        return self.owner == "self" and not self.sheltered


def ring_of(account: Account, asset: Asset) -> Ring:
    """The ring of units of an asset in an account."""
    return Ring(account.owner, account.is_retirement, asset.group)


class Step(msgspec.Struct, gc=False, eq=False):
    """One effect of an entry on a ring; `kind` is in, out, move, leave, return or lose.

    `units` in the group's unit, `scale` of which are 10**-18 of the asset; `quantity` is in
    10**-18 of the asset. `amount` in 10**-36: cost of what comes in, net proceeds of what goes
    out. A move goes `to` a ring, where it is `to_units`. `lose`: dust that a split rounds away.
    """

    kind: str
    entry: Entry
    ring: Ring
    units: int
    scale: int
    quantity: int = 0
    amount: int = 0
    to: Ring | None = None
    to_units: int = 0

    @property
    def day(self) -> int:
        """Tax day, as an ordinal."""
        return self.entry.key[0]


class Scales:
    """How many group units 10**-18 of each asset is; a split changes it.

    `parts`: into how many a unit of a group is cut, so that every weight is an integer.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.weights: dict[str, tuple[int, int]] = {}
        self.parts: dict[str, int] = {}
        self.splits: list[BookSplit] = []
        for entry in entries:
            for asset in (entry.asset, entry.to_asset):
                if asset is not None:
                    known = self.parts.get(asset.group, 1)
                    self.parts[asset.group] = lcm(known, reduced(asset.ratio, ONE_UNIT)[1])
        for entry in entries:  # an asset may be split by any of them: see `first_weight`
            if entry.kind == "split":
                self.parts[entry.asset.group] *= reduced(entry.quantity, entry.to_quantity)[0]

    def of(self, asset: Asset) -> int:
        """Group units in 10**-18 of the asset now."""
        number, unit = self._known(asset)
        return number * (self.parts[asset.group] // unit)

    def split(self, entry: Entry) -> None:
        """`quantity` new units for `to_quantity` old ones."""
        asset, new, old = entry.asset, entry.quantity, entry.to_quantity
        self.splits.append((0, asset, new, old, entry.day))
        if asset.id in self.weights:
            number, unit = self.weights[asset.id]
            self.weights[asset.id] = reduced(number * old, unit * new)

    def weight(self, asset: Asset) -> tuple[int, int]:
        """Group units in one unit of an asset now, whether it was ever held or not."""
        return self.weights.get(asset.id) or self._first(asset)

    def _known(self, asset: Asset) -> tuple[int, int]:
        if asset.id not in self.weights:
            self.weights[asset.id] = self._first(asset)
        return self.weights[asset.id]

    def _first(self, asset: Asset) -> tuple[int, int]:
        return first_weight(asset, (split[1:4] for split in self.splits))


class Wallets:
    """Units that each account holds, in 10**-18 of the asset."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], int] = {}
        self.accounts: dict[str, Account] = {}
        self.assets: dict[str, Asset] = {}

    def of(self, account: Account, asset: Asset) -> int:
        """Units held now."""
        return self.held.get((account.id, asset.id), 0)

    def add(self, account: Account, asset: Asset, quantity: int) -> None:
        """Units come, or with a negative quantity go."""
        self.accounts[account.id] = account
        self.assets[asset.id] = asset
        self.held[account.id, asset.id] = self.of(account, asset) + quantity

    def of_asset(self, asset: Asset) -> list[tuple[Account, int]]:
        """Accounts that hold an asset, with their units."""
        return [
            (self.accounts[account], quantity)
            for (account, held), quantity in self.held.items()
            if held == asset.id and quantity
        ]


def timeline(steps: Iterable[Step]) -> dict[Ring, list[tuple[int, int]]]:
    """(day, units held after it) of each ring, ascending, one entry a day."""
    lines: dict[Ring, list[tuple[int, int]]] = {}
    for step in steps:
        changes = [(step.ring, step.units if step.kind == "in" else -step.units)]
        if step.to is not None:
            changes.append((step.to, step.to_units))
        for ring, change in changes:
            line = lines.setdefault(ring, [])
            before = line[-1][1] if line else 0
            if line and line[-1][0] == step.day:
                line.pop()
            line.append((step.day, before + change))
    return lines
