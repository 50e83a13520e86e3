"""Tax years that begin on 6 April, the annual exempt amount, and losses brought forward."""

from __future__ import annotations

import pytest

from domain.days import day_of, year_from
from domain.decisions import PolicyElected, ProfileStated
from domain.elections import default_policy, elect
from domain.exact import format_money, money
from domain.rules.ca import CA
from domain.rules.rule_set import RuleSet
from domain.rules.uk import UK, exempt_amount
from domain.rules.us import US
from domain.years import Key, TaxYear, tax_at_rates, tax_years


def years(rules: RuleSet, nets: dict[int, str], **profile: object) -> list[TaxYear]:
    sums: dict[Key, int] = {(year, False, False): money(net) for year, net in nets.items()}
    stated = ProfileStated(effective_at="0001-01-01", **profile)  # type: ignore[arg-type]
    return tax_years(sums, stated, rules)


def policy(**positions: str) -> PolicyElected:
    return PolicyElected(effective_at="0001-01-01", **positions)  # type: ignore[arg-type]


def shown(year: TaxYear) -> tuple[str, str, str, str]:
    amounts = (year.net, year.exempt, year.carry_short)
    return (year.label, *map(format_money, amounts))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("day", "uk", "label"),
    [
        ("2024-04-05", 2023, "2023-24"), ("2024-04-06", 2024, "2024-25"),
        ("2024-12-31", 2024, "2024-25"), ("2100-01-01", 2099, "2099-00"),
    ],
)  # fmt: skip
def test_the_year_of_the_united_kingdom_begins_on_6_april(day: str, uk: int, label: str) -> None:
    assert UK.tax_year_of(day_of(day)) == uk
    assert UK.year_label(uk) == label
    assert US.tax_year_of(day_of(day)) == CA.tax_year_of(day_of(day)) == int(day[:4])
    assert CA.year_label(2024) == "2024"


def test_a_leap_day_belongs_to_a_year_that_begins_after_it() -> None:
    assert year_from(day_of("2024-02-29"), (3, 1)) == 2023


@pytest.mark.parametrize(
    ("year", "amount"),
    [(2019, "12000"), (2020, "12300"), (2022, "12300"), (2023, "6000"), (2024, "3000"),
     (2025, "3000")],
)  # fmt: skip
def test_the_annual_exempt_amount_is_dated(year: int, amount: str) -> None:
    assert format_money(exempt_amount(year)) == amount


def test_losses_of_the_year_come_off_in_full_and_earlier_ones_down_to_the_exempt_amount() -> None:
    """2023-24: 8,000 less 2,000 of 5,000 brought forward is 6,000, all exempt; 3,000 go on."""
    found = years(UK, {2022: "-5000", 2023: "8000", 2024: "4000", 2025: "1000"})
    assert [shown(each) for each in found] == [
        ("2022-23", "-5000", "0", "5000"),
        ("2023-24", "6000", "6000", "3000"),
        ("2024-25", "3000", "3000", "2000"),
        ("2025-26", "1000", "1000", "2000"),
    ]


def test_losses_from_before_the_history_are_brought_in_by_the_profile() -> None:
    (only,) = years(UK, {2024: "10000"}, carry_year=2024, carry_short="4000", carry_long="500")
    assert shown(only) == ("2024-25", "5500", "3000", "0")
    assert only.lines is not None
    assert format_money(only.lines["taxable_gain"]) == "2500"


def test_the_owners_rate_meets_what_is_above_the_exempt_amount() -> None:
    uk = elect(default_policy(), policy(jurisdiction="UK", rate_short="0.2"))
    assert uk.currency == "GBP"
    (over,) = years(UK, {2024: "13000"})
    (under,) = years(UK, {2024: "2000"})
    (loss,) = years(UK, {2024: "-2000"})
    taxes = [format_money(tax_at_rates(each, uk)) for each in (over, under, loss)]
    assert taxes == ["2000", "0", "0"]


def test_canada_uses_losses_against_gains_alone() -> None:
    found = years(CA, {2023: "-40", 2024: "25", 2025: "35"})
    assert [(each.net, each.deduction) for each in found] == [
        (money("-40"), 0), (0, 0), (money("20"), 0),
    ]  # fmt: skip
    assert [format_money(each.carry_short) for each in found] == ["40", "15", "0"]


def test_a_law_brings_its_currency_unless_another_is_elected() -> None:
    assert elect(default_policy(), policy(jurisdiction="CA")).currency == "CAD"
    euros = elect(default_policy(), policy(jurisdiction="CA", currency="EUR"))
    assert euros.currency == "EUR"
