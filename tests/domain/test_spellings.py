"""Spellings at the edge: one per moment and number, and refusals that say what and why."""

from __future__ import annotations

import time

import pytest

from domain.days import check_moment
from domain.errors import InvalidText
from domain.exact import MONEY_PLACES, ONE_DOLLAR, cents, check, grouped, money, times

REMEDY = "write 2025-01-31 or 2025-01-31T15:04:05Z"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2025-W05-5T15:04:05Z", "2025-01-31T15:04:05Z"),
        ("2025-01-31T150405,1Z", "2025-01-31T15:04:05.100000Z"),
        ("2025-01-31T150405.1Z", "2025-01-31T15:04:05.100000Z"),
        ("2025-01-31T16:04+0100", "2025-01-31T15:04:00Z"),
        ("2025-01-31T15:04:05", "2025-01-31T15:04:05"),
        ("2025-01-31 15:04:05Z", "2025-01-31T15:04:05Z"),
        ("2025-W05-5", "2025-01-31"),
    ],
)
def test_a_moment_in_a_rarer_spelling_of_iso_8601_is_kept_in_ours(written: str, kept: str) -> None:
    assert check_moment(written, "date") == kept


@pytest.mark.parametrize("written", ["2025-01-31T15", "2025-01-31X15:04", "2025-02-30", "soon"])
def test_a_refused_moment_is_told_with_its_name_text_and_remedy(written: str) -> None:
    with pytest.raises(InvalidText) as refused:
        check_moment(written, "settled")
    told = refused.value
    assert (told.what, told.text, told.remedy) == ("settled", written, REMEDY)
    assert str(told) == f"settled: {written!r} is not valid; {REMEDY}"


def test_an_instant_is_kept_in_utc_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert check_moment("2025-01-31T16:04:05+01:00", "date") == "2025-01-31T15:04:05Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("price", "units", "amount"),
    [
        ("100", "3", "300"),
        ("100", "0.25", "25"),
        ("0.25", "100", "25"),
        ("1.5", "1.5", "2.25"),
        ("0", "7", "0"),
        ("-2.5", "4", "-10"),
    ],
)
def test_price_times_units_with_and_without_decimals(price: str, units: str, amount: str) -> None:
    assert times(price, units) == amount


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("0", "0.00"),
        ("999.994", "999.99"),
        ("999.995", "1,000.00"),
        ("-1234567.5", "-1,234,567.50"),
        ("-0.004", "0.00"),
    ],
)
def test_money_for_people_has_separators_and_a_sign_where_it_counts(exact: str, shown: str) -> None:
    assert grouped(money(exact)) == shown


@pytest.mark.parametrize("ulps", [-1, 0, 1])
def test_less_than_half_a_cent_is_no_cent_and_no_sign(ulps: int) -> None:
    assert cents(ulps) == "0.00"
    assert cents(ONE_DOLLAR + ulps) == "1.00"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0", "0"),
        ("00", "0"),
        ("10", "10"),
        ("0.0", "0"),
        ("00.5", "0.5"),
        ("0.50", "0.5"),
        ("10.0", "10"),
        ("100.1", "100.1"),
        ("-0.10", "-0.1"),
        ("-7", "-7"),
        ("09", "9"),
    ],
)
@pytest.mark.parametrize("places", [18, MONEY_PLACES])
def test_zeros_that_say_nothing_are_not_kept(written: str, canonical: str, places: int) -> None:
    assert check(written, "amount", places) == canonical
