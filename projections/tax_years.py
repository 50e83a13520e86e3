"""Read model: tax years as Schedule D has them, with the carryover."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Connection, Integer, Table, Text

from domain.exact import format_money
from domain.years import TaxYear
from projections.schema import METADATA, Piece, Projection, Row, pieces, text

_AMOUNTS = ("st", "lt", "net", "rate28", "deduction", "carry_st", "carry_lt")

TAX_YEARS = Projection(
    "tax_years",
    1,
    Table(
        "tax_years_v1",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("year", Integer, primary_key=True),
        *text(*_AMOUNTS),
    ),
)


def row(taxpayer: str, year: TaxYear) -> Row:
    """A year as a row of the table."""
    return (taxpayer, year.year, *(format_money(amount) for amount in _amounts(year)))


def present(years: Iterable[TaxYear]) -> list[Piece]:
    """Years with amounts as exact text."""
    return [
        {"year": str(year.year)}
        | dict(zip(_AMOUNTS, map(format_money, _amounts(year)), strict=True))
        for year in years
    ]


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The live tax years of a taxpayer."""
    rows = pieces(connection, TAX_YEARS.table, taxpayer)
    return [{"year": str(each["year"])} | {name: each[name] for name in _AMOUNTS} for each in rows]


def _amounts(year: TaxYear) -> tuple[int, ...]:
    return (
        year.short,
        year.long,
        year.net,
        year.rate28,
        year.deduction,
        year.carry_short,
        year.carry_long,
    )
