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
_ACQUISITIONS = frozenset({"buy", "income", "gift_in", "inherit", "swap_in"})
_GLOBAL = {"global_fifo": "FIFO", "global_lifo": "LIFO", "global_hifo": "HIFO"}


def hand_out_before(book: Book, entry: Entry) -> None:
    """The transition of an asset's basis, at its first fact since.

    Units bought since are per wallet from the start. The open basis of before waits for an
    allocation until the first disposal or move, which ends the time for one.
    """
    allocation = entry if entry.kind == "basis_allocation" else None
    if entry.day < book.policy.rules.per_wallet_from:
        if allocation is not None:
            book.allocations[entry.asset.id] = allocation
        return
    for asset in (entry.asset, entry.to_asset):
        if asset is not None and asset.asset_class.is_digital:
            _detach(book, asset)
            if entry.kind not in _ACQUISITIONS:
                _hand_out(book, asset, allocation or book.allocations.get(asset.id))


def hand_out_rest(book: Book) -> None:
    """The transition of assets that have no fact since; call it when the day has come."""
    for asset_id in sorted({asset_id for name, asset_id in book.shared if is_universal(name)}):
        lot = next((lot for pool in _universal(book, asset_id) for lot in pool.lots()), None)
        if lot is not None:
            _detach(book, lot.asset)
            _hand_out(book, lot.asset, book.allocations.get(asset_id))


def _universal(book: Book, asset_id: str) -> list[Pool]:
    return [
        pool for (name, id), pool in book.shared.items() if id == asset_id and is_universal(name)
    ]


def _detach(book: Book, asset: Asset) -> None:
    """From now on the wallets have pools of their own; the universal one waits apart."""
    if asset.id in book.per_wallet:
        return
    book.per_wallet.add(asset.id)
    waiting = _universal(book, asset.id)
    for key in [key for key in book.pools if key[1] == asset.id and book.pools[key] in waiting]:
        del book.pools[key]


def allocation_late(book: Book, entry: Entry) -> None:
    """An allocation with nothing to allocate any more, or without a universal pool."""
    if book.applied_allocation is entry:
        return
    book.issues.append(
        Issue(
            entry.ref,
            "allocation_inadequate",
            "basis was kept per wallet already when this allocation was made",
            "elect pool universal_before_2025, and date the allocation before the first fact of "
            "the asset in 2025 (Rev. Proc. 2024-28)",
            blocking=False,
        )
    )


def _hand_out(book: Book, asset: Asset, allocation: Entry | None) -> None:
    shared = _universal(book, asset.id)
    if not shared:
        return
    for key in [key for key in book.shared if key[1] == asset.id and is_universal(key[0])]:
        del book.shared[key]
    book.applied_allocation = allocation
    plans = _stated(shared, allocation) if allocation is not None else None
    if plans is None:
        if allocation is not None and not _is_global(allocation):
            _say(book, allocation.ref, "allocation_inadequate",
                 "the allocation does not give every wallet exactly the units that it held, from "
                 "open basis; the earliest lots went to the wallets in their order")  # fmt: skip
        elif allocation is None and any(len(_holding(pool)) > 1 for pool in shared):
            _say(book, _latest(shared), "allocation_missing",
                 f"no allocation of {asset.id} is recorded; the earliest lots went to the wallets "
                 "in their order")  # fmt: skip
        method = _GLOBAL[_method(allocation)] if _is_global(allocation) else "FIFO"
        plans = [step for pool in shared for step in _by_rule(pool, method)]
    _carry_out(book, asset, plans)


def _latest(pools: list[Pool]) -> str:
    return max((lot for pool in pools for lot in pool.lots()), key=lambda lot: lot.order).ref


def _method(allocation: Entry | None) -> str:
    return getattr(allocation.fact, "method", "") if allocation is not None else ""


def _is_global(allocation: Entry | None) -> bool:
    return _method(allocation) in _GLOBAL


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


def _stated(shared: Iterable[Pool], allocation: Entry) -> Plan | None:
    """The plan that an allocation states, or None if it is none or does not fit."""
    fact = allocation.fact
    assert isinstance(fact, BasisAllocation)
    if not fact.allocations:
        return None
    source, colon, _ = allocation.ref.partition(":")
    pools = list(shared)
    wanted = {name: units for pool in pools for name, units in _holding(pool).items()}
    left = {lot.serial: lot.quantity for pool in pools for lot in pool.lots()}
    plan: Plan = []
    for part in fact.allocations:
        units = quantity(part.quantity)
        wanted[part.account] = wanted.get(part.account, 0) - units
        names = (part.lot, f"{source}{colon}{part.lot}")
        pieces = [
            lot
            for pool in pools
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
        pool.quantity += units
        if pool.wallets is not None:
            pool.wallets[account.id] += units
        heappush(pool.heap, pool.sort_key(part))
        book.touched.append(part)
