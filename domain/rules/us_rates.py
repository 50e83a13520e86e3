"""United States: the yearly tables of the income tax, with sources.

A later year is one more row of US_TAX_TABLES. Amounts are dollars as text, rates percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.exact import money

Brackets = tuple[tuple[int, int], ...]  # (taxable income from, percent), ascending
NIIT_PER_MILLE = 38  # IRC 1411(a)(1)
_NIIT_FROM = {"single": "200000", "mfj": "250000", "mfs": "125000", "hoh": "200000"}


@dataclass(frozen=True, slots=True)
class TaxTable:
    """One year's tables by filing status; money in 10**-36.

    `zero_up_to`, `fifteen_up_to` and `below_25_up_to` are lines 15, 26 and 19 of the Schedule D
    Tax Worksheet: IRC 1(h)(1)(B), (C), (A)(ii)(I). `niit_from`: IRC 1411(b), not indexed.
    """

    year: int
    source: str
    brackets: Mapping[str, Brackets]
    zero_up_to: Mapping[str, int]
    fifteen_up_to: Mapping[str, int]
    below_25_up_to: Mapping[str, int]
    niit_from: Mapping[str, int]


def table_for(year: int) -> TaxTable:
    """The year's table; for a year without one the latest before it, else the earliest."""
    found = US_TAX_TABLES[0]
    for table in US_TAX_TABLES:
        if table.year <= year:
            found = table
    return found


def _amounts(single: str, mfj: str, mfs: str, hoh: str) -> dict[str, int]:
    return {
        "single": money(single), "mfj": money(mfj), "mfs": money(mfs), "hoh": money(hoh),
    }  # fmt: skip


def _brackets(*froms: str) -> Brackets:
    """Where each rate of IRC 1(j) starts."""
    rates = (10, 12, 22, 24, 32, 35, 37)
    return tuple(zip(map(money, froms), rates, strict=True))


US_TAX_TABLES = (
    TaxTable(
        year=2025,
        source="Rev. Proc. 2024-40 as amended by P.L. 119-21; capital-gain breakpoints: 2025 "
        "Schedule D Tax Worksheet, lines 15, 19 and 26",
        brackets={
            "single": _brackets("0", "11925", "48475", "103350", "197300", "250525", "626350"),
            "mfj": _brackets("0", "23850", "96950", "206700", "394600", "501050", "751600"),
            "mfs": _brackets("0", "11925", "48475", "103350", "197300", "250525", "375800"),
            "hoh": _brackets("0", "17000", "64850", "103350", "197300", "250500", "626350"),
        },
        zero_up_to=_amounts("48350", "96700", "48350", "64750"),
        fifteen_up_to=_amounts("533400", "600050", "300000", "566700"),
        below_25_up_to=_amounts("197300", "394600", "197300", "197300"),
        niit_from=_amounts(**_NIIT_FROM),
    ),
    TaxTable(
        year=2026,
        source="Rev. Proc. 2025-32 sec. 4.01 and 4.03",
        brackets={
            "single": _brackets("0", "12400", "50400", "105700", "201775", "256225", "640600"),
            "mfj": _brackets("0", "24800", "100800", "211400", "403550", "512450", "768700"),
            "mfs": _brackets("0", "12400", "50400", "105700", "201775", "256225", "384350"),
            "hoh": _brackets("0", "17700", "67450", "105700", "201750", "256200", "640600"),
        },
        zero_up_to=_amounts("49450", "98900", "49450", "66200"),
        fifteen_up_to=_amounts("545500", "613700", "306850", "579600"),
        below_25_up_to=_amounts("201775", "403550", "201775", "201750"),
        niit_from=_amounts(**_NIIT_FROM),
    ),
)
