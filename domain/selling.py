"""Selling: units of chosen lots leave the book, as rows of the return or as departures."""

from __future__ import annotations

from domain.book import Book
from domain.days import first_long_day
from domain.disposals import Departure, Disposal
from domain.entries import Entry
from domain.lots import Lot, Pick, part_of


def dispose(book: Book, entry: Entry, picks: list[Pick], proceeds: int, rule: str) -> None:
    """Sells the picked units for `proceeds` in all.

    Losses inside one sale are taken by original acquisition, and units that go out later in
    the same sale can still replace earlier ones (Reg. 1.1091-1(b); rulebook c.4, c.7).
    """
    if len(picks) == 1:
        lot, units = picks[0]
        _sell(book, entry, lot, units, proceeds, rule)
        return
    if rule != "fifo":  # which picks in this order already
        picks.sort(key=_acquisition)
    selling = [_carved(book, lot, units) for lot, units in picks]
    units_left = 0
    for _, units in picks:
        units_left += units
    parts = book.washed_parts = {}
    for whole in selling:
        for lot in (*parts.pop(whole.serial), whole) if whole.serial in parts else (whole,):
            units = lot.quantity
            if units:
                share = proceeds if units == units_left else proceeds * units // units_left
                proceeds -= share
                units_left -= units
                _sell(book, entry, lot, units, share, rule)


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


def _carved(book: Book, lot: Lot, units: int) -> Lot:
    if units < lot.quantity:
        lot = book.carve(lot, units)
    lot.picked = True
    return lot


def _sell(book: Book, entry: Entry, lot: Lot, units: int, proceeds: int, rule: str) -> None:
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
    if not lot.account.reports:
        gone = Departure("not_reported", entry.ref, lot.ref, lot.asset, units, basis)
        book.departures.append(gone)
        return
    day, serial = entry.key[0], book.next_serial
    row = Disposal(
        serial, entry.ref, lot.ref, lot.account, lot.asset, units, proceeds, cost, acquired, day,
        lot.origin, lot.order, lot.inherited or day >= first_long_day(acquired), lot.covered,
        lot.inherited, rule,
    )  # fmt: skip
    book.next_serial = serial + 1
    book.disposals.append(row)
    if proceeds < cost:
        asset = lot.asset
        classes = book.one_version or book.wash_classes(day)
        if asset.asset_class.name in classes:
            row.open_quantity = units
            row.open_loss = cost - proceeds
            row.wash_classes = classes
            book.washes[asset.group].lost(row)


def _dual_basis(lot: Lot, units: int, proceeds: int, basis: int) -> tuple[int, int]:
    """(basis, day) of a gift worth less than the donor's basis (IRC 1015(a), 1223(2))."""
    loss_basis = part_of(lot.loss_basis, units, lot.quantity)
    lot.loss_basis -= loss_basis
    if proceeds > basis:
        return basis, lot.acquired
    if proceeds < loss_basis:
        return loss_basis, lot.gift_day
    return proceeds, lot.acquired
