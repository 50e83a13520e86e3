"""Schedule D (Form 1040): the lines that Form 8949 feeds, the netting, and the carryovers."""

from __future__ import annotations

from typing import Any

from domain.years import TaxYear
from services import statement
from services.reports.amounts import Rounding
from services.reports.form_8949 import total
from services.reports.sales import TaxReturn
from services.reports.tables import csv_text

COLUMNS = ("line", "says", "d", "e", "g", "h")
# Schedule D (2025): each line takes the box of securities and that of digital assets.
_SHORT = (("1b", "AG"), ("2", "BH"), ("3", "CI"))
_LONG = (("8b", "DJ"), ("9", "EK"), ("10", "FL"))
Json = dict[str, Any]


def schedule_d(stated: TaxReturn, rounding: Rounding) -> Json:
    """The schedule as an object; amounts rounded from exact sums, losses negative."""
    sums = statement.year_sums(stated.portfolio)
    year = statement.outlook(stated.portfolio, stated.year, sums).before
    lines = [
        *_totals(stated, _SHORT, rounding),
        _line("6", "Short-term loss carried in", -year.carried_in[0], rounding),
        _line("7", "Net short-term gain or loss", year.short, rounding),
        *_totals(stated, _LONG, rounding),
        _line("14", "Long-term loss carried in", -year.carried_in[1], rounding),
        _line("15", "Net long-term gain or loss", year.long, rounding),
        *_summary(year, rounding),
    ]
    return {
        "form": "Schedule D",
        **stated.frame,
        "rounding": rounding.name,
        "lines": lines,
        "notes": [*stated.notes, *_assumptions(year)],
    }


def schedule_d_csv(schedule: Json) -> str:
    """The schedule as a table, one line of it a row."""
    return csv_text(schedule["lines"], COLUMNS)


def _totals(
    stated: TaxReturn, lines: tuple[tuple[str, str], ...], rounding: Rounding
) -> list[Json]:
    return [
        {"line": line, "says": f"Form 8949, boxes {boxes[0]} and {boxes[1]}"}
        | total((sale for sale in stated.sales if sale.box in boxes), rounding)
        for line, boxes in lines
    ]


def _summary(year: TaxYear, rounding: Rounding) -> list[Json]:
    return [
        _line("16", "Lines 7 and 15 together", year.net, rounding),
        _line("18", "28% rate gain", year.rate28, rounding),
        _line("21", "Loss deducted this year", -year.deduction, rounding),
        _line("carry short", "Short-term loss carried to next year", -year.carry_short, rounding),
        _line("carry long", "Long-term loss carried to next year", -year.carry_long, rounding),
    ]


def _line(line: str, says: str, amount: int, rounding: Rounding) -> Json:
    return {"line": line, "says": says, "h": rounding.shown(amount)}


def _assumptions(year: TaxYear) -> list[str]:
    if year.deduction and year.taxable_income is None:
        return [
            "taxable income is not stated: the carryover takes it to be high enough to use the "
            "whole deduction (Capital Loss Carryover Worksheet, line 1)"
        ]
    return []
