"""A year's tax beside its netting: figures of the profile, worksheets, and what a change saves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.decisions import ProfileStated, TaxFigures
from domain.elections import default_policy
from domain.exact import format_money, money
from domain.rules.us import US
from domain.tax import Lines
from domain.worksheets import carryover, schedule_d
from domain.years import Key, Outlook, TaxYear, basis_of_tax, tax_of_year, tax_saved, tax_years

POLICY = default_policy()  # 35 % short, 15 % long


def profile(ordinary: str | None = "90000", **more: object) -> ProfileStated:
    """Figures of 2026, if any."""
    figures = {} if ordinary is None else {"2026": TaxFigures(ordinary)}
    return ProfileStated(effective_at="0001-01-01", **({"tax": figures} | more))  # type: ignore[arg-type]


def sums(short: str, long: str = "0", gems: str = "0", year: int = 2026) -> dict[Key, int]:
    return {
        (year, False, False): money(short),
        (year, True, False): money(long),
        (year, True, True): money(gems),
    }


def year_2026(rows: dict[Key, int], stated: ProfileStated) -> TaxYear:
    (found,) = tax_years(rows, stated, US)
    return found


def shown(lines: Lines) -> dict[int, str]:
    return {number: format_money(amount) for number, amount in lines.items()}


def saved(rows: dict[Key, int], short: str, long: str = "0", gems: str = "0",
          **more: object) -> str:  # fmt: skip
    """Tax saved in 2026 by losses of these sizes, single, on 90000 unless told otherwise."""
    change = {key: -amount for key, amount in sums(short, long, gems).items()}
    return format_money(tax_saved(2026, rows, change, profile(**more), POLICY))  # type: ignore[arg-type]


def test_a_loss_against_short_term_gains_saves_by_brackets() -> None:
    """98000 - 5000 in the 22 % bracket (P063); of 110000 4300 lie above 105700, at 24 %."""
    assert saved(sums("8000"), "5000") == "1100"
    assert saved(sums("20000"), "10000") == "2286"  # 1032 + 5700 at 22 %


def test_a_gain_in_the_zero_band_leaves_nothing_to_save() -> None:
    assert saved(sums("0", "10000"), "0", "6000", ordinary="30000") == "0"


def test_a_loss_beyond_the_gains_saves_on_the_deduction_once() -> None:
    """3000 at 22 %; a second loss saves nothing now."""
    assert saved({}, "10000") == "660"
    assert saved(sums("-3000"), "10000") == "0"


def test_a_short_term_loss_takes_the_28_percent_group_first() -> None:
    """28 % saved, be it on gems above the brackets below 32 % or beside gain at 15 %.

    First: line 1 = 220000, 21 = 20 = 201775, 42 = 18225; with the loss 42 = 8225.
    """
    assert saved(sums("0", "0", "70000"), "10000", ordinary="150000") == "2800"
    assert saved(sums("0", "60000", "10000"), "10000", ordinary="250000") == "2800"


def test_tax_on_investment_income_is_saved_too() -> None:
    """20 % + 3.8 % of 10000 above 545500."""
    figures = {"2026": TaxFigures("600000", "0", "650000", "0")}
    assert saved(sums("0", "50000"), "0", "10000", ordinary=None, tax=figures) == "2380"


def test_without_figures_of_that_year_the_owners_rates_count() -> None:
    other = {"2025": TaxFigures("90000")}
    assert saved(sums("8000"), "5000", ordinary=None) == "1750"
    assert saved(sums("8000"), "5000", ordinary=None, tax=other) == "1750"
    found = year_2026(sums("8000"), profile(None))
    assert (basis_of_tax(found, POLICY), found.tax) == ("default rates", None)
    others = replace(POLICY, rate_long=money("0.2"))
    assert basis_of_tax(found, others) == "owner's rates"
    assert format_money(tax_of_year(found, POLICY)) == "2800"


def test_a_year_says_by_which_table() -> None:
    found = year_2026(sums("8000"), profile())
    assert basis_of_tax(found, POLICY) == "brackets 2026"
    assert format_money(tax_of_year(found, POLICY)) == "16272"
    late = profile(None, tax={"2030": TaxFigures("90000")})
    (found,) = tax_years(sums("8000", year=2030), late, US)
    assert basis_of_tax(found, POLICY) == "brackets 2026"


def test_an_outlook_counts_what_earlier_years_carry_in() -> None:
    """2025: -13000, 3000 deducted, 10000 carried: 12000 of short gains are 2000 in 2026."""
    rows = sums("-13000", year=2025) | sums("12000")
    outlook = Outlook(2026, rows, profile(), POLICY)
    assert format_money(outlook.before.short) == "2000"
    assert outlook.before == tax_years(rows, profile(), US)[-1]
    change = {(2026, False, False): -money("2000")}
    assert format_money(outlook.saved(change)) == "440"
    assert format_money(outlook.after(change).net) == "0"


def test_an_outlook_takes_the_profiles_carry_in_of_that_year() -> None:
    stated = profile(carry_year=2026, carry_short="1500", carry_long="500")
    found = Outlook(2026, sums("8000", "1000"), stated, POLICY).before
    assert (format_money(found.short), format_money(found.long)) == ("6500", "500")
    assert found.carried_in == (money("1500"), money("500"))


def test_an_outlook_may_lie_before_all_rows() -> None:
    found = Outlook(2020, sums("8000"), profile(), POLICY).before
    assert (found.year, found.net) == (2020, 0)


@pytest.mark.parametrize(
    ("ordinary", "carried"),
    [("90000", "2000"), ("1000", "4000"), ("3000", "2000"), ("-500", "5000"), ("0", "5000")],
)
def test_the_carryover_worksheet_takes_the_income_of_the_figures(
    ordinary: str, carried: str
) -> None:
    """-5000: what the deduction of 3000 does not use of the income is carried (IRC 1212(b)(2))."""
    assert format_money(year_2026(sums("-5000"), profile(ordinary)).carry_short) == carried


def test_a_stated_taxable_income_comes_before_the_figures() -> None:
    found = year_2026(sums("-5000"), profile("90000", taxable_income={"2026": "-2000"}))
    assert format_money(found.carry_short) == "4000"


def test_schedule_d_has_its_lines() -> None:
    stated = profile(carry_year=2026, carry_short="1000", carry_long="2000")
    found = year_2026(sums("4000", "0", "9000"), stated)
    assert shown(schedule_d(found)) == {
        6: "1000", 7: "3000", 14: "2000", 15: "7000", 16: "10000", 18: "7000", 21: "0",
    }  # fmt: skip
    assert carryover(found) == {}


@pytest.mark.parametrize(
    ("short", "long", "income", "lines"),
    [
        (
            "-6000", "-5000", "50000",
            "50000 3000 53000 3000 6000 0 3000 3000 5000 0 0 0 5000",
        ),
        ("-2000", "-3000", "50000", "50000 3000 53000 3000 2000 0 3000 0 3000 0 1000 1000 2000"),
        ("-5000", "0", "-2000", "-2000 3000 1000 1000 5000 0 1000 4000 0 0 0 0 0"),
        ("-5000", "4000", "50000", "50000 1000 51000 1000 5000 4000 5000 0 0 0 0 0 0"),
        ("2000", "-7000", "50000", "50000 3000 53000 3000 0 0 3000 0 7000 2000 3000 5000 2000"),
    ],
)  # fmt: skip
def test_the_carryover_worksheet_line_by_line(
    short: str, long: str, income: str, lines: str
) -> None:
    """Schedule D instructions (2025), Capital Loss Carryover Worksheet; rulebook g.2."""
    found = year_2026(sums(short, long), profile(None, taxable_income={"2026": income}))
    worksheet = shown(carryover(found))
    assert worksheet == dict(enumerate(lines.split(), start=1))
    assert (worksheet[8], worksheet[13]) == (
        format_money(found.carry_short), format_money(found.carry_long),
    )  # fmt: skip


def test_an_unknown_income_leaves_its_lines_out() -> None:
    found = carryover(year_2026(sums("-5000"), profile(None)))
    assert {1, 3} & set(found) == set()
    assert format_money(found[4]) == "3000"
