"""Read model: harvest opportunities, the lots with a loss at their latest mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Column, Connection, Integer

from domain.days import iso
from domain.exact import format_money, format_quantity, money, quantity
from domain.harvest import Opportunity
from domain.lots import INHERITED
from projections.schema import Piece, Projection, Row, book_table, merge, pieces, shown, text

OPPORTUNITIES = Projection(
    "opportunities",
    4,
    book_table(
        "opportunities_v4",
        [Column("serial", Integer, primary_key=True)],
        [
            *text(
                "lot",
                "account",
                "asset",
                "asset_class",
                "acquired",
                "qty",
                "price",
                "value",
                "basis",
                "loss",
                "blocked",
                "harvestable",
                "term",
            ),
            Column("days_to_long", Integer, nullable=False),
            *text("tax_saved", "basis_of_tax", "blocked_by", "blocked_until", "mark_at"),
            *text("mark_source", "mark_kind", "quoted", "haircut"),
        ],
    ),
)
_UNITS = ("qty", "price")
_MONEY = ("value", "basis", "loss", "blocked", "harvestable", "tax_saved")
_MARK = ("mark_at", "mark_source", "mark_kind", "quoted", "haircut")
_MERGED = ("qty", "value", "basis", "loss", "blocked", "harvestable")


def opportunity_piece(found: Opportunity, saved: tuple[int, str], mark: Piece) -> Piece:
    """An opportunity as a dict with exact integers.

    `saved` is (tax saved, by what it is computed); `mark` the text columns of its mark.
    """
    lot = found.lot
    return {
        "serial": lot.serial,
        "lot": lot.ref,
        "account": lot.account.id,
        "asset": lot.asset.id,
        "asset_class": lot.asset.asset_class.name,
        "acquired": INHERITED if lot.inherited else iso(found.acquired),
        "qty": lot.quantity,
        "price": found.price,
        "value": found.value,
        "basis": found.basis,
        "loss": found.loss,
        "blocked": found.blocked,
        "harvestable": found.harvestable,
        "term": "L" if found.is_long else "S",
        "days_to_long": found.days_to_long,
        "tax_saved": saved[0],
        "basis_of_tax": saved[1],
        "blocked_by": found.blocked_by,
        "blocked_until": iso(found.blocked_until) if found.blocked_until else "",
        **{name: mark[name] for name in _MARK},
    }


def row(taxpayer: str, book: str, piece: Piece) -> Row:
    """An opportunity as a row of the table."""
    written = dict(piece)
    for name in _UNITS:
        written[name] = format_quantity(piece[name])
    for name in _MONEY:
        written[name] = format_money(piece[name])
    return (taxpayer, book, *written.values())


def present(found: Iterable[Piece]) -> list[Piece]:
    """One line per (lot, account, asset, acquired), largest harvestable loss first."""
    merged = merge(
        found,
        lambda each: (each["lot"], each["account"], each["asset"], each["acquired"]),
        (*_MERGED, "tax_saved"),
    )
    merged.sort(key=lambda each: (-each["harvestable"], -each["loss"], each["lot"]))
    formats: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(_UNITS, format_quantity),
        **dict.fromkeys(_MONEY, format_money),
    }
    return [
        shown(each, {name: formats.get(name, _same) for name in each if name not in _INNER})
        for each in merged
    ]


_INNER = ("taxpayer", "book", "serial")


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The live opportunities of a taxpayer."""
    found = pieces(connection, OPPORTUNITIES.table, taxpayer)
    for each in found:
        for name in _UNITS:
            each[name] = quantity(each[name])
        for name in _MONEY:
            each[name] = money(each[name])
    return present(found)


def _same(value: Any) -> Any:
    return value
