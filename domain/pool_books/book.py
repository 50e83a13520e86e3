"""The pool book: keeps its entries, and computes all of them again after each batch.

A purchase can change an earlier disposal (UK: it is matched with it; Canada: it denies its loss),
so there is no step from one state to the next. A book of n entries costs n log n a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from domain.assets import Asset
from domain.book import START
from domain.disposals import Departure, Disposal, Rewound, WashMatch
from domain.entries import Entry, Issue, OrderKey
from domain.identification import StandingOrders
from domain.kept_book import BookKind, FromTheStart
from domain.lots import Lot, part_of
from domain.policy import Policy
from domain.pool_books.reading import Reading
from domain.pool_books.rows import POOL, PoolDisposal, PoolLot, PoolMatching
from domain.pool_books.steps import Ring, Scales, Step, ring_of
from domain.weights import BookSplit

_ASKS = ("abandonment", "wrap")  # nothing is chosen: neither lots nor what replaces what


class Pot(msgspec.Struct, gc=False, eq=False):
    """Units of a ring (in the group's unit) and their cost; `since`: when it last filled."""

    units: int = 0
    cost: int = 0
    since: int = 0

    def put(self, units: int, cost: int, day: int) -> None:
        """Units join."""
        if not self.units:
            self.since = day
        self.units += units
        self.cost += cost

    def take(self, units: int) -> int:
        """Units leave at average cost, which is returned; the last take all that is left.

        Within a day units may leave a pot before others have joined it: then it owes them.
        """
        cost = self.cost if units >= self.units else part_of(self.cost, units, self.units)
        self.units -= units
        self.cost -= cost
        return cost


class HeldUnits(msgspec.Struct, gc=False, eq=False):
    """One account's units of an asset."""

    quantity: int
    lot: Lot | None = None
    wallets: dict[str, int] | None = None

    def lots(self) -> Iterator[Lot]:
        """Its share of the pool."""
        return iter(() if self.lot is None else (self.lot,))


Compute = Callable[["PoolBook", Reading], None]


class PoolBook:
    """Pools of linked groups: see `domain.kept_book.KeptBook`. `records` are the law's own rows."""

    def __init__(self, policy: Policy, until_day: int, compute: Compute) -> None:
        self.policy = policy
        self.until_day = until_day
        self.compute = compute
        self.entries: list[Entry] = []
        self.rewound: Rewound | None = None  # always computed anew
        self.touched: list[Lot] = []
        self.last_key: OrderKey = START
        self._start()

    def _start(self) -> None:
        self.disposals: list[Disposal] = []
        self.departures: list[Departure] = []
        self.incomes: list[Entry] = []
        self.issues: list[Issue] = []
        self.washes: dict[str, PoolMatching] = {}
        self.weights: dict[str, tuple[int, int]] = {}
        self.pools: dict[tuple[str, str], HeldUnits] = {}
        self.pots: dict[Ring, Pot] = {}
        self.records: list[Any] = []
        self.scales = Scales(())

    def take_in(self, entries: Iterable[Entry]) -> None:
        """Entries that come after all earlier ones; everything is computed anew."""
        self.entries += entries
        if self.entries:
            self.last_key = self.entries[-1].key
        self._start()
        reading = Reading(self.policy, self.entries)
        self.issues, self.incomes = reading.issues, reading.incomes
        for entry in self.entries:
            for asset in (entry.asset, entry.to_asset):
                if asset is not None:
                    self.washes.setdefault(asset.group, PoolMatching())
                    reading.scales.of(asset)
        self.compute(self, reading)
        self.scales, self.weights = reading.scales, reading.scales.weights
        self._share_out(reading)

    @property
    def splits(self) -> list[BookSplit]:
        """Every split so far, in order."""
        return self.scales.splits

    def matches(self) -> list[WashMatch]:
        """Every denied loss with the purchase that denied it."""
        return [match for group in self.washes.values() for match in group.matches]

    def open_lots(self) -> list[Lot]:
        """Each account's share of its pool."""
        return [lot for held in self.pools.values() for lot in held.lots()]

    def wash_classes(self, day: int) -> frozenset[str]:
        """Pools know no classes: what holds for one asset holds for all."""
        return frozenset(entry.asset.asset_class.name for entry in self.entries)

    def weight(self, asset: Asset) -> tuple[int, int]:
        """Group units in one unit of an asset now, whether it was ever held or not."""
        return self.scales.weight(asset)

    def scale_of(self, group: str) -> int:
        """Units of a pot in 10**-18 of its asset; of several unlike ones, of a group unit."""
        assets = [each for entry in self.entries for each in (entry.asset, entry.to_asset)]
        scales = {self.scales.of(each) for each in assets if each and each.group == group}
        return scales.pop() if len(scales) == 1 else self.scales.parts[group]

    def pot(self, ring: Ring) -> Pot:
        """The pot of a ring, made on first use."""
        return self.pots.setdefault(ring, Pot())

    def row(
        self, step: Step, rule: str, acquired: int, quantity: int, proceeds: int, cost: int
    ) -> PoolDisposal | None:
        """A row of the taxpayer's return; of anyone else's units only a departure."""
        entry = step.entry
        if not step.ring.is_own:
            gone = Departure("not_reported", entry.ref, rule, entry.asset, quantity, cost)
            self.departures.append(gone)
            return None
        serial = len(self.disposals)
        row = PoolDisposal(
            serial, entry.ref, rule, entry.account, entry.asset, quantity, proceeds, cost,
            acquired, step.day, acquired, serial, False, False, False, rule,
        )  # fmt: skip
        self.disposals.append(row)
        return row

    def depart(self, kind: str, step: Step, cost: int) -> None:
        """Units or cost leave without a row."""
        entry = step.entry
        self.departures.append(Departure(kind, entry.ref, POOL, entry.asset, step.quantity, cost))

    def provisional(self, step: Step, says: str) -> None:
        """A figure that later facts can still change, in a view of a day within the window."""
        last = step.day + self.policy.rules.window_days
        if step.ring.is_own and self.is_provisional(step.day):
            remedy = f"ask again for a day {last - self.until_day} days later"
            self.issues.append(Issue(step.entry.ref, "provisional", says, remedy, blocking=False))

    def is_provisional(self, day: int) -> bool:
        """Whether the view ends before the days after `day` that the law looks at."""
        return day <= self.until_day < day + self.policy.rules.window_days

    def _share_out(self, reading: Reading) -> None:
        """Open pools, account by account in the order of their names."""
        wallets, shared = reading.wallets, {ring: Pot(pot.units, pot.cost) for ring, pot in
                                            self.pots.items()}  # fmt: skip
        for account_id, asset_id in sorted(wallets.held):
            quantity = wallets.held[account_id, asset_id]
            held = self.pools[account_id, asset_id] = HeldUnits(quantity)
            if quantity:
                account, asset = wallets.accounts[account_id], wallets.assets[asset_id]
                ring = ring_of(account, asset)
                cost = shared[ring].take(quantity * reading.scales.of(asset))
                since, serial = self.pots[ring].since, len(self.pools)
                held.lot = PoolLot(
                    POOL, asset, account, quantity, cost, since, serial, 0, serial, since
                )


def no_matching_step(book: PoolBook, step: Step) -> None:
    """What every law of pools does alike with units that move, leave or lose their cost."""
    pot = book.pot(step.ring)
    if step.kind == "move":
        assert step.to is not None
        if step.to == step.ring:
            pot.units += step.to_units - step.units
        else:
            book.pot(step.to).put(step.to_units, pot.take(step.units), step.day)
    elif step.kind == "leave":
        is_loss = book.policy.abandonment == "ordinary"
        book.depart("ordinary_loss" if is_loss else "abandoned", step, pot.take(step.units))
    elif step.kind == "lose":
        pot.units -= step.units
    else:
        assert step.kind == "return"
        reduction = min(step.amount, pot.cost)
        pot.cost -= reduction
        book.depart("returned", step, reduction)
        if step.amount > reduction:
            book.row(step, "return_of_capital", pot.since, 0, step.amount - reduction, 0)


def pool_books(
    compute: Compute,
    opportunities: Callable[[PoolBook, Mapping[str, int], int], Sequence[Any]],
) -> BookKind[PoolBook]:
    """The kind of books of a law that computes its pools by `compute`."""

    def new(
        policy: Policy, orders: dict[str, StandingOrders], until_day: int, known: Sequence[Entry]
    ) -> PoolBook:
        return PoolBook(policy, until_day, compute)

    return BookKind(
        new, PoolBook.take_in, _nothing, FromTheStart, opportunities, looks_ahead=True, asks=_ASKS
    )


def _nothing(book: PoolBook, until_day: int) -> None:
    """Nothing is left to do after a batch."""
