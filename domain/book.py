"""The book: lots, disposals and wash sales of linked identical groups, as a fold of entries.

A book is one substantially-identical group of one taxpayer over all accounts (with groups
joined by a conversion). `handlers.fold` takes entries in effective order; all else follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappush

from domain.accounts import Account
from domain.assets import Asset
from domain.disposals import Departure, Disposal, Rewound, WashMatch
from domain.entries import Entry, Issue, OrderKey
from domain.exact import format_quantity
from domain.identification import StandingOrders, method_rule
from domain.lot_methods import LOT_METHODS
from domain.lots import Lot, Pool, part_of
from domain.policy import Policy
from domain.short_sales import ShortSales
from domain.wash_sales import WashSales
from domain.weights import BookSplit, Weights, first_weight

_UNIVERSAL, _SELF_CUSTODY = "universal", "self-custody"
START: OrderKey = (0, 0, 0, 0, "", 0)


def is_universal(pool_name: str) -> bool:
    """Whether a shared pool is the universal one, which ends with 2024."""
    return pool_name.startswith(_UNIVERSAL)


class Book:
    """State of one book. `touched` and the lists let a projection write only what changed;
    `rewound` says what a late fact took back since the projection last looked. `splits` are
    (serial of the next row, asset, new units, old units).

    `washed_parts` belongs to the running sale: parts of a lot (by serial) that took a loss of the
    same sale, and are sold before the rest of it.
    """

    __slots__ = (
        "allocations",
        "departures",
        "disposals",
        "incomes",
        "is_handed_out",
        "is_special",
        "issues",
        "keeps_sold_units",
        "last_key",
        "matches_gains",
        "members",
        "method",
        "method_rule",
        "next_order",
        "next_serial",
        "one_version",
        "orders",
        "policy",
        "pools",
        "rewound",
        "shared",
        "shares",
        "shorts",
        "splits",
        "takes_plainly",
        "touched",
        "washed_parts",
        "washes",
        "weights",
    )

    def __init__(self, policy: Policy, orders: dict[str, StandingOrders]) -> None:
        self.policy = policy
        self.orders = orders
        self.pools: dict[tuple[str, str], Pool] = {}
        self.washes: dict[str, WashSales] = {}
        self.weights: Weights = {}
        self.disposals: list[Disposal] = []
        self.departures: list[Departure] = []
        self.incomes: list[Entry] = []
        self.issues: list[Issue] = []
        self.touched: list[Lot] = []
        self.washed_parts: dict[int, list[Lot]] = {}
        self.rewound: Rewound | None = None
        self.last_key = START
        self.next_serial = 0
        self.shorts: ShortSales | None = None
        self.splits: list[BookSplit] = []
        self.shares = policy.pool != "account" or policy.self_custody_pool != "wallet"
        self.shared: dict[tuple[str, str], Pool] = {}
        self.members: dict[str, Account] = {}
        self.is_handed_out = not policy.is_universal
        self.allocations: Mapping[str, list[Entry]] = {}
        self.takes_plainly = (
            policy.sub_lots == "tacked_first" and LOT_METHODS[policy.lot_method].priced is None
        )
        self.matches_gains = policy.gain_units == "in_order"
        self.keeps_sold_units = policy.sold_replacements == "count"
        self.is_special = self.matches_gains or self.keeps_sold_units
        versions = policy.wash_versions
        always = len(versions) == 1 and versions[0][0] <= 1
        self.one_version = versions[0][1] if always else None
        self.method = policy.lot_method
        self.method_rule = method_rule(policy.lot_method)
        self.next_order = 0

    def matches(self) -> list[WashMatch]:
        """Every wash match of the book, group by group, in the order they were made."""
        return [match for group in self.washes.values() for match in group.matches]

    def open_lots(self) -> list[Lot]:
        """All open lots of every account, in the order in which they were made."""
        lots = [lot for pool in self.all_pools() for lot in pool.lots()]
        return sorted(lots, key=lambda lot: lot.serial)

    def wash_classes(self, day: int) -> frozenset[str]:
        """Asset classes under the wash-sale rule for a loss on `day`."""
        return self.one_version or self.policy.wash_classes(day)

    def all_pools(self) -> list[Pool]:
        """Every pool once; `pools` has a shared one under each of its accounts."""
        if not self.shared:
            return list(self.pools.values())
        pools = (*self.pools.values(), *self.shared.values())
        return list({id(pool): pool for pool in pools}.values())

    def holds(self, group: str) -> bool:
        """Whether any account holds units of a group."""
        return any(pool.quantity for pool in self.pools.values() if pool.wash is self.washes[group])

    def wash(self, asset: Asset) -> WashSales:
        """The wash-sale state of an asset's group; the asset counts at its ratio from now on."""
        self.weights[asset.id] = self.weight(asset)
        return self.matching(asset.group)

    def weight(self, asset: Asset) -> tuple[int, int]:
        """Group units in one unit of an asset now, whether it was ever held or not."""
        return self.weights.get(asset.id) or first_weight(asset, (s[1:4] for s in self.splits))

    def matching(self, group: str) -> WashSales:
        """The wash-sale state of a group."""
        state = self.washes.get(group)
        if state is None:
            state = self.washes[group] = WashSales(self.policy, self.weights, self)
        return state

    def pool(self, account: Account, asset: Asset) -> Pool:
        """The pool of an asset in an account, made on first use."""
        key = (account.id, asset.id)
        pool = self.pools.get(key)
        if pool is None:
            pool = self._shared_pool(account, asset) if self.shares else self._new_pool(asset)
            self.pools[key] = pool
            self.is_special |= asset.asks_collectible
        return pool

    def _new_pool(self, asset: Asset) -> Pool:
        return Pool(self.method, LOT_METHODS[self.method].key, self.wash(asset))

    def _shared_pool(self, account: Account, asset: Asset) -> Pool:
        """The pool that an account shares with others by a position taken, or its own."""
        name = self._sharing(account, asset)
        if name is None:
            return self._new_pool(asset)
        pool = self.shared.get((f"{name}/{account.owner}", asset.id))
        if pool is None:
            pool = self.shared[(f"{name}/{account.owner}", asset.id)] = self._new_pool(asset)
            pool.wallets = {}
        assert pool.wallets is not None
        pool.wallets.setdefault(account.id, 0)
        self.members[account.id] = account
        return pool

    def _sharing(self, account: Account, asset: Asset) -> str | None:
        policy = self.policy
        if not asset.asset_class.is_digital or account.is_retirement:
            return None
        if not self.is_handed_out:
            return _UNIVERSAL
        is_one = policy.self_custody_pool == "one" and account.custody == "self"
        return _SELF_CUSTODY if is_one else None

    def next_acquisition(self) -> int:
        """The number of the next acquisition of the book."""
        self.next_order += 1
        return self.next_order - 1

    def acquire(
        self, entry: Entry, basis: int, eligible: bool, covered: bool = False, acquired: int = 0
    ) -> Lot:
        """Opens a lot; an `eligible` acquisition can be a replacement (rulebook c.2).

        `acquired` is the day its holding period counts from, if it is not the entry's day.
        """
        asset, account = entry.asset, entry.account
        pool = self.pools.get((account.id, asset.id)) or self.pool(account, asset)
        day = entry.key[0]
        order, serial, units = self.next_order, self.next_serial, entry.quantity
        lot = Lot(
            entry.ref, asset, account, units, basis, acquired or day, order, 0, serial, day, covered
        )
        self.next_order = order + 1
        self.next_serial = serial + 1
        pool.quantity += units
        if pool.wallets is not None:
            pool.wallets[account.id] += units
        if eligible:
            pool.wash.purchased(lot, day)
        if lot.quantity:
            heappush(pool.heap, pool.sort_key(lot))
            self.touched.append(lot)
        return lot

    def holding(self, entry: Entry, quantity: int) -> Pool | None:
        """The pool if it holds `quantity`; otherwise a blocking issue and None."""
        pool = self.pools.get((entry.account.id, entry.asset.id))
        held = 0
        if pool is not None:
            held = pool.quantity if pool.wallets is None else pool.wallets[entry.account.id]
            if held >= quantity:
                return pool
        self.issues.append(
            Issue(
                entry.ref,
                "insufficient_units",
                f"{entry.kind} of {format_quantity(quantity)} {entry.asset.id}, but account "
                f"{entry.account.id} held {format_quantity(held)} then",
                "record the missing acquisition or transfer, or correct this fact",
            )
        )
        return None

    def split_off(
        self, lot: Lot, units: int, used: bool = False, added: int = 0, tacked: int = 0
    ) -> Lot:
        """The first `units` of a lot as a lot of their own, in no pool yet.

        `used`: they absorb a loss, `added` joins their basis and `tacked` days their holding.
        """
        held, basis = lot.quantity, lot.basis
        part = basis if units == held else basis * units // held
        serial = self.next_serial
        first = Lot(
            lot.ref, lot.asset, lot.account, units, part + added, lot.acquired - tacked,
            lot.order, lot.offset, serial, lot.origin, lot.covered, lot.used or used, lot.picked,
            lot.inherited,
        )  # fmt: skip
        if lot.loss_basis >= 0:
            first.loss_basis = part_of(lot.loss_basis, units, held)
            first.gift_day = lot.gift_day
            lot.loss_basis -= first.loss_basis
        self.next_serial = serial + 1
        lot.quantity = held - units
        lot.basis = basis - part
        lot.offset += units
        self.touched.append(first)
        self.touched.append(lot)
        return first

    def place(self, first: Lot, lot: Lot) -> None:
        """Puts a changed part of `lot` where `lot` is: in its pool, or in the running sale."""
        if lot.picked:
            self.washed_parts.setdefault(lot.serial, []).append(first)
        else:
            self.push(self.pools[(lot.account.id, lot.asset.id)], first)

    def push(self, pool: Pool, lot: Lot) -> None:
        """Puts a lot into its place in a pool that counts its units already."""
        merged = pool.push(lot, self.policy.pool_pieces)
        if merged is not None:
            self.touched.append(merged)

    def renew(self, lot: Lot) -> Lot:
        """All that is left of a lot as a new one in its pool, since its front part lives on.

        The old one's sort key still has the place of the whole.
        """
        rest = self.split_off(lot, lot.quantity)
        self.place(rest, lot)
        return rest

    def carve(self, lot: Lot, units: int) -> Lot:
        """The first `units` of a lot, out of its pool; they stay candidates of the rule."""
        first = self.split_off(lot, units)
        if not lot.used:
            self.washes[lot.asset.group].carved(lot, first)
        return first

    def move_out(self, lot: Lot, units: int) -> Lot:
        """The first `units` of a lot, for a move; what is left becomes a lot of its own."""
        first = self.carve(lot, units)
        if lot.quantity:
            rest = self.renew(lot)
            if not lot.used:
                self.washes[lot.asset.group].carved(lot, rest)
        return first
