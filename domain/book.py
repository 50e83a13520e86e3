"""The book: lots, disposals and wash sales of linked identical groups, as a fold of entries.

A book is one substantially-identical group of one taxpayer over all accounts (with groups
joined by a conversion). `apply` takes entries in effective order; everything else is derived.
"""

from __future__ import annotations

from domain.accounts import Account
from domain.assets import Asset
from domain.days import first_long_day
from domain.disposals import Departure, Disposal, WashMatch
from domain.entries import Entry, Issue, OrderKey
from domain.exact import ONE_UNIT, format_quantity
from domain.identification import StandingOrders, inadequacy, lots_named, method_rule, wanted
from domain.lot_methods import LOT_METHODS
from domain.lots import Lot, Pool, part_of
from domain.policy import Policy
from domain.wash_sales import Purchase, WashSales, Weights

START: OrderKey = (0, 0, 0, 0, "", 0)


class Book:
    """State of one book. `touched` and the lists let a projection write only what changed."""

    __slots__ = (
        "_classes", "_method", "_method_rule", "_next_order", "_next_serial",
        "_selling", "departures", "disposals", "incomes", "issues", "last_key", "orders",
        "policy", "pools", "touched", "washes", "weights",
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
        self.last_key = START
        self._method = policy.lot_method
        self._method_rule = method_rule(policy.lot_method)
        versions = policy.wash_versions
        self._classes = versions[0][1] if len(versions) == 1 else None
        self._next_order = 0
        self._next_serial = 0
        self._selling: list[Lot] = []

    def matches(self) -> list[WashMatch]:
        """Every wash match of the book, group by group, in the order they were made."""
        return [match for group in self.washes.values() for match in group.matches]

    def open_lots(self) -> list[Lot]:
        """All open lots of every account, in order of acquisition."""
        lots = [lot for pool in self.pools.values() for lot in pool.lots()]
        lots.sort(key=lambda lot: lot.serial)
        return lots

    def wash(self, asset: Asset) -> WashSales:
        """The wash-sale state of an asset's group."""
        if asset.id not in self.weights:
            self.weights[asset.id] = (asset.ratio, ONE_UNIT)
        state = self.washes.get(asset.group)
        if state is None:
            policy = self.policy
            state = self.washes[asset.group] = WashSales(
                policy.rules.window_days, policy.earlier_lots == "count", self.weights,
                self.split_off, self.place,
            )
        return state

    def pool(self, account: Account, asset: Asset) -> Pool:
        """The pool of an asset in an account, made on first use."""
        key = (account.id, asset.id)
        pool = self.pools.get(key)
        if pool is None:
            pool = self.pools[key] = Pool(self._method, LOT_METHODS[self._method])
            self.wash(asset)
        return pool

    def acquire(
        self,
        entry: Entry,
        basis: int,
        *,
        eligible: bool,
        covered: bool = False,
        acquired: int | None = None,
    ) -> Lot:
        """Opens a lot; an `eligible` acquisition can be a replacement (rulebook c.2).

        `acquired` is the date its holding period counts from, if not the entry's day.
        """
        asset, account = entry.asset, entry.account
        pool = self.pools.get((account.id, asset.id)) or self.pool(account, asset)
        day = entry.key[0]
        lot = Lot(
            entry.ref, asset, account, entry.quantity, basis,
            day if acquired is None else acquired, self._next_order, 0, self._next_serial,
            day, covered,
        )
        self._next_order += 1
        self._next_serial += 1
        pool.quantity += entry.quantity
        if eligible:
            self.washes[asset.group].purchased(lot)
        if lot.quantity:
            pool.push(lot)
            self.touched.append(lot)
        return lot

    def holding(self, entry: Entry, quantity: int) -> Pool | None:
        """The pool if it holds `quantity`; otherwise a blocking issue and None."""
        pool = self.pools.get((entry.account.id, entry.asset.id))
        held = pool.quantity if pool is not None else 0
        if pool is not None and held >= quantity:
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

    def choose(self, pool: Pool, entry: Entry) -> tuple[list[tuple[Lot, int]], str]:
        """The lots that an entry takes its quantity from, and the rule that says so."""
        if entry.lots:
            reason = inadequacy(entry, self.policy, pool)
            if reason is None:
                return self._identified(pool, entry), "specific"
            self.issues.append(
                Issue(
                    entry.ref,
                    "identification_inadequate",
                    f"{reason}; the account's method was applied",
                    "identify the units in time, in the account that holds them",
                    blocking=False,
                )
            )
        return self.take(pool, entry, entry.quantity)

    def take(self, pool: Pool, entry: Entry, quantity: int) -> tuple[list[tuple[Lot, int]], str]:
        """The lots that `quantity` comes from by the account's method, and the rule applied."""
        rule = self._set_method(pool, entry)
        return pool.take(quantity), rule

    def _set_method(self, pool: Pool, entry: Entry) -> str:
        """Orders the pool by the method in force for the entry; returns the rule applied."""
        orders = self.orders.get(entry.account.id)
        method, rule = self._method, self._method_rule
        if orders is not None:
            method, rule = orders.method(entry, self.policy)
        if pool.method != method:
            pool.reorder(method, LOT_METHODS[method])
        return rule

    def dispose(
        self, entry: Entry, picks: list[tuple[Lot, int]], proceeds: int, rule: str, day: int
    ) -> None:
        """Sells the picked units for `proceeds` in all (rulebook c.4 order of losses)."""
        if len(picks) == 1:
            self._sell(entry, *picks[0], proceeds, rule, day)
            return
        picks.sort(key=lambda pick: pick[0].order)
        selling = self._selling = [self._carved(lot, units) for lot, units in picks]
        units_left = sum(lot.quantity for lot in selling)
        at = 0
        while at < len(selling):
            lot = selling[at]
            units = lot.quantity
            if units:
                share = part_of(proceeds, units, units_left)
                proceeds -= share
                units_left -= units
                self._sell(entry, lot, units, share, rule, day)
            at += 1
        self._selling = []

    def split_off(self, lot: Lot, units: int) -> Lot:
        """The first `units` of a lot as a lot of their own, in no pool yet."""
        held = lot.quantity
        basis = part_of(lot.basis, units, held)
        first = Lot(
            lot.ref, lot.asset, lot.account, units, basis, lot.acquired, lot.order, lot.offset,
            self._next_serial, lot.origin, lot.covered, lot.used, lot.picked, lot.inherited,
        )
        if lot.loss_basis >= 0:
            first.loss_basis = part_of(lot.loss_basis, units, held)
            first.gift_day = lot.gift_day
            lot.loss_basis -= first.loss_basis
        self._next_serial += 1
        lot.quantity = held - units
        lot.basis -= basis
        lot.offset += units
        self.touched.append(first)
        self.touched.append(lot)
        return first

    def place(self, first: Lot, lot: Lot) -> None:
        """Puts a changed part of `lot` where `lot` is: in its pool, or in the running sale."""
        if lot.picked:
            at = next(i for i, each in enumerate(self._selling) if each is lot)
            self._selling.insert(at, first)
        else:
            self.pools[(lot.account.id, lot.asset.id)].push(first)

    def move_out(self, lot: Lot, units: int) -> Lot:
        """The first `units` of a lot, taken out of its pool for a move; still candidates."""
        first = self.split_off(lot, units)
        self.washes[lot.asset.group].carved(lot, first)
        return first

    def departed(self, kind: str, entry: Entry, picks: list[tuple[Lot, int]]) -> None:
        """Units leave without a disposal."""
        for lot, units in picks:
            gone = self.split_off(lot, units)
            self.departures.append(
                Departure(kind, entry.ref, gone.ref, gone.asset, units, gone.basis)
            )
            gone.quantity = 0

    def returned(self, entry: Entry, lot: Lot, reduction: int, excess: int) -> None:
        """A return of capital took `reduction` off a lot's basis; the `excess` is gain."""
        self.departures.append(
            Departure("returned", entry.ref, lot.ref, lot.asset, 0, reduction)
        )
        if excess and lot.account.reports:
            day = entry.key[0]
            self._add_row(entry, lot, lot.quantity, excess, 0, lot.acquired, "cost", day)

    def convert_wash(self, lot: Lot, purchase: Purchase) -> None:
        """A recent unused purchase changed its group with a conversion."""
        self.wash(lot.asset).joined(lot, purchase)

    def _identified(self, pool: Pool, entry: Entry) -> list[tuple[Lot, int]]:
        refs = {lot.ref: 0 for lot in pool.lots()}
        picks: list[tuple[Lot, int]] = []
        left = entry.quantity
        for ref, units in wanted(entry, refs):
            for lot in lots_named(pool, ref):
                taken = min(units, lot.quantity)
                if taken:
                    picks.append((self.move_out(lot, taken), taken))
                    units -= taken
                    left -= taken
        pool.quantity -= entry.quantity - left
        if left:
            self._set_method(pool, entry)
            picks += pool.take(left)
        return picks

    def _carved(self, lot: Lot, units: int) -> Lot:
        if units < lot.quantity:
            lot = self.move_out(lot, units)
        lot.picked = True
        return lot

    def _sell(
        self, entry: Entry, lot: Lot, units: int, proceeds: int, rule: str, day: int
    ) -> None:
        """One row: units of one lot leave for `proceeds`."""
        basis = part_of(lot.basis, units, lot.quantity)
        cost, acquired = basis, lot.acquired
        if lot.loss_basis >= 0:
            cost, acquired = self._dual_basis(lot, units, proceeds, basis)
        lot.basis -= basis
        lot.quantity -= units
        lot.offset += units
        self.touched.append(lot)
        if not lot.account.reports:
            self.departures.append(
                Departure("not_reported", entry.ref, lot.ref, lot.asset, units, basis)
            )
            return
        asset = lot.asset
        row = self._add_row(entry, lot, units, proceeds, cost, acquired, rule, day)
        if proceeds < cost:
            classes = self._classes
            if classes is None:
                classes = self.policy.wash_classes(day)
            if asset.asset_class.name in classes:
                row.open_quantity = units
                row.open_loss = cost - proceeds
                row.wash_classes = classes
                self.washes[asset.group].lost(row)

    def _add_row(
        self, entry: Entry, lot: Lot, units: int, proceeds: int, cost: int, acquired: int,
        rule: str, day: int,
    ) -> Disposal:
        row = Disposal(
            self._next_serial, entry.ref, lot.ref, lot.account, lot.asset, units, proceeds, cost,
            acquired, day, lot.origin, lot.order,
            lot.inherited or day >= first_long_day(acquired), lot.covered, lot.inherited, rule,
        )
        self._next_serial += 1
        self.disposals.append(row)
        return row

    def _dual_basis(self, lot: Lot, units: int, proceeds: int, basis: int) -> tuple[int, int]:
        """(basis, date) of a gift worth less than its basis (IRC 1015(a), 1223(2))."""
        loss_basis = part_of(lot.loss_basis, units, lot.quantity)
        lot.loss_basis -= loss_basis
        if proceeds > basis:
            return basis, lot.acquired
        if proceeds < loss_basis:
            return loss_basis, lot.gift_day
        return proceeds, lot.acquired
