"""Tax years: the limit, the carryover worksheet, the 28 % group, and the tax saved."""

from __future__ import annotations

import pytest

from domain.decisions import ProfileStated
from domain.elections import default_policy
from domain.exact import format_money, money
from domain.rules.us import US
from domain.years import Key, TaxYear, tax_saved, tax_years

POLICY = default_policy()  # 35 % short, 15 % long


def profile(**more: object) -> ProfileStated:
    return ProfileStated(effective_at="0001-01-01", **more)  # type: ignore[arg-type]


def sums(year: int, short: str, long: str, gems: str = "0") -> dict[Key, int]:
    return {
        (year, False, False): money(short),
        (year, True, False): money(long),
        (year, True, True): money(gems),
    }


def years(all_sums: dict[Key, int], **more: object) -> list[TaxYear]:
    return tax_years(all_sums, profile(**more), US)


def shown(year: TaxYear) -> dict[str, str]:
    names = ("deduction", "carry_short", "carry_long")
    return {name: format_money(getattr(year, name)) for name in names}


def test_no_rows_no_years() -> None:
    assert years({}) == []


def test_short_losses_are_used_first_and_the_rest_keeps_its_character() -> None:
    rows = sums(2025, "-6000", "-5000") | sums(2026, "1000", "2000")
    first, second = years(rows)
    assert shown(first) == {"deduction": "3000", "carry_short": "3000", "carry_long": "5000"}
    assert (format_money(second.short), format_money(second.long)) == ("-2000", "-3000")
    assert shown(second) == {"deduction": "3000", "carry_short": "0", "carry_long": "2000"}


@pytest.mark.parametrize(
    ("status", "limit"),
    [(None, "3000"), ("single", "3000"), ("mfj", "3000"), ("hoh", "3000"), ("mfs", "1500")],
)
def test_a_net_loss_deducts_up_to_the_limit(status: str | None, limit: str) -> None:
    (year,) = years(sums(2025, "-10000", "0"), filing_status=status)
    assert format_money(year.deduction) == limit


def test_a_loss_below_the_limit_is_deducted_whole() -> None:
    (year,) = years(sums(2025, "-1000", "-0.01"))
    assert shown(year) == {"deduction": "1000.01", "carry_short": "0", "carry_long": "0"}


@pytest.mark.parametrize(
    ("short", "long", "income", "carry_short", "carry_long"),
    [
        ("-5000", "0", "-2000", "4000", "0"),  # 1,000 of the deduction did some good
        ("-5000", "0", "-3000", "5000", "0"),  # none did
        ("-5000", "0", "-9000", "5000", "0"),
        ("-5000", "0", "0", "2000", "0"),
        ("-5000", "0", "50000", "2000", "0"),
        ("0", "-5000", "-2000", "0", "4000"),
        ("-500", "-5000", "-1000", "0", "3500"),
        ("-5000", "4000", "-400", "400", "0"),
        ("2000", "-7000", "-2500", "0", "4500"),
    ],
)
def test_income_below_zero_leaves_more_to_carry(
    short: str, long: str, income: str, carry_short: str, carry_long: str
) -> None:
    (year,) = years(sums(2025, short, long), taxable_income={"2025": income})
    found = format_money(year.carry_short), format_money(year.carry_long)
    assert found == (carry_short, carry_long)


def test_a_carryover_runs_through_idle_years() -> None:
    found = years({}, carry_year=2024, carry_short="4000", carry_long="5000", report_years=(2026,))
    assert [each.year for each in found] == [2024, 2025, 2026]
    assert [shown(each)["carry_short"] for each in found] == ["1000", "0", "0"]
    assert [shown(each)["carry_long"] for each in found] == ["5000", "3000", "0"]


def test_a_loss_of_one_kind_first_meets_the_gain_of_the_other() -> None:
    (year,) = years(sums(2025, "-8000", "6000"))
    assert format_money(year.net) == "-2000"
    assert shown(year) == {"deduction": "2000", "carry_short": "0", "carry_long": "0"}


@pytest.mark.parametrize(
    ("short", "long", "gems", "carry_long", "rate28"),
    [
        ("0", "0", "1000", "0", "1000"),
        ("-400", "0", "1000", "0", "600"),
        ("-400", "500", "1000", "0", "600"),
        ("0", "500", "1000", "300", "700"),
        ("-400", "0", "1000", "300", "300"),
        ("500", "0", "1000", "0", "1000"),
        ("0", "900", "-1000", "0", "0"),
        ("-2000", "900", "1000", "0", "0"),  # no net gain: no 28 % group
        ("5000", "-1500", "1000", "0", "0"),  # no long-term gain: neither
    ],
)
def test_the_28_percent_group_is_met_by_long_carryovers_and_short_losses(
    short: str, long: str, gems: str, carry_long: str, rate28: str
) -> None:
    (year,) = years(sums(2025, short, long, gems), carry_year=2025, carry_long=carry_long)
    assert format_money(year.rate28) == rate28


def saved(before: dict[Key, int], short: str, long: str, **more: object) -> str:
    """Tax saved in 2025 by losses of these sizes."""
    change = {(2025, False, False): -money(short), (2025, True, False): -money(long)}
    return format_money(tax_saved(2025, before, change, profile(**more), POLICY))


def test_a_loss_saves_tax_on_the_gain_that_it_meets() -> None:
    assert saved(sums(2025, "1000", "0"), "1000", "0") == "350"
    assert saved(sums(2025, "0", "1000"), "1000", "0") == "150"
    assert saved(sums(2025, "0", "1000"), "0", "1000") == "150"


def test_a_loss_beyond_gains_and_limit_saves_nothing_this_year() -> None:
    assert saved(sums(2025, "-3000", "0"), "5000", "0") == "0"
    assert saved(sums(2025, "-9000", "-100"), "0", "2500") == "0"


def test_a_loss_meets_gains_first_and_other_income_up_to_the_limit() -> None:
    assert saved({}, "10000", "0") == "1050"
    assert saved(sums(2025, "1000", "0"), "10000", "0") == "1400"
    assert saved(sums(2025, "-2500", "0"), "10000", "0") == "175"
    assert saved({}, "10000", "0", filing_status="mfs") == "525"


def test_a_loss_carried_in_leaves_less_to_save() -> None:
    carried = {"carry_year": 2024, "carry_short": "9000"}
    assert saved(sums(2025, "1000", "0"), "1000", "0", **carried) == "0"


def test_harvesting_nothing_saves_nothing() -> None:
    assert saved(sums(2025, "12345.67", "-1"), "0", "0") == "0"
