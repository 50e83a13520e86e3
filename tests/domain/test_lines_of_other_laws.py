"""The lines of a year in the United Kingdom and Canada: what is brought in, used and carried on."""

from __future__ import annotations

import pytest

from domain.decisions import ProfileStated
from domain.exact import format_money, money
from domain.rules.ca import CA
from domain.rules.ca import net_year as canada
from domain.rules.uk import UK
from domain.rules.uk import net_year as united_kingdom
from domain.years import Key, TaxYear

NOBODY = ProfileStated(effective_at="0001-01-01")


def ca(own: str, brought: str) -> TaxYear:
    sums: dict[Key, int] = {(2024, False, False): money(own), (2023, False, False): money("77")}
    return canada(2024, sums, (money(brought), 0), NOBODY, CA)


def uk(own: str, brought: str) -> TaxYear:
    sums: dict[Key, int] = {(2024, False, False): money(own), (2023, False, False): money("77")}
    return united_kingdom(2024, sums, (money(brought), 0), NOBODY, UK)


def lines(year: TaxYear) -> dict[str, str]:
    assert year.lines is not None
    assert (year.year, year.rate28, year.deduction) == (2024, 0, 0)
    return {name: format_money(amount) for name, amount in year.lines.items()}


@pytest.mark.parametrize(
    ("own", "brought", "used", "net", "forward"),
    [
        ("1000", "300", "300", "700", "0"),
        ("1000", "1300", "1000", "0", "300"),
        ("-200", "300", "0", "0", "500"),
    ],
)
def test_canada_uses_losses_of_other_years_against_gains_alone(
    own: str, brought: str, used: str, net: str, forward: str
) -> None:
    """ITA 3(b), 111(1)(b)."""
    year = ca(own, brought)
    assert lines(year) == {
        "net_of_the_year": own, "losses_of_other_years": brought, "losses_used": used,
        "net_gain_before_inclusion_of_half": net, "losses_carried_forward": forward,
    }  # fmt: skip
    assert (year.carried_in, year.used) == ((money(brought), 0), money(used))
    assert year.carry_short == money(forward)


@pytest.mark.parametrize(
    ("own", "brought", "used", "taxable", "forward"),
    [
        ("5000", "600", "600", "1400", "0"),
        ("5000", "2600", "2000", "0", "600"),
        ("2000", "600", "0", "0", "600"),
        ("-200", "600", "0", "0", "800"),
    ],
)
def test_the_united_kingdom_uses_losses_down_to_the_exempt_amount(
    own: str, brought: str, used: str, taxable: str, forward: str
) -> None:
    """TCGA 1992 s.1(3), s.1K; 3,000 is exempt in 2024-25."""
    year = uk(own, brought)
    assert lines(year) == {
        "net_of_the_year": own, "losses_brought_forward": brought, "losses_used": used,
        "annual_exempt_amount": "3000", "taxable_gain": taxable, "losses_carried_forward": forward,
    }  # fmt: skip
    assert (year.carried_in, year.used) == ((money(brought), 0), money(used))
    assert year.carry_short == money(forward)
