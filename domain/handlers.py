"""What each kind of fact does to a book: one small handler each, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.book import Book
from domain.choosing import choose, take
from domain.days import day_of
from domain.derivatives import exercise, expire, short_close, short_open
from domain.entries import Entry, Issue
from domain.exact import money
from domain.facts import GiftIn
from domain.lots import Lot, Pool, part_of
from domain.selling import depart, dispose, return_capital
from domain.shared_pools import allocate, hand_out
from domain.splits import split

Handler = Callable[[Book, Entry], None]


def _buy(book: Book, entry: Entry) -> None:
    account = entry.account
    book.acquire(entry, entry.amount + entry.fee, True, account.custody == "broker")
    if entry.asset.collectible and account.is_retirement:
        _deemed_distribution(book, entry)


def _deemed_distribution(book: Book, entry: Entry) -> None:
    book.issues.append(
        Issue(
            entry.ref,
            "deemed_distribution",
            f"a collectible bought in {entry.account.id} counts as a distribution of its cost "
            "(IRC 408(m)(1))",
            "report the distribution; no figure here includes it",
            blocking=False,
        )
    )


def _sell(book: Book, entry: Entry) -> None:
    pool = book.holding(entry, entry.quantity)
    if pool is not None:
        proceeds = entry.amount - entry.fee
        if entry.lots:
            picks, rule = choose(book, pool, entry, proceeds)
        else:
            picks, rule = take(book, pool, entry, entry.quantity, proceeds)
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
    """Nothing is deductible (CCA 202302011), unless the owner takes another position."""
    position = book.policy.abandonment
    if position == "capital":
        pool = book.holding(entry, entry.quantity)
        if pool is not None:
            picks, _ = choose(book, pool, entry)
            dispose(book, entry, picks, 0, "abandon")
    else:
        _depart(book, entry, "ordinary_loss" if position == "ordinary" else "abandoned")


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
    target = book.pool(entry.to_account, entry.asset)
    if target is pool and pool.wallets is not None:  # one pool of basis: units move, basis stays
        pool.wallets[entry.account.id] -= entry.quantity
        pool.wallets[entry.to_account.id] += entry.quantity
        return
    picks, _ = choose(book, pool, entry)
    fee_left = entry.amount if book.policy.transfer_fee == "add_to_basis" else 0
    units_left = entry.quantity
    for lot, units in picks:
        moved = book.move_out(lot, units)
        moved.account = entry.to_account
        if entry.asset.asset_class.is_digital:
            moved.covered = False
        if fee_left:
            share = part_of(fee_left, units, units_left)
            moved.basis += share
            if moved.loss_basis >= 0:
                moved.loss_basis += share
            fee_left -= share
            units_left -= units
        _put(book, target, entry.to_account.id, moved)


def _put(book: Book, pool: Pool, account: str, lot: Lot) -> None:
    pool.count(account, lot.quantity)
    book.push(pool, lot)


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
    out_left, in_left, basis_left = entry.quantity, entry.to_quantity, 0
    for lot, units in picks:
        moved = book.move_out(lot, units)
        purchase = pool.wash.recent_purchase(moved.order)
        moved.offset = moved.offset * entry.to_quantity // entry.quantity
        moved.quantity = part_of(in_left, units, out_left)
        moved.asset = entry.to_asset
        out_left -= units
        in_left -= moved.quantity
        moved.basis += basis_left
        basis_left = 0
        if not moved.quantity and out_left:  # too small a piece: the next takes its basis
            basis_left, moved.basis = moved.basis, 0
            continue
        _put(book, target, entry.account.id, moved)
        if purchase is not None and not moved.used and target.wash is not pool.wash:
            purchase.pieces = [piece for piece in purchase.pieces if piece is not moved]
            target.wash.joined(moved, purchase)


def _worthless(book: Book, entry: Entry) -> None:
    """A security still held on 31 December counts as sold for nothing that day (f.5)."""
    pool = book.pools.get((entry.account.id, entry.asset.id))
    if pool is None or not pool.quantity or not entry.asset.asset_class.worthless_is_sale:
        return
    held = pool.quantity if pool.wallets is None else pool.wallets[entry.account.id]
    if not held:
        return
    picks, _ = take(book, pool, entry, held, 0)
    dispose(book, entry, picks, 0, "worthless")


def _unvalued_wrap(book: Book, entry: Entry) -> None:
    book.issues.append(
        Issue(
            entry.ref,
            "unvalued_wrap",
            "by the position taken this conversion is a taxable exchange, but it has no amount",
            "correct it with the fair market value received as `amount`, or elect wrap no_event",
        )
    )


def fold(book: Book, entries: Iterable[Entry]) -> None:
    """Applies entries, which come in the order of their keys, to a book."""
    handlers = HANDLERS
    from_day = book.policy.rules.per_wallet_from
    for entry in entries:
        if not book.is_handed_out and entry.day >= from_day:
            hand_out(book)
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
    "split": split,
    "return_of_capital": _return_of_capital,
    "convert": _convert,
    "worthless": _worthless,
    "unvalued_wrap": _unvalued_wrap,
    "option_exercise": exercise,
    "option_expire": expire,
    "short_open": short_open,
    "short_close": short_close,
    "basis_allocation": allocate,
}
