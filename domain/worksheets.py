"""The lines of a year's forms: Schedule D, and the Capital Loss Carryover Worksheet (2025)."""

from __future__ import annotations

from domain.tax import Lines
from domain.years import TaxYear


def schedule_d(year: TaxYear) -> Lines:
    """Lines 6 and 14 (carried in), 7 and 15 (net), 16, 18 (28 % gain) and 21 (deduction).

    Losses carried in and the deduction are positive here; the form has them in parentheses.
    """
    short, long = year.carried_in
    return {
        6: short,
        7: year.short,
        14: long,
        15: year.long,
        16: year.net,
        18: year.rate28,
        21: year.deduction,
    }


def carryover(year: TaxYear) -> Lines:
    """Lines 1 to 13, empty in a year without a net loss; without a known income no 1 and 3."""
    if not year.deduction:
        return {}
    income = year.taxable_income
    line = {} if income is None else {1: income, 3: max(0, income + year.deduction)}
    line |= {
        2: year.deduction,
        4: year.used,
        5: max(0, -year.short),
        6: max(0, year.long),
        9: max(0, -year.long),
        10: max(0, year.short),
    }
    line[7] = line[4] + line[6]
    line[8] = max(0, line[5] - line[7])
    line[11] = max(0, line[4] - line[5])
    line[12] = line[10] + line[11]
    line[13] = max(0, line[9] - line[12])
    return dict(sorted(line.items()))
