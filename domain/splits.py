"""Stock splits: new units for old ones in every account, total by total (rulebook e.6)."""

from __future__ import annotations

from domain.book import Book
from domain.entries import Entry
from domain.lots import Lot, Pool
from domain.weights import reduced


def split(book: Book, entry: Entry) -> None:
    """Units x ratio; basis and dates stay. Rounding (10**-18) never changes a pool's total."""
    asset, new, old = entry.asset, entry.quantity, entry.to_quantity
    wash = book.matching(asset.group)
    if asset.id in book.weights:
        number, unit = book.weights[asset.id]
        book.weights[asset.id] = reduced(number * old, unit * new)
    pools = {id(pool): pool for (_, held), pool in book.pools.items() if held == asset.id}
    for pool in pools.values():
        if pool.quantity:
            _split_pool(book, pool, new, old)
    wash.split(asset, new, old)
    book.splits.append((book.next_serial, asset, new, old, entry.day))
    if book.shorts is not None:
        book.shorts.split(asset, new, old)


def _split_pool(book: Book, pool: Pool, new: int, old: int) -> None:
    if pool.wallets is not None:
        pool.wallets = _shares(pool.wallets, new, old)
    lots = sorted(pool.lots(), key=lambda lot: (lot.order, lot.acquired, lot.offset))
    before = after = 0
    for lot in lots:
        before += lot.quantity
        lot.quantity = before * new // old - after
        lot.offset = lot.offset * new // old
        after += lot.quantity
        book.touched.append(lot)
    pool.quantity = after
    _keep_basis([lot for lot in lots if not lot.quantity], [lot for lot in lots if lot.quantity])
    pool.reorder(pool.method, pool.sort_key)


def _shares(wallets: dict[str, int], new: int, old: int) -> dict[str, int]:
    shares = {}
    before = after = 0
    for name, held in sorted(wallets.items()):
        before += held
        shares[name] = before * new // old - after
        after += shares[name]
    return shares


def _keep_basis(gone: list[Lot], left: list[Lot]) -> None:
    """A lot so small that no unit is left of it gives its basis to the first that has units."""
    for lot in gone if left else ():
        left[0].basis += lot.basis
        lot.basis = 0
