"""Tax by brackets, each case derived by hand on the lines of the 2025 worksheets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decisions import TaxFigures
from domain.exact import ONE_DOLLAR, format_money, money
from domain.rules.us_rates import US_TAX_TABLES, TaxTable, table_for
from domain.tax import Tax, by_brackets, niit, return_of, tax_of

STATUSES = ("single", "mfj", "mfs", "hoh")


def tax(ordinary: str, short: str = "0", long: str = "0", **more: str) -> Tax:
    """The tax of a year (2025, single) with these Schedule D lines 7 and 15.

    A net loss is the deduction of line 21.
    """
    figures = TaxFigures(ordinary, more.get("dividends", "0"), more.get("magi", "0"))
    net = money(short) + money(long)
    stated = return_of(
        figures,
        more.get("status", "single"),
        net,
        max(0, min(money(long), net)),
        money(more.get("rate28", "0")),
    )
    return tax_of(stated, table_for(int(more.get("year", "2025"))))


def shown(found: Tax, *lines: int) -> list[str]:
    return [format_money(found.lines[line]) for line in lines]


def test_ordinary_income_goes_through_the_brackets() -> None:
    """2026 single: 1240 + 38000 at 12 % + 39600 at 22 % = 1240 + 4560 + 8712."""
    assert format_money(tax("90000", year="2026").total) == "14512"
    assert format_money(tax("90000", "8000", year="2026").total) == "16272"  # P063


def test_a_long_term_gain_in_the_zero_band_is_free() -> None:
    """2026 single, P064: 1240 + 17600 at 12 % = 3352; 16 = 40000, so 23-43 are left out."""
    found = tax("30000", long="10000", year="2026")
    assert shown(found, 1, 10, 14, 16, 22, 44, 47) == [
        "40000", "10000", "30000", "40000", "10000", "3352", "3352",
    ]  # fmt: skip


def test_a_gain_across_the_zero_and_fifteen_percent_bands() -> None:
    """2025 single: 14 = 40000; 16 = 48350; 22 = 8350 free; 30 = 31650 at 15 % = 4747.50;
    44 on 40000 = 1192.50 + 28075 at 12 % = 4561.50."""
    found = tax("40000", long="40000")
    assert shown(found, 21, 22, 25, 29, 30, 31, 32, 33, 44, 47) == [
        "40000", "8350", "31650", "31650", "31650", "4747.5", "40000", "0", "4561.5", "9309",
    ]  # fmt: skip


def test_a_gain_across_the_fifteen_and_twenty_percent_bands() -> None:
    """2025 single: 1 = 600000; 27 = 533400; 28 = 500000; 30 = 33400 at 15 % = 5010;
    33 = 66600 at 20 % = 13320; 44 on 500000 = 57231 + 249475 at 35 % = 144547.25."""
    found = tax("500000", long="100000")
    assert shown(found, 28, 29, 30, 31, 33, 34, 44, 47) == [
        "500000", "33400", "33400", "5010", "66600", "13320", "144547.25", "162877.25",
    ]  # fmt: skip


def test_qualified_dividends_are_taxed_like_long_term_gains() -> None:
    assert tax("40000", dividends="40000").total == tax("40000", long="40000").total
    assert tax("40000", long="15000", dividends="25000").total == tax("40000", long="40000").total


def test_a_net_loss_lowers_ordinary_income_by_the_deduction() -> None:
    """87000 in 2025 single: 5578.50 + 38525 at 22 % = 14054; 90000: 14714; 660 less."""
    assert format_money(tax("90000").total) == "14714"
    assert format_money(tax("90000", "-3000").total) == "14054"


def test_dividends_keep_their_rate_beside_a_net_loss() -> None:
    """1 = 40000 + 10000 - 3000 = 47000; 10 = 10000; 14 = 37000; 22 = 10000 free;
    44 on 37000 = 1192.50 + 25075 at 12 % = 4201.50."""
    found = tax("40000", "-2000", "-1000", dividends="10000")
    assert shown(found, 1, 9, 14, 22, 47) == ["47000", "0", "37000", "10000", "4201.5"]


def test_short_losses_leave_the_smaller_of_lines_15_and_16() -> None:
    """15 = 30000, 16 = 10000: 10000 at 15 % = 1500 on 100000 (16914)."""
    found = tax("100000", "-20000", "30000")
    assert shown(found, 9, 31, 47) == ["10000", "1500", "18414"]


def test_short_gains_beside_long_losses_are_ordinary() -> None:
    assert tax("100000", "30000", "-20000").total == tax("110000").total


def test_28_percent_gain_above_the_brackets_below_it() -> None:
    """2025 single: 1 = 260000; 12 = 50000; 13 = 10000; 14 = 250000; 18 = 200000;
    19 = 197300; 20 = 197300; 21 = 200000; 23 = 10000 at 15 % = 1500; 41 = 210000;
    42 = 50000 at 28 % = 14000; 44 on 200000 = 40199 + 2700 at 32 % = 41063."""
    found = tax("200000", long="60000", rate28="50000")
    assert shown(found, 12, 13, 14, 18, 19, 20, 21, 30, 31, 41, 42, 43, 44, 45, 47) == [
        "50000", "10000", "250000", "200000", "197300", "197300", "200000", "10000", "1500",
        "210000", "50000", "14000", "41063", "56563", "56563",
    ]  # fmt: skip


def test_28_percent_gain_fills_the_lower_brackets_first() -> None:
    """2025 single: 1 = 240000; 14 = 240000; 18 = 180000; 21 = 20 = 197300: 17300 of the 60000
    are taxed at 24 %; 42 = 42700 at 28 % = 11956; 44 on 197300 = 40199."""
    found = tax("180000", long="60000", rate28="60000")
    assert shown(found, 13, 14, 20, 21, 30, 41, 42, 43, 44, 47) == [
        "0", "240000", "197300", "197300", "0", "197300", "42700", "11956", "40199", "52155",
    ]  # fmt: skip


def test_28_percent_gain_in_the_lowest_brackets_is_ordinary_income() -> None:
    """1 = 30000 = 16: lines 23 to 43 are left out; 44 on 30000 = 1192.50 + 18075 at 12 %."""
    found = tax("20000", long="10000", rate28="10000")
    assert shown(found, 21, 22, 43, 44, 47) == ["30000", "0", "0", "3361.5", "3361.5"]


def test_28_percent_gain_narrows_the_zero_band_of_other_gain() -> None:
    """1 = 60000; 10 = 30000; 12 = 10000; 14 = 40000; 16 = 48350; 21 = 40000; 22 = 8350;
    23 = 20000; 30 = 11650 at 15 % = 1747.50; 41 = 40000 + 8350 + 11650 = 60000: 42 = 0."""
    found = tax("30000", long="30000", rate28="10000")
    assert shown(found, 14, 21, 22, 30, 31, 33, 41, 42, 44, 47) == [
        "40000", "40000", "8350", "11650", "1747.5", "0", "60000", "0", "4561.5", "6309",
    ]  # fmt: skip


def test_20_and_28_percent_side_by_side() -> None:
    """2025 single: 1 = 700000; 10 = 100000; 12 = 40000; 13 = 60000; 14 = 640000; 21 = 600000;
    22 = 0; 23 = 60000; 29 = max(0, 533400 - 600000) = 0; 33 = 60000 at 20 % = 12000;
    41 = 660000; 42 = 40000 at 28 % = 11200; 44 on 600000 = 57231 + 349475 at 35 % = 179547.25."""
    found = tax("600000", long="100000", rate28="40000")
    assert shown(found, 29, 33, 34, 41, 42, 43, 44, 47) == [
        "0", "60000", "12000", "660000", "40000", "11200", "179547.25", "202747.25",
    ]  # fmt: skip


def test_a_gain_meets_deductions_that_income_did_not_use() -> None:
    """Ordinary -20000 and 60000 long: 1 = 40000 = 16, all free; line 15 stays exact."""
    found = tax("-20000", long="60000")
    assert shown(found, 1, 14, 18, 22, 47) == ["40000", "0", "0", "40000", "0"]
    assert format_money(tax("-20000", long="-3000").taxable) == "-23000"
    assert tax("-20000", long="-3000").total == 0


def test_a_gain_meets_unused_deductions_above_the_zero_band() -> None:
    """1 = 100000; 14 = 0; 22 = 48350; 30 = 51650 at 15 % = 7747.50."""
    assert shown(tax("-20000", long="120000"), 22, 30, 44, 47) == ["48350", "51650", "0", "7747.5"]


def test_28_percent_gain_meets_unused_deductions_last() -> None:
    """Ordinary -20000, 28 % gain 50000 of 120000: 1 = 100000; 13 = 70000; 14 = 30000;
    21 = 30000; 16 = 48350, 17 = 30000; 22 = 18350; 23 = 70000; 30 = 51650 at 15 % = 7747.50;
    44 on 30000 = 3361.50."""
    found = tax("-20000", long="120000", rate28="50000")
    assert shown(found, 13, 14, 21, 22, 30, 44, 47) == [
        "70000", "30000", "30000", "18350", "51650", "3361.5", "11109",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("single", "80547.25"),  # 57231 + 49475 at 35 % = 74547.25; 40000 at 15 %
        ("mfj", "63694"),  # 35302 + 93300 at 24 % = 57694; 40000 at 15 %
        ("mfs", "82547.25"),  # as single; 15 % ends at 300000: 40000 at 20 %
        ("hoh", "78809"),  # 55484 + 49500 at 35 % = 72809; 40000 at 15 %
    ],
)
def test_every_status_has_its_own_table(status: str, expected: str) -> None:
    """40000 long-term on 300000 in 2025."""
    assert format_money(tax("300000", long="40000", status=status).total) == expected


@pytest.mark.parametrize(
    ("status", "threshold"),
    [("single", "200000"), ("mfj", "250000"), ("mfs", "125000"), ("hoh", "200000")],
)
def test_investment_income_above_the_threshold(status: str, threshold: str) -> None:
    """A gain of 50000 that carries MAGI 10000 above the threshold: 3.8 % of 10000."""
    magi = format_money(money(threshold) - money("40000"))
    found = tax("100000", long="50000", status=status, magi=magi)
    assert format_money(found.niit) == "380"
    assert found.total == found.income_tax + found.niit


@pytest.mark.parametrize(
    ("gain", "magi", "nii", "expected"),
    [
        ("50000", "300000", "0", "1900"),  # all investment income: 3.8 % of 50000
        ("50000", "300000", "10000", "2280"),
        ("-3000", "300000", "10000", "266"),  # a net loss counts at most its deduction
        ("-3000", "300000", "2000", "0"),
        ("-3000", "203000", "10000", "0"),  # MAGI with the loss is just at the threshold
        ("-3000", "204000", "10000", "38"),
        ("50000", "100000", "10000", "0"),
    ],
)
def test_the_smaller_of_investment_income_and_magi_above(
    gain: str, magi: str, nii: str, expected: str
) -> None:
    figures = TaxFigures("0", "0", magi, nii)
    stated = return_of(figures, "single", money(gain), 0, 0)
    assert format_money(niit(stated, table_for(2025))) == expected


def test_a_year_without_a_table_uses_the_latest_before_it() -> None:
    assert [table_for(year).year for year in (2024, 2025, 2026, 2031)] == [2025, 2025, 2026, 2026]
    assert tax("1", year="2031").table == 2026


@pytest.mark.parametrize("table", US_TAX_TABLES, ids=lambda table: table.year)
@pytest.mark.parametrize("status", STATUSES)
def test_tables_are_complete_and_ascending(table: TaxTable, status: str) -> None:
    froms = [start for start, _ in table.brackets[status]]
    assert froms == sorted(set(froms))
    assert froms[0] == 0
    assert table.zero_up_to[status] < table.fifteen_up_to[status]
    assert table.below_25_up_to[status] == froms[4]  # where 32 % starts: IRC 1(j)(5), 1(h)
    assert table.source


def test_brackets_are_continuous() -> None:
    brackets = table_for(2025).brackets["single"]
    assert by_brackets(money("11925"), brackets) == money("1192.5")
    assert by_brackets(money("0"), brackets) == 0
    assert by_brackets(money("626351"), brackets) - by_brackets(money("626350"), brackets) == money(
        "0.37"
    )


def statute(taxable: int, gain: int, rate28: int, status: str, table: TaxTable) -> int:
    """IRC 1(h)(1)(A)-(D) and (F) as they are written; `gain` includes qualified dividends."""
    taxable = max(0, taxable)
    adjusted = gain - rate28  # IRC 1(h)(3)
    base = max(0, taxable - adjusted)
    at_rates = max(taxable - gain, min(taxable, table.below_25_up_to[status], base), 0)
    either = min(adjusted, taxable)
    at_zero = min(either, max(0, min(taxable, table.zero_up_to[status]) - base))
    at_15 = min(
        either - at_zero,
        max(0, min(taxable, table.fifteen_up_to[status]) - at_rates - at_zero),
    )
    at_20 = either - at_zero - at_15
    at_28 = max(0, taxable - at_rates - at_zero - at_15 - at_20)
    brackets = table.brackets[status]
    special = by_brackets(at_rates, brackets) + (at_15 * 15 + at_20 * 20 + at_28 * 28) // 100
    return min(special, by_brackets(taxable, brackets))


_dollars = st.integers(0, 900_000)


@given(
    ordinary=st.integers(-100_000, 900_000),
    short=st.integers(-300_000, 300_000),
    long=_dollars,
    dividends=st.integers(0, 200_000),
    share28=st.integers(0, 100),
    status=st.sampled_from(STATUSES),
    table=st.sampled_from(US_TAX_TABLES),
)
def test_the_worksheet_is_what_the_statute_says(
    ordinary: int, short: int, long: int, dividends: int, share28: int, status: str,
    table: TaxTable,
) -> None:  # fmt: skip
    net = short + long
    long_gain = max(0, min(long, net))
    rate28 = long_gain * share28 // 100
    gain = net if net > 0 else max(net, -3000)
    figures = TaxFigures(str(ordinary), str(dividends))
    stated = return_of(
        figures, status, gain * ONE_DOLLAR, long_gain * ONE_DOLLAR, rate28 * ONE_DOLLAR
    )
    expected = statute(
        (ordinary + dividends + gain) * ONE_DOLLAR, (dividends + long_gain) * ONE_DOLLAR,
        rate28 * ONE_DOLLAR, status, table,
    )  # fmt: skip
    assert tax_of(stated, table).income_tax == expected


FILLED = {1, 9, 10, *range(12, 15), *range(16, 23), *range(23, 48)}  # 2-8, 11, 15: other forms


@pytest.mark.parametrize("long", ["0", "10000", "40000", "700000"])
def test_every_line_of_the_worksheet_is_there(long: str) -> None:
    assert set(tax("30000", long=long).lines) == FILLED


@pytest.mark.parametrize(("long", "rate28"), [("10000", "0"), ("10000", "5000"), ("0", "0")])
def test_within_the_zero_band_lines_23_to_43_are_left_out(long: str, rate28: str) -> None:
    """Line 16 equals line 1."""
    found = tax("20000", long=long, rate28=rate28)
    assert found.lines[1] == found.lines[16]
    assert {found.lines[number] for number in range(23, 44)} == {0}


def test_28_percent_gain_is_no_more_than_the_net_long_term_gain() -> None:
    """Line 18 may be above line 15 beside other long-term losses: 12 = 9 = 30000, though
    dividends make 10 = 50000; 13 = 20000."""
    found = tax("100000", long="30000", rate28="50000", dividends="20000")
    assert shown(found, 9, 10, 12, 13) == ["30000", "50000", "30000", "20000"]
