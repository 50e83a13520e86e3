"""Options and short sales: what exercising, expiring, opening and closing do to a book."""

from __future__ import annotations

from heapq import heappush

from domain.book import Book
from domain.choosing import choose
from domain.disposals import Departure, Disposal
from domain.entries import Entry, Issue
from domain.exact import format_quantity
from domain.facts import ShortClose
from domain.lots import Lot, part_of
from domain.selling import dispose
from domain.short_sales import ShortSale, ShortSales


def exercise(book: Book, entry: Entry) -> None:
    """Options become shares: their adjusted basis joins the price, the option's life does not.

    Shares of options that have absorbed a loss are no second acquisition and keep the days
    tacked to the option (Reg. 1.1091-1(e); IRC 1223(3)); others are bought that day.
    """
    pool = book.holding(entry, entry.quantity)
    if pool is None or entry.to_asset is None:
        return
    picks, _ = choose(book, pool, entry)
    target = book.pool(entry.account, entry.to_asset)
    cost, shares, options = entry.amount + entry.fee, entry.to_quantity, entry.quantity
    order, offset, bought = book.next_acquisition(), 0, []
    for option, units in picks:
        gone = book.split_off(option, units)
        made = part_of(shares, units, options)
        price = part_of(cost, units, options)
        lot = _shares(book, entry, gone, (made, gone.basis + price), (order, offset))
        gone.quantity = 0
        book.departures.append(
            Departure("exercised", entry.ref, option.ref, option.asset, units, gone.basis)
        )
        cost, shares, options, offset = cost - price, shares - made, options - units, offset + made
        target.count(entry.account.id, made)
        bought.append(lot)
    unused = [lot for lot in bought if not lot.used]
    if unused:
        target.wash.purchased_together(unused, entry.day)
    for lot in bought:
        if lot.quantity:
            heappush(target.heap, target.sort_key(lot))
            book.touched.append(lot)


def _shares(
    book: Book, entry: Entry, option: Lot, amounts: tuple[int, int], place: tuple[int, int]
) -> Lot:
    assert entry.to_asset is not None
    quantity, basis = amounts
    day, serial = entry.day, book.next_serial
    book.next_serial = serial + 1
    tacked = option.origin - option.acquired if option.used else 0
    return Lot(
        entry.ref, entry.to_asset, entry.account, quantity, basis, day - tacked, place[0],
        place[1], serial, day, entry.account.custody == "broker", option.used,
    )  # fmt: skip


def expire(book: Book, entry: Entry) -> None:
    """A bought option counts as sold for nothing; of a written one the premium is the gain."""
    written = _written(book, entry)
    if written:
        _keep_premiums(book, entry, written)
        return
    pool = book.holding(entry, entry.quantity)
    if pool is not None:
        picks, rule = choose(book, pool, entry, 0)
        dispose(book, entry, picks, 0, rule)


def _written(book: Book, entry: Entry) -> list[ShortSale]:
    """The open short sales of the option in the account, if no bought ones are there."""
    pool = book.pools.get((entry.account.id, entry.asset.id))
    if book.shorts is None or (pool is not None and pool.quantity):
        return []
    found = [
        each
        for each in book.shorts.by_ref.values()
        if each.units and each.asset is entry.asset and each.account.id == entry.account.id
    ]
    return found if sum(each.units for each in found) >= entry.quantity else []


def _keep_premiums(book: Book, entry: Entry, written: list[ShortSale]) -> None:
    assert book.shorts is not None
    left = entry.quantity
    for short in written:
        units = min(left, short.units)
        premium = book.shorts.close(short.ref, units) if units else 0
        if units and entry.account.reports:
            row = Disposal(
                book.next_serial, entry.ref, short.ref, entry.account, entry.asset, units,
                premium, 0, short.day, entry.day, short.day, 0, False, False, False,
                "option_written",
            )  # fmt: skip
            book.next_serial += 1
            book.disposals.append(row)
        left -= units
    book.shorts.keep_purchases(entry.asset.group)


def short_open(book: Book, entry: Entry) -> None:
    """Borrowed units are sold; the proceeds belong to the close."""
    book.wash(entry.asset)
    if book.shorts is None:
        book.shorts = ShortSales(book)
        book.is_special = True
    short = ShortSale(
        book.next_serial, entry.ref, entry.account, entry.asset, entry.day, entry.quantity,
        entry.amount - entry.fee,
    )  # fmt: skip
    book.next_serial += 1
    book.shorts.open(short, book.policy.rules.window_days)


def short_close(book: Book, entry: Entry) -> None:
    """Delivers held units; they are sold that day for the proceeds of the opening."""
    short = _opened(book, entry)
    if short is None or book.shorts is None:
        return
    pool = book.holding(entry, entry.quantity)
    if pool is None:
        return
    picks, rule = choose(book, pool, entry)
    book.shorts.closing(entry.ref)
    proceeds = book.shorts.close(short.ref, entry.quantity) - entry.fee
    dispose(book, entry, picks, proceeds, rule, short)
    book.shorts.keep_purchases(entry.asset.group)


def _opened(book: Book, entry: Entry) -> ShortSale | None:
    fact = entry.fact
    assert isinstance(fact, ShortClose)
    source, colon, _ = entry.ref.partition(":")
    known = book.shorts.by_ref if book.shorts is not None else {}
    short = known.get(fact.opens) or known.get(f"{source}{colon}{fact.opens}")
    if short is not None and _fits(short, entry):
        return short
    open_units = format_quantity(short.units) if short is not None else "0"
    book.issues.append(
        Issue(
            entry.ref,
            "no_such_short_sale",
            f"closes {format_quantity(entry.quantity)} {entry.asset.id} of short sale "
            f"{fact.opens}, of which {open_units} were open then",
            "record the short_open that it closes, or correct `opens` or the quantity",
        )
    )
    return None


def _fits(short: ShortSale, entry: Entry) -> bool:
    """Whether an entry can close a short sale: same account and asset, enough still open."""
    same = short.account.id == entry.account.id and short.asset is entry.asset
    return same and short.units >= entry.quantity
