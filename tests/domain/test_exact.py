"""Exact numbers: what is accepted, how it is spelled, and the one rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from domain.errors import InvalidText
from domain.exact import (
    MONEY_PLACES,
    ONE_DOLLAR,
    ONE_UNIT,
    cents,
    check,
    format_money,
    format_quantity,
    money,
    quantity,
    times,
)

repeatably = settings(derandomize=True, deadline=None)
whole_quantities = some.integers(min_value=-(10**38) + 1, max_value=10**38 - 1)


@repeatably
@given(whole_quantities)
def test_a_quantity_survives_its_text(value: int) -> None:
    assert quantity(format_quantity(value)) == value


@repeatably
@given(some.integers(min_value=-(10**56) + 1, max_value=10**56 - 1))
def test_money_survives_its_text(value: int) -> None:
    assert money(format_money(value)) == value


@repeatably
@given(whole_quantities)
def test_a_canonical_spelling_is_accepted_as_it_is(value: int) -> None:
    assert check(format_quantity(value), "quantity") == format_quantity(value)


@repeatably
@given(some.integers(min_value=-(10**20), max_value=10**20), some.integers(-18, -1))
def test_a_number_is_the_decimal_that_it_spells(digits: int, exponent: int) -> None:
    decimal = Decimal(digits).scaleb(exponent)
    assert quantity(f"{decimal:f}") == int(decimal * 10**18)


@repeatably
@given(whole_quantities, whole_quantities)
def test_price_times_units_loses_nothing(price: int, units: int) -> None:
    assert money(times(format_quantity(price), format_quantity(units))) == price * units


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("007.50", "7.5"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("0.1", "0.1"),
        ("-12.340", "-12.34"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    ],
)
def test_a_number_has_one_spelling(written: str, canonical: str) -> None:
    assert check(written, "quantity") == canonical


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "1 ", " 1", "1\n", "+1", "--1", "1-", "-", ".5", "5.", "1.2.3", "1,5", "1_000",
        "1e3", "1E-3", "0x10", "nan", "inf", "Infinity", "$1", "½", "١٢", "\uff11\uff12",
        "1\u00a0000", "1\x00", "123456789012345678901", "0.1234567890123456789", "-.5",
    ],
)  # fmt: skip
def test_anything_but_a_plain_decimal_is_refused_with_a_remedy(written: str) -> None:
    with pytest.raises(InvalidText, match="write a plain decimal") as refused:
        check(written, "qty")
    assert (refused.value.what, refused.value.text) == ("qty", written)


def test_money_may_have_36_decimals_and_no_more() -> None:
    finest = "0." + "1" * MONEY_PLACES
    assert check(finest, "amount", MONEY_PLACES) == finest
    with pytest.raises(InvalidText):
        check(finest + "1", "amount", MONEY_PLACES)


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("0", "0.00"),
        ("0.005", "0.01"),
        ("0.004999999999999999999999999999999999", "0.00"),
        ("-0.005", "-0.01"),
        ("-0.004999999999999999999999999999999999", "0.00"),
        ("1.005", "1.01"),
        ("2.675", "2.68"),
        ("-2.675", "-2.68"),
        ("0.995", "1.00"),
        ("1234567.891", "1234567.89"),
    ],
)
def test_cents_are_rounded_half_up_away_from_zero(exact: str, shown: str) -> None:
    assert cents(money(exact)) == shown


def test_the_scales_fit_together() -> None:
    assert quantity("1") == ONE_UNIT
    assert money("1") == ONE_DOLLAR == ONE_UNIT * ONE_UNIT
