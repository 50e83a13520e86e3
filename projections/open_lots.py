"""Read model: open lots of every account, with adjusted basis and the day they turn long-term."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Connection, Integer

from domain.days import iso
from domain.exact import format_money, format_quantity, money, quantity
from domain.lots import Lot
from projections.schema import (
    Formats,
    Piece,
    Projection,
    Row,
    book_table,
    merge,
    pieces,
    shown,
    text,
)

OPEN_LOTS = Projection(
    "open_lots",
    1,
    book_table(
        "open_lots_v1",
        [Column("serial", Integer, primary_key=True)],
        text("lot", "account", "asset", "qty", "basis", "acquired", "bought", "long_from"),
    ),
)


def row(taxpayer: str, book: str, lot: Lot) -> Row:
    """A lot as a row of the table."""
    return (
        taxpayer,
        book,
        lot.serial,
        lot.ref,
        lot.account.id,
        lot.asset.id,
        format_quantity(lot.quantity),
        format_money(lot.basis),
        lot.acquired_text,
        iso(lot.origin),
        lot.long_from_text,
    )


def lot_piece(lot: Lot) -> Piece:
    """A lot as a dict with exact integers, before merging."""
    return {
        "lot": lot.ref,
        "account": lot.account.id,
        "asset": lot.asset.id,
        "qty": lot.quantity,
        "basis": lot.basis,
        "acquired": lot.acquired_text,
        "bought": iso(lot.origin),
        "long_from": lot.long_from_text,
    }


def present(lots: Iterable[Piece]) -> list[Piece]:
    """One line per (lot, account, asset, acquired), decimals as exact text."""
    merged = merge(
        lots,
        lambda lot: (lot["lot"], lot["account"], lot["asset"], lot["acquired"]),
        ("qty", "basis"),
    )
    formats: Formats = {
        "lot": str,
        "account": str,
        "asset": str,
        "qty": format_quantity,
        "basis": format_money,
        "acquired": str,
        "bought": str,
        "long_from": str,
    }
    return [shown(lot, formats) for lot in merged]


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The live open lots of a taxpayer, as `present` gives them."""
    rows = pieces(connection, OPEN_LOTS.table, taxpayer)
    for each in rows:
        each["qty"], each["basis"] = quantity(each["qty"]), money(each["basis"])
    return present(rows)
