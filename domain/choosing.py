"""Choosing: which units of a pool an entry takes, by identification or by the lot method."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

from domain.book import Book
from domain.entries import Entry, Issue
from domain.identification import inadequacy, lots_named, wanted
from domain.lot_methods import LOT_METHODS, Offer
from domain.lots import Lot, Pick, Pool

_IN_ORDER_OF_ACQUISITION = frozenset({"FIFO", "LIFO"})


def choose(
    book: Book, pool: Pool, entry: Entry, proceeds: int | None = None
) -> tuple[list[Pick], str]:
    """The lots that an entry takes its quantity from, and the rule that says so.

    `proceeds`: net amount of the sale, for methods that look at the price.
    """
    if entry.lots:
        reason = inadequacy(entry, book.policy, pool)
        if reason is None:
            return _identified(book, pool, entry, proceeds), "specific"
        book.issues.append(
            Issue(
                entry.ref,
                "identification_inadequate",
                f"{reason}; the account's method was applied",
                "identify the units in time, in the account that holds them",
                blocking=False,
            )
        )
    return take(book, pool, entry, entry.quantity, proceeds)


def take(
    book: Book, pool: Pool, entry: Entry, quantity: int, proceeds: int | None = None
) -> tuple[list[Pick], str]:
    """The lots that `quantity` comes from by the account's method, and the rule applied."""
    name, rule = book.method, book.method_rule
    if book.orders:  # asked each time: a what-if adds one to a book that is there
        orders = book.orders.get(entry.account.id)
        if orders is not None:
            name, rule = orders.method(entry, book.policy)
    elif book.takes_plainly and pool.method == name and pool.wallets is None:
        return pool.take(quantity), rule  # the common case; a priced order has another name
    method = LOT_METHODS[name]
    if method.priced is not None and proceeds is not None:
        policy = book.policy
        offer = Offer(entry.day, proceeds, quantity, policy.rate_short, policy.rate_long)
        pool.reorder(f"{name} at a price", method.priced(offer))
    elif pool.method != name:
        pool.reorder(name, method.key)
    if pool.wallets is not None:
        pool.wallets[entry.account.id] -= quantity
    if book.policy.sub_lots == "pro_rata" and name in _IN_ORDER_OF_ACQUISITION:
        return _pro_rata(pool, quantity), rule
    return pool.take(quantity), rule


def _pro_rata(pool: Pool, quantity: int) -> list[Pick]:
    """Acquisition by acquisition; the last from each of its sub-lots by their units (c.11)."""
    picks: list[Pick] = []
    heap = pool.heap
    pool.quantity -= quantity
    while quantity:
        items = _first_acquisition(heap)
        held = sum(item[-1].quantity for item in items)
        left = taken = min(quantity, held)
        for item in items:
            lot: Lot = item[-1]
            units = left if held == lot.quantity else left * lot.quantity // held
            held -= lot.quantity
            left -= units
            if units:
                picks.append((lot, units))
            if units < lot.quantity:
                heappush(heap, item)
        quantity -= taken
    return picks


def _first_acquisition(heap: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The sub-lots of the acquisition that comes first, out of the heap, in their order."""
    items: list[tuple[Any, ...]] = []
    while heap and (not items or heap[0][0] == items[0][0]):
        item = heappop(heap)
        if item[-1].quantity:
            items.append(item)
    return items


def _identified(book: Book, pool: Pool, entry: Entry, proceeds: int | None) -> list[Pick]:
    held = {lot.ref: 0 for lot in pool.lots()}
    picks: list[Pick] = []
    left = entry.quantity
    for ref, units in wanted(entry, held):
        still = units
        for lot in lots_named(pool, ref):
            taken = min(still, lot.quantity)
            if taken:
                picks.append((book.move_out(lot, taken), taken))
                still -= taken
        left -= units
    pool.count(entry.account.id, left - entry.quantity)
    if left:
        part = None if proceeds is None else proceeds * left // entry.quantity
        picks += take(book, pool, entry, left, part)[0]
    return picks
