"""Selling: units of chosen lots leave the book, as rows of the return or as departures."""

from __future__ import annotations

from domain.book import Book
from domain.days import first_long_day
from domain.disposals import Departure, Disposal
from domain.entries import Entry, Issue
from domain.lots import Lot, Pick, part_of
from domain.short_sales import ShortSale

SHORT_DAYS = 365  # no year is shorter, so no unit held for less than that is long-term
_SALES = frozenset({"sell", "spend", "swap", "transfer"})


def dispose(
    book: Book,
    entry: Entry,
    picks: list[Pick],
    proceeds: int,
    rule: str,
    short: ShortSale | None = None,
) -> None:
    """Sells the picked units for `proceeds` in all; `short`: the short sale that it closes.

    Losses inside one sale are taken by original acquisition, and units that go out later in
    the same sale can still replace earlier ones (Reg. 1.1091-1(b); rulebook c.4, c.7), unless
    it is a full exit and the owner's position is that those do not.
    """
    if len(picks) == 1:
        lot, units = picks[0]
        _sell(book, entry, lot, units, proceeds, rule, short)
        return
    wash = book.washes[entry.asset.group]
    if book.policy.full_exit != "match":
        wash.siblings_count = book.holds(entry.asset.group)
    if rule != "fifo":  # which picks in this order already
        picks.sort(key=_acquisition)
    selling, units_left = [], 0
    for lot, units in picks:
        going = lot if units == lot.quantity else book.carve(lot, units)
        going.picked = True
        selling.append(going)
        units_left += units
    parts = book.washed_parts = {}
    for whole in selling:
        for lot in (*parts.pop(whole.serial), whole) if whole.serial in parts else (whole,):
            units = lot.quantity
            if units:
                share = proceeds if units == units_left else proceeds * units // units_left
                proceeds -= share
                units_left -= units
                _sell(book, entry, lot, units, share, rule, short)
    wash.siblings_count = True


def depart(book: Book, kind: str, entry: Entry, picks: list[Pick]) -> None:
    """Units leave without a disposal; their basis leaves with them."""
    for lot, units in picks:
        gone = book.split_off(lot, units)
        gone.quantity = 0
        book.departures.append(Departure(kind, entry.ref, lot.ref, lot.asset, units, gone.basis))


def return_capital(book: Book, entry: Entry, lot: Lot, share: int) -> None:
    """A lot's share of a nondividend distribution: off its basis first, the rest is gain."""
    reduction = min(share, lot.basis)
    lot.basis -= reduction
    if lot.loss_basis >= 0:
        lot.loss_basis = max(0, lot.loss_basis - share)
    book.touched.append(lot)
    book.departures.append(Departure("returned", entry.ref, lot.ref, lot.asset, 0, reduction))
    if share > reduction and lot.account.reports:
        day = entry.day
        is_long = lot.inherited or day >= first_long_day(lot.acquired)
        row = Disposal(
            book.next_serial, entry.ref, lot.ref, lot.account, lot.asset, lot.quantity,
            share - reduction, 0, lot.acquired, day, lot.origin, lot.order, is_long, lot.covered,
            lot.inherited, "return_of_capital",
        )  # fmt: skip
        book.next_serial += 1
        book.disposals.append(row)


def _acquisition(pick: Pick) -> tuple[int, int, int]:
    lot = pick[0]
    return lot.order, lot.acquired, lot.offset


def _sell(
    book: Book, entry: Entry, lot: Lot, units: int, proceeds: int, rule: str,
    short: ShortSale | None,
) -> None:  # fmt: skip
    """One row: units of one lot leave for `proceeds`, and a loss looks for replacements."""
    held = lot.quantity
    basis = lot.basis if units == held else lot.basis * units // held
    cost, acquired = basis, lot.acquired
    if lot.loss_basis >= 0:
        cost, acquired = _dual_basis(lot, units, proceeds, basis)
    lot.basis -= basis
    lot.quantity = held - units
    lot.offset += units
    book.touched.append(lot)
    account = entry.account
    if not account.reports:
        gone = Departure("not_reported", entry.ref, lot.ref, lot.asset, units, basis)
        book.departures.append(gone)
        return
    day, serial = entry.key[0], book.next_serial
    is_long = day - acquired > SHORT_DAYS and day >= first_long_day(acquired)
    row = Disposal(
        serial, entry.ref, lot.ref, account, lot.asset, units, proceeds, cost, acquired, day,
        lot.origin, lot.order, lot.inherited or is_long, lot.covered, lot.inherited, rule,
    )  # fmt: skip
    book.next_serial = serial + 1
    book.disposals.append(row)
    if book.is_special:
        _by_positions(book, entry, lot, row, short)
    elif proceeds < cost:
        classes = book.one_version or book.wash_classes(day)
        if lot.asset.asset_class.name in classes and not account.marked_to_market:
            row.open_quantity = units
            row.open_loss = cost - proceeds
            row.wash_classes = classes
            book.washes[lot.asset.group].lost(row)


def _by_positions(
    book: Book, entry: Entry, lot: Lot, row: Disposal, short: ShortSale | None
) -> None:
    """What a row does beyond the common case: short sales, and positions seldom taken."""
    if short is not None:
        row.short_ref = short.ref
        if lot.origin <= short.day:
            row.opened = short.day
    if row.is_loss or book.matches_gains:
        _match(book, lot, row)
    if book.shorts is not None:
        book.shorts.sold(row, book.policy.rules.window_days)
    if book.keeps_sold_units and not lot.used and entry.kind in _SALES:
        book.washes[lot.asset.group].sold(lot, row)
    if row.is_long and lot.asset.asks_collectible:
        _ask_collectible(book, row)


def _ask_collectible(book: Book, row: Disposal) -> None:
    """A long-term sale of a token of which nobody said whether it is a collectible."""
    asked = f"{row.asset.id} was sold long-term as no collectible"
    if not any(each.says.startswith(asked) for each in book.issues):
        book.issues.append(
            Issue(
                row.ref,
                "collectible_not_stated",
                f"{asked}, but nobody said whether it is one (Notice 2023-27)",
                "declare the asset with collectible true or false and a collectible_reason",
                blocking=False,
            )
        )


def _match(book: Book, lot: Lot, row: Disposal) -> None:
    """Puts a row before the wash-sale rule, if its class and account are under it."""
    classes = book.wash_classes(row.loss_day)
    if lot.asset.asset_class.name in classes and not row.account.marked_to_market:
        row.open_quantity = row.quantity
        row.open_loss = max(0, -row.gain)
        row.wash_classes = classes
        if book.shorts is not None and row.short_ref and not row.opened:
            if row.is_loss:
                book.shorts.closed_at_a_loss(row, book.policy.rules.window_days)
        else:
            book.washes[lot.asset.group].lost(row)


def _dual_basis(lot: Lot, units: int, proceeds: int, basis: int) -> tuple[int, int]:
    """(basis, day) of a gift worth less than the donor's basis (IRC 1015(a), 1223(2))."""
    loss_basis = part_of(lot.loss_basis, units, lot.quantity)
    lot.loss_basis -= loss_basis
    if proceeds > basis:
        return basis, lot.acquired
    if proceeds < loss_basis:
        return loss_basis, lot.gift_day
    return proceeds, lot.acquired
