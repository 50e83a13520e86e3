"""Trading days of the exchanges, as they were published."""

from __future__ import annotations

from datetime import date

import pytest

from domain.days import day_of, iso
from domain.rules.registry import RULE_SETS
from services.trading_days import EXCHANGES, holidays, is_open, last_trading_day, trading_days_left

# NYSE: ir.theice.com, "NYSE Group announces holidays"; LSE: gov.uk/bank-holidays; TSX: tsx.com.
PUBLISHED = {
    ("NYSE", 2021): "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
    ("NYSE", 2022): "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
    ("NYSE", 2026): "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    ("LSE", 2021): "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
    ("LSE", 2026): "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    ("TSX", 2022): "01-03 02-21 04-15 05-23 07-01 08-01 09-05 10-10 12-26 12-27",
    ("TSX", 2026): "01-01 02-16 04-03 05-18 07-01 08-03 09-07 10-12 12-25 12-28",
}


@pytest.mark.parametrize(("exchange", "year"), PUBLISHED)
def test_holidays_are_those_that_were_published(exchange: str, year: int) -> None:
    want = {date.fromisoformat(f"{year}-{each}") for each in PUBLISHED[exchange, year].split()}
    assert {day for day in holidays(exchange, year) if day.weekday() < 5} == want


def test_a_holiday_counts_from_the_year_it_was_made() -> None:
    assert date(2021, 6, 18) not in holidays("NYSE", 2021)
    assert is_open("NYSE", day_of("2021-06-18"))
    assert not is_open("NYSE", day_of("2026-06-19"))


def test_new_years_day_on_a_saturday_closes_no_day_of_the_old_year() -> None:
    """NYSE Rule 7.2: not observed on the Friday before."""
    assert is_open("NYSE", day_of("2021-12-31"))


@pytest.mark.parametrize(
    ("exchange", "day", "last"),
    [("NYSE", "2022-12-31", "2022-12-30"), ("NYSE", "2025-12-31", "2025-12-31"),
     ("LSE", "2026-04-05", "2026-04-02"), ("TSX", "2021-12-28", "2021-12-24")],
)  # fmt: skip
def test_the_last_trading_day_is_before_weekends_and_holidays(
    exchange: str, day: str, last: str
) -> None:
    assert iso(last_trading_day(exchange, day_of(day))) == last


def test_trading_days_left_are_counted_without_today() -> None:
    """23 December 2025 to 31 December: 24, 26, 29, 30, 31."""
    last = day_of("2025-12-31")
    assert trading_days_left("NYSE", day_of("2025-12-23"), last) == 5
    assert trading_days_left("NYSE", day_of("2025-12-25"), last) == 4
    assert trading_days_left("NYSE", last, last) == 0


def test_every_law_names_an_exchange_that_is_known() -> None:
    assert {law.exchange for law in RULE_SETS.values()} <= set(EXCHANGES)
