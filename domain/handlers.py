"""What each kind of fact does to a book: one small handler each, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.book import Book
from domain.choosing import choose, take
from domain.days import day_of
from domain.entries import Entry, Issue
from domain.exact import money
from domain.facts import GiftIn
from domain.lots import part_of
from domain.selling import depart, dispose, return_capital

Handler = Callable[[Book, Entry], None]


def _buy(book: Book, entry: Entry) -> None:
    book.acquire(entry, entry.amount + entry.fee, True, entry.account.custody == "broker")


def _sell(book: Book, entry: Entry) -> None:
    pool = book.holding(entry, entry.quantity)
    if pool is not None:
        proceeds = entry.amount - entry.fee
        picks, rule = choose(book, pool, entry, proceeds)
        dispose(book, entry, picks, proceeds, rule)


def _swap_in(book: Book, entry: Entry) -> None:
    """The leg received; its basis is its fair market value, without any cost."""
    book.acquire(entry, entry.amount, True)


def _income(book: Book, entry: Entry) -> None:
    book.acquire(entry, entry.amount, book.policy.income_is_acquisition)
    if entry.account.reports:
        book.incomes.append(entry)


def _gift_in(book: Book, entry: Entry) -> None:
    """Donor's basis and date; if the value that day was lower, that is the basis for a loss."""
    fact = entry.fact
    assert isinstance(fact, GiftIn)
    donor_basis = money(fact.donor_basis)
    acquired = day_of(fact.donor_acquired) if fact.donor_acquired else entry.day
    lot = book.acquire(entry, donor_basis, False, acquired=acquired)
    if entry.amount < donor_basis:
        lot.loss_basis = entry.amount
        lot.gift_day = entry.day


def _inherit(book: Book, entry: Entry) -> None:
    book.acquire(entry, entry.amount, False).inherited = True


def _gift_out(book: Book, entry: Entry) -> None:
    _depart(book, entry, "gift")


def _abandon(book: Book, entry: Entry) -> None:
    _depart(book, entry, "abandoned")


def _depart(book: Book, entry: Entry, kind: str) -> None:
    pool = book.holding(entry, entry.quantity)
    if pool is not None:
        picks, _ = choose(book, pool, entry)
        depart(book, kind, entry, picks)


def _transfer(book: Book, entry: Entry) -> None:
    """Fee units are disposed of first, then the rest moves with basis and dates (e.3)."""
    pool = book.holding(entry, entry.quantity + entry.fee_quantity)
    if pool is None or entry.to_account is None:
        return
    if entry.fee_quantity:
        picks, rule = take(book, pool, entry, entry.fee_quantity, entry.amount)
        dispose(book, entry, picks, entry.amount, rule)
    picks, _ = choose(book, pool, entry)
    target = book.pool(entry.to_account, entry.asset)
    for lot, units in picks:
        moved = book.move_out(lot, units)
        moved.account = entry.to_account
        if entry.asset.asset_class.is_digital:
            moved.covered = False
        target.add(moved)


def _split(book: Book, entry: Entry) -> None:
    """New units for old ones in every account; basis and dates stay (e.6)."""
    asset, new, old = entry.asset, entry.quantity, entry.to_quantity
    wash = book.wash(asset)
    number, unit = book.weights[asset.id]
    book.weights[asset.id] = (number * old, unit * new)
    for (_, asset_id), pool in book.pools.items():
        if asset_id == asset.id:
            pool.quantity = 0
            for lot in list(pool.lots()):
                lot.quantity = lot.quantity * new // old
                lot.offset = lot.offset * new // old
                pool.quantity += lot.quantity
                book.touched.append(lot)
            pool.reorder(pool.method, pool.sort_key)
    wash.split(asset, new, old)


def _return_of_capital(book: Book, entry: Entry) -> None:
    """Spread share by share over the units held (e.6)."""
    pool = book.holding(entry, 1)
    if pool is None:
        return
    amount, units_left = entry.amount, pool.quantity
    for lot in sorted(pool.lots(), key=lambda each: each.serial):
        share = part_of(amount, lot.quantity, units_left)
        amount -= share
        units_left -= lot.quantity
        return_capital(book, entry, lot, share)
    pool.reorder(pool.method, pool.sort_key)


def _convert(book: Book, entry: Entry) -> None:
    """Units of one asset become units of another; basis, dates and lot stay (e.7)."""
    pool = book.holding(entry, entry.quantity)
    if pool is None or entry.to_asset is None:
        return
    picks, _ = take(book, pool, entry, entry.quantity)
    target = book.pool(entry.account, entry.to_asset)
    out_left, in_left = entry.quantity, entry.to_quantity
    for lot, units in picks:
        moved = book.move_out(lot, units)
        purchase = pool.wash.recent_purchase(moved.order)
        moved.offset = moved.offset * entry.to_quantity // entry.quantity
        moved.quantity = part_of(in_left, units, out_left)
        moved.asset = entry.to_asset
        out_left -= units
        in_left -= moved.quantity
        target.add(moved)
        if purchase is not None and not moved.used and target.wash is not pool.wash:
            purchase.pieces = [piece for piece in purchase.pieces if piece is not moved]
            target.wash.joined(moved, purchase)


def _worthless(book: Book, entry: Entry) -> None:
    """A security still held on 31 December counts as sold for nothing that day (f.5)."""
    pool = book.pools.get((entry.account.id, entry.asset.id))
    if pool is None or not pool.quantity or not entry.asset.asset_class.worthless_is_sale:
        return
    picks, _ = take(book, pool, entry, pool.quantity, 0)
    dispose(book, entry, picks, 0, "worthless")


def _not_yet(book: Book, entry: Entry) -> None:
    book.issues.append(
        Issue(
            entry.ref,
            "not_supported",
            f"facts of kind {entry.kind} are kept, but this release computes nothing from them",
            "totals leave it out; upgrade when the rule is offered",
        )
    )


def fold(book: Book, entries: Iterable[Entry]) -> None:
    """Applies entries, which come in the order of their keys, to a book."""
    handlers = HANDLERS
    for entry in entries:
        handlers[entry.kind](book, entry)
        book.last_key = entry.key


HANDLERS: dict[str, Handler] = {
    "buy": _buy,
    "sell": _sell,
    "spend": _sell,
    "swap": _sell,
    "swap_in": _swap_in,
    "income": _income,
    "transfer": _transfer,
    "gift_in": _gift_in,
    "inherit": _inherit,
    "gift_out": _gift_out,
    "abandon": _abandon,
    "split": _split,
    "return_of_capital": _return_of_capital,
    "convert": _convert,
    "worthless": _worthless,
    "option_exercise": _not_yet,
    "option_expire": _not_yet,
    "short_open": _not_yet,
    "short_close": _not_yet,
    "basis_allocation": _not_yet,
}
