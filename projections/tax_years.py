"""Read model: tax years as Schedule D has them, with the carryover, worksheets and tax."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Column, Connection, Integer, Table, Text

from domain.exact import format_money
from domain.policy import Policy
from domain.tax import Lines
from domain.worksheets import carryover, schedule_d
from domain.years import TaxYear, basis_of_tax
from projections.schema import METADATA, Piece, Projection, Row, pieces, text

_AMOUNTS = ("st", "lt", "net", "rate28", "deduction", "carry_st", "carry_lt")
_NAMES = (*_AMOUNTS, "tax", "basis_of_tax")

TAX_YEARS = Projection(
    "tax_years",
    4,
    Table(
        "tax_years_v4",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("year", Integer, primary_key=True),
        *text("label", *_NAMES, "worksheets"),
    ),
)


def row(taxpayer: str, year: TaxYear, basis: str) -> Row:
    """A year, with by what its tax is computed, as a row of the table; its worksheets as JSON."""
    texts = _texts(year, basis)
    return (taxpayer, year.year, _label(year), *texts, json.dumps(_worksheets(year)))


def present(years: Iterable[TaxYear], policy: Policy) -> list[Piece]:
    """Years with amounts as exact text.

    `tax` is income tax and net investment income tax, empty where the profile has no figures of
    the year. `worksheets`: name of the worksheet -> line -> amount.
    """
    return [
        {"year": _label(year)}
        | dict(zip(_NAMES, _texts(year, basis_of_tax(year, policy)), strict=True))
        | {"worksheets": _worksheets(year)}
        for year in years
    ]


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The live tax years of a taxpayer."""
    rows = pieces(connection, TAX_YEARS.table, taxpayer)
    return [
        {"year": each["label"]}
        | {name: each[name] for name in _NAMES}
        | {"worksheets": json.loads(each["worksheets"])}
        for each in rows
    ]


def _label(year: TaxYear) -> str:
    """The year as its law writes it: 2025, or 2024-25."""
    return year.label or str(year.year)


def _texts(year: TaxYear, basis: str) -> tuple[str, ...]:
    amounts = (
        year.short,
        year.long,
        year.net,
        year.rate28,
        year.deduction,
        year.carry_short,
        year.carry_long,
    )
    tax = "" if year.tax is None else format_money(year.tax.total)
    return (*map(format_money, amounts), tax, basis)


def _worksheets(year: TaxYear) -> dict[str, dict[str, str]]:
    """Schedule D, the carryover worksheet, the Schedule D Tax Worksheet and Form 8960 line 17."""
    if year.lines is not None:
        return {"gains": {name: format_money(amount) for name, amount in year.lines.items()}}
    found = {"schedule_d": schedule_d(year), "carryover": carryover(year)}
    if year.tax is not None:
        found["tax"] = year.tax.lines
        found["niit"] = {17: year.tax.niit}
    return {name: _shown(lines) for name, lines in found.items() if lines}


def _shown(lines: Lines) -> dict[str, str]:
    return {str(number): format_money(amount) for number, amount in lines.items()}
