"""Tax of one year by brackets: Schedule D Tax Worksheet and the tax on investment income.

Income tax by rate schedule (IRC 1(a)-(d), (j)), without Tax Table rounding; gains and qualified
dividends by IRC 1(h) as the 2025 worksheet has it (unrecaptured section 1250 gain is not
modelled); net investment income tax by IRC 1411. Money in 10**-36, exact.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.decisions import TaxFigures
from domain.exact import money
from domain.rules.us_rates import NIIT_PER_MILLE, Brackets, TaxTable

Lines = dict[int, int]  # line number of a worksheet -> amount


@dataclass(frozen=True, slots=True)
class Return:
    """What a year's tax is computed from.

    `ordinary`: taxable income without gains and qualified dividends (may be negative); `gain`:
    Schedule D line 16 if positive, else less the deduction of line 21 (Form 1040 line 7);
    `long_gain`: the smaller of lines 15 and 16, not below 0; `rate28`: line 18. `magi` and
    `investment_income` are without gains.
    """

    status: str
    ordinary: int
    dividends: int
    gain: int
    long_gain: int
    rate28: int
    magi: int
    investment_income: int

    @property
    def taxable(self) -> int:
        """Form 1040 line 15 as the carryover worksheet wants it: may be negative."""
        return self.ordinary + self.dividends + self.gain


@dataclass(frozen=True, slots=True)
class Tax:
    """A year's tax by the table of year `table`: the worksheet's lines, and what they come to."""

    table: int
    taxable: int
    lines: Lines
    niit: int

    @property
    def income_tax(self) -> int:
        """Schedule D Tax Worksheet line 47."""
        return self.lines[47]

    @property
    def total(self) -> int:
        """Income tax and net investment income tax."""
        return self.income_tax + self.niit


def return_of(figures: TaxFigures, status: str, gain: int, long_gain: int, rate28: int) -> Return:
    """The owner's figures of a year together with what the ledger says of gains."""
    return Return(
        status=status,
        ordinary=money(figures.ordinary_taxable),
        dividends=money(figures.qualified_dividends),
        gain=gain,
        long_gain=long_gain,
        rate28=rate28,
        magi=money(figures.magi_without_gains),
        investment_income=money(figures.other_nii),
    )


def tax_of(stated: Return, table: TaxTable) -> Tax:
    """The year's whole tax."""
    return Tax(table.year, stated.taxable, worksheet(stated, table), niit(stated, table))


def niit(stated: Return, table: TaxTable) -> int:
    """3.8 % of the smaller of net investment income and MAGI above the threshold.

    A net capital loss lowers both by no more than the deduction (Reg. 1.1411-4(d)(2)).
    """
    income = max(0, stated.investment_income + stated.gain)
    above = max(0, stated.magi + stated.gain - table.niit_from[stated.status])
    return min(income, above) * NIIT_PER_MILLE // 1000


def worksheet(stated: Return, table: TaxTable) -> Lines:
    """The Schedule D Tax Worksheet (2025), line by line; lines left out are 0.

    Where there is no 28 % gain it is the Qualified Dividends and Capital Gain Tax Worksheet by
    other line numbers.
    """
    status = stated.status
    brackets = table.brackets[status]
    line = dict.fromkeys(range(23, 48), 0)
    line[1] = max(0, stated.taxable)
    line[9] = stated.long_gain
    line[10] = stated.dividends + line[9]
    line[12] = min(line[9], stated.rate28)  # line 11 is Schedule D line 18: line 19 is none
    line[13] = line[10] - line[12]
    line[14] = max(0, line[1] - line[13])
    line[16] = min(line[1], table.zero_up_to[status])
    line[17] = min(line[14], line[16])
    line[18] = max(0, line[1] - line[10])
    line[19] = min(line[1], table.below_25_up_to[status])
    line[20] = min(line[14], line[19])
    line[21] = max(line[18], line[20])  # taxed as ordinary income
    line[22] = line[16] - line[17]  # taxed at 0 %
    if line[1] != line[16]:
        _above_zero(line, table.fifteen_up_to[status], stated.rate28)
    line[44] = by_brackets(line[21], brackets)
    line[45] = line[31] + line[34] + line[43] + line[44]
    line[46] = by_brackets(line[1], brackets)
    line[47] = min(line[45], line[46])
    return dict(sorted(line.items()))


def _above_zero(line: Lines, fifteen_up_to: int, rate28: int) -> None:
    """Lines 23 to 43: what of the gain is taxed at 15, 20 and 28 %."""
    line[23] = min(line[1], line[13])
    line[24] = line[22]
    line[25] = max(0, line[23] - line[24])
    line[26] = fifteen_up_to
    line[27] = min(line[1], line[26])
    line[28] = line[21] + line[22]
    line[29] = max(0, line[27] - line[28])
    line[30] = min(line[25], line[29])
    line[31] = line[30] * 15 // 100
    line[32] = line[24] + line[30]
    if line[1] == line[32]:
        return
    line[33] = line[23] - line[32]
    line[34] = line[33] * 20 // 100
    if rate28:
        line[41] = line[21] + line[22] + line[30] + line[33]
        line[42] = line[1] - line[41]
        line[43] = line[42] * 28 // 100


def by_brackets(income: int, brackets: Brackets) -> int:
    """Ordinary tax on an income: each rate on what lies above its start."""
    tax, rate_below = 0, 0
    for start, rate in brackets:
        tax += max(0, income - start) * (rate - rate_below) // 100
        rate_below = rate
    return tax
