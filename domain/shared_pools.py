"""Pools that several wallets share, and the hand-out of 1 January 2025 (Rev. Proc. 2024-28)."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappush

from domain.accounts import Account
from domain.assets import Asset
from domain.book import Book, is_universal
from domain.entries import Entry, Issue
from domain.exact import quantity
from domain.facts import BasisAllocation
from domain.lot_methods import LOT_METHODS
from domain.lots import Lot, Pool

Plan = list[tuple[str, Lot, int]]  # account id, lot, units of it
Allocations = dict[str, list[Entry]]  # by asset
_IN_TIME = frozenset({"basis_allocation", "buy", "income", "gift_in", "inherit", "swap_in"})
_GLOBAL = {"global_fifo": "FIFO", "global_lifo": "LIFO", "global_hifo": "HIFO"}


def allocations_in_time(entries: Iterable[Entry], since: int) -> Allocations:
    """Allocations made before the asset's first disposal or move since that day, by asset."""
    found: Allocations = {}
    closed: set[str] = set()
    for entry in entries:
        asset_id = entry.asset.id
        if entry.kind == "basis_allocation":
            if asset_id not in closed:
                found.setdefault(asset_id, []).append(entry)
        elif entry.day >= since and entry.kind not in _IN_TIME:
            closed.add(asset_id)
            if entry.to_asset is not None:
                closed.add(entry.to_asset.id)
    return found


def hand_out(book: Book) -> None:
    """The transition, before the first fact of 2025; allocations made later are known already."""
    book.is_handed_out = True
    universal: dict[str, list[Pool]] = {}
    for name, asset_id in [key for key in book.shared if is_universal(key[0])]:
        universal.setdefault(asset_id, []).append(book.shared.pop((name, asset_id)))
    for key, pool in list(book.pools.items()):
        if pool in universal.get(key[1], ()):
            del book.pools[key]
    for asset_id in sorted(universal):
        _hand_out(book, asset_id, universal[asset_id])


def allocate(book: Book, entry: Entry) -> None:
    """Nothing: the hand-out has looked ahead to it, unless there is nothing to allocate."""
    if entry not in book.allocations.get(entry.asset.id, ()):
        _say(book, entry.ref, "allocation_inadequate",
             "basis was kept per wallet already when this allocation was made")  # fmt: skip


def _hand_out(book: Book, asset_id: str, shared: list[Pool]) -> None:
    """The first adequate allocation stands; without one the earliest lots go first."""
    lot = next((lot for pool in shared for lot in pool.lots()), None)
    if lot is None:
        return
    asset = lot.asset
    for allocation in book.allocations.get(asset_id, ()):
        plan = _planned(shared, allocation)
        if plan is not None:
            _carry_out(book, asset, plan)
            return
        _say(book, allocation.ref, "allocation_inadequate",
             "the allocation does not give every wallet exactly the units that it held, from open "
             "basis; it was left aside")  # fmt: skip
    if asset_id not in book.allocations and any(len(_holding(pool)) > 1 for pool in shared):
        _say(book, _latest(shared), "allocation_missing",
             f"no allocation of {asset_id} is recorded; the earliest lots went to the wallets in "
             "their order")  # fmt: skip
    _carry_out(book, asset, [step for pool in shared for step in _by_rule(pool, "FIFO")])


def _planned(shared: list[Pool], allocation: Entry) -> Plan | None:
    """What an allocation gives to the wallets: by lots that it names, or by a global rule."""
    fact = allocation.fact
    assert isinstance(fact, BasisAllocation)
    if fact.allocations:
        return _stated(shared, allocation.ref, fact)
    method = _GLOBAL.get(fact.method)
    if method is None:
        return None
    return [step for pool in shared for step in _by_rule(pool, method)]


def _latest(pools: list[Pool]) -> str:
    return max((lot for pool in pools for lot in pool.lots()), key=lambda lot: lot.order).ref


def _say(book: Book, ref: str, code: str, says: str) -> None:
    remedy = "record a basis_allocation as of 2025-01-01 (Rev. Proc. 2024-28)"
    book.issues.append(Issue(ref, code, says, remedy, blocking=False))


def _holding(pool: Pool) -> dict[str, int]:
    wallets = pool.wallets or {}
    return {name: units for name, units in sorted(wallets.items()) if units}


def _by_rule(pool: Pool, method: str) -> Plan:
    """Wallets in the order of their ids, each filled with the lots in the order of the method."""
    plan: Plan = []
    lots = sorted(pool.lots(), key=LOT_METHODS[method].key)
    left = {lot.serial: lot.quantity for lot in lots}
    for account, held in _holding(pool).items():
        missing = held
        for lot in lots:
            taken = min(missing, left[lot.serial])
            if taken:
                plan.append((account, lot, taken))
                left[lot.serial] -= taken
                missing -= taken
    return plan


def _stated(shared: list[Pool], ref: str, fact: BasisAllocation) -> Plan | None:
    """The plan that an allocation states, or None if it does not fit."""
    source, colon, _ = ref.partition(":")
    wanted = {name: units for pool in shared for name, units in _holding(pool).items()}
    left = {lot.serial: lot.quantity for pool in shared for lot in pool.lots()}
    plan: Plan = []
    for part in fact.allocations:
        units = quantity(part.quantity)
        wanted[part.account] = wanted.get(part.account, 0) - units
        names = (part.lot, f"{source}{colon}{part.lot}")
        pieces = [
            lot
            for pool in shared
            if part.account in (pool.wallets or {})
            for lot in sorted(pool.lots(), key=LOT_METHODS["FIFO"].key)
            if lot.ref in names
        ]
        for lot in pieces:
            taken = min(units, left[lot.serial])
            if taken:
                plan.append((part.account, lot, taken))
                left[lot.serial] -= taken
                units -= taken
        if units:
            return None
    return None if any(wanted.values()) else plan


def _carry_out(book: Book, asset: Asset, plan: Plan) -> None:
    for name, lot, units in plan:
        account: Account = book.members[name]
        part = lot if units == lot.quantity else book.carve(lot, units)
        pool = book.pool(account, asset)
        if part.account is not account:
            part.covered = False
            part.account = account
        pool.count(account.id, units)
        heappush(pool.heap, pool.sort_key(part))
        book.touched.append(part)
