"""Read model: disposals, the rows behind Form 8949, with disallowed losses."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Connection, Integer

from domain.days import iso
from domain.disposals import Disposal, box
from domain.exact import format_money, format_quantity, money, quantity
from domain.rules.rule_set import RuleSet
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

DISPOSALS = Projection(
    "disposals",
    1,
    book_table(
        "disposals_v1",
        [Column("serial", Integer, primary_key=True)],
        text(
            "event",
            "lot",
            "account",
            "asset",
            "qty",
            "acquired",
            "sold",
            "proceeds",
            "basis",
            "wash",
            "term",
            "code",
            "box",
            "chosen_by",
        ),
    ),
)
_SUMS = ("qty", "proceeds", "basis", "wash")


def row(taxpayer: str, book: str, sold: Disposal, rules: RuleSet) -> Row:
    """A disposal as a row of the table."""
    return (
        taxpayer,
        book,
        sold.serial,
        sold.ref,
        sold.lot,
        sold.account.id,
        sold.asset.id,
        format_quantity(sold.quantity),
        sold.acquired_text,
        iso(sold.sold),
        format_money(sold.proceeds),
        format_money(sold.basis),
        format_money(sold.wash) if sold.wash else "0",
        sold.term,
        sold.code,
        box(sold, rules),
        sold.chosen_by,
    )


def disposal_piece(sold: Disposal, rules: RuleSet) -> Piece:
    """A disposal as a dict with exact integers, before merging."""
    return {
        "event": sold.ref,
        "lot": sold.lot,
        "qty": sold.quantity,
        "acquired": sold.acquired_text,
        "sold": iso(sold.sold),
        "proceeds": sold.proceeds,
        "basis": sold.basis,
        "wash": sold.wash,
        "term": sold.term,
        "code": sold.code,
        "box": box(sold, rules),
        "account": sold.account.id,
        "asset": sold.asset.id,
        "chosen_by": sold.chosen_by,
    }


def present(rows: Iterable[Piece]) -> list[Piece]:
    """One line per (event, lot, account, asset, acquired, term, box); gain and column (h) worked
    out. Pieces of one lot may differ in their box: some were moved from broker to broker."""
    merged = merge(
        rows,
        lambda each: (
            each["event"],
            each["lot"],
            each["account"],
            each["asset"],
            each["acquired"],
            each["term"],
            each["box"],
        ),
        _SUMS,
    )
    for each in merged:
        each["gain"] = each["proceeds"] - each["basis"]
        each["taxable"] = each["gain"] + each["wash"]
        if each["wash"] and "W" not in each["code"]:
            each["code"] += "W"
    formats: Formats = {
        "event": str,
        "lot": str,
        "qty": format_quantity,
        "acquired": str,
        "sold": str,
        "proceeds": format_money,
        "basis": format_money,
        "gain": format_money,
        "wash": format_money,
        "taxable": format_money,
        "term": str,
        "code": str,
        "box": str,
        "account": str,
        "asset": str,
        "chosen_by": str,
    }
    return [shown(each, formats) for each in merged]


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The live disposals of a taxpayer, as `present` gives them."""
    rows = pieces(connection, DISPOSALS.table, taxpayer)
    for each in rows:
        each["qty"] = quantity(each["qty"])
        for name in ("proceeds", "basis", "wash"):
            each[name] = money(each[name])
    return present(rows)
