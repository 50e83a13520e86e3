"""What a year is made of: gains, disallowed losses, and tax at the owner's own rates."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decisions import ProfileStated
from domain.elections import default_policy
from domain.exact import format_money, money
from domain.rules.us import US
from domain.years import Key, TaxYear, tax_at_rates, tax_years
from services import statement
from tests.domain.make import Json, buy, sell
from tests.domain.test_identified_units import folded

POLICY = default_policy()  # 35 % short, 15 % long
PLAIN = ProfileStated(effective_at="0001-01-01")


def year_of(short: str, long: str) -> TaxYear:
    both: dict[Key, int] = {(2025, False, False): money(short), (2025, True, False): money(long)}
    (only,) = tax_years(both, PLAIN, US)
    return only


@pytest.mark.parametrize(
    ("short", "long", "tax"),
    [
        ("100", "0", "35"),
        ("0", "100", "15"),
        ("100", "100", "50"),
        ("100", "-40", "21"),  # 60 short
        ("-40", "100", "9"),  # 60 long
        ("100", "-100", "0"),
        ("-100", "40", "-21"),  # a net loss of 60 against other income
        ("40", "-100", "-21"),
        ("-5000", "0", "-1050"),  # 3,000 of it
        ("0", "0", "0"),
    ],
)
def test_tax_at_the_owners_rates_nets_before_it_taxes(short: str, long: str, tax: str) -> None:
    assert format_money(tax_at_rates(year_of(short, long), POLICY)) == tax


def figures(*events: Json, **policy: Any) -> dict[str, tuple[str, str]]:
    """(short, long) of each year, in the year's own exact figures."""
    rows = statement.year_rows(folded(*events, policy=policy))
    return {str(row["year"]): (row["st"], row["lt"]) for row in rows}


def test_a_disallowed_loss_counts_in_no_year_until_its_units_are_sold() -> None:
    events = [
        buy("b1", "2024-12-02", "1", "30"),
        sell("s1", "2024-12-20", "1", "10"),
        buy("b2", "2025-01-06", "1", "12"),
        sell("s2", "2025-06-02", "1", "20"),
    ]
    assert figures(*events) == {"2024": ("0", "0"), "2025": ("-12", "0")}


def test_a_loss_that_joins_units_sold_before_it_changes_their_year() -> None:
    """Position `sold_replacements` count: b2 left in 2024, the loss came in January."""
    events = [
        buy("b1", "2023-06-01", "1", "30"),
        buy("b2", "2024-12-20", "1", "12", account="B"),
        sell("s2", "2024-12-27", "1", "20", account="B"),
        sell("s1", "2025-01-06", "1", "10"),
    ]
    assert figures(*events) == {"2024": ("8", "0"), "2025": ("0", "-20")}
    assert figures(*events, sold_replacements="count") == {"2024": ("-12", "0"), "2025": ("0", "0")}


def test_a_carry_in_of_one_kind_adds_to_that_of_the_year_before() -> None:
    losses: dict[Key, int] = {
        (2024, False, False): money("-9000"),
        (2024, True, False): money("-500"),
    }
    stated = ProfileStated(
        effective_at="0001-01-01", carry_year=2025, carry_short="100", carry_long="20"
    )
    second = tax_years(losses, stated, US)[1]
    assert second.carried_in == (money("6100"), money("520"))


@pytest.mark.parametrize(
    ("short", "long", "gems", "rate28"),
    [
        ("0", "0", "50", "50"),
        ("0", "-50", "50", "0"),  # line 15 is no gain
        ("-50", "0", "50", "0"),  # line 16 is no gain
        ("100", "-50", "50", "0"),  # line 15 is 0
        ("-30", "-20", "50", "0"),  # line 16 is 0
        ("-20", "10", "50", "30"),
        ("10", "-20", "50", "50"),
    ],
)
def test_the_28_percent_group_needs_a_gain_on_lines_15_and_16(
    short: str, long: str, gems: str, rate28: str
) -> None:
    """Schedule D line 17; 28% Rate Gain Worksheet."""
    sums: dict[Key, int] = {
        (2025, False, False): money(short),
        (2025, True, False): money(long),
        (2025, True, True): money(gems),
    }
    (only,) = tax_years(sums, PLAIN, US)
    assert format_money(only.rate28) == rate28


def test_a_year_adds_up_its_sales_in_all_books() -> None:
    events = [
        buy("b1", "2025-01-06", "2", "20"),
        buy("b2", "2025-01-06", "1", "50", asset="Y"),
        sell("s1", "2025-06-02", "1", "15"),
        sell("s2", "2025-06-03", "1", "17"),
        sell("s3", "2025-06-04", "1", "80", asset="Y"),
    ]
    assert figures(*events) == {"2025": ("42", "0")}
