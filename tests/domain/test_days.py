"""Days: moments at the edge, tax dates in a zone, holding periods and settlement."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from domain.days import (
    business_days_after,
    check_moment,
    day_of,
    first_long_day,
    iso,
    moment_key,
    seconds_after,
    year_of,
)
from domain.errors import InvalidText
from domain.rules.rule_set import in_force
from domain.rules.us import US

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
HOUR = 3600 * 1_000_000


@pytest.mark.parametrize(
    ("acquired", "first_long"),
    [
        ("2024-01-15", "2025-01-16"),
        ("2024-01-31", "2025-02-01"),
        ("2023-02-28", "2024-03-01"),
        ("2024-02-28", "2025-03-01"),
        ("2024-02-29", "2025-03-01"),
        ("2023-04-30", "2024-05-01"),
        ("2023-12-31", "2025-01-01"),
        ("2023-12-30", "2024-12-31"),
        ("2024-03-01", "2025-03-02"),
    ],
)
def test_long_term_begins_a_calendar_year_after_the_day_after(
    acquired: str, first_long: str
) -> None:
    assert iso(first_long_day(day_of(acquired))) == first_long


def test_later_lots_never_become_long_term_earlier() -> None:
    days = range(day_of("2019-12-25"), day_of("2025-01-10"))
    long = [first_long_day(day) for day in days]
    assert long == sorted(long)
    assert all(366 <= first - day <= 367 for first, day in zip(long, days, strict=True))


@pytest.mark.parametrize(
    ("instant", "zone", "day", "hours"),
    [
        ("2026-01-01T03:00:00Z", None, "2026-01-01", 3),
        ("2026-01-01T03:00:00Z", NEW_YORK, "2025-12-31", 22),
        ("2025-12-31T16:00:00Z", TOKYO, "2026-01-01", 1),
        ("2025-03-09T06:59:00Z", NEW_YORK, "2025-03-09", 1 + 59 / 60),
        ("2025-03-09T07:00:00Z", NEW_YORK, "2025-03-09", 3),  # clocks went forward
        ("2025-11-02T05:30:00Z", NEW_YORK, "2025-11-02", 1.5),
        ("2025-11-02T06:30:00Z", NEW_YORK, "2025-11-02", 1.5),  # the hour comes twice
        ("2025-07-01T12:00:00", NEW_YORK, "2025-07-01", 12),  # already the zone's clock
        ("2025-07-01", NEW_YORK, "2025-07-01", 0),
    ],
)
def test_the_tax_date_is_the_date_in_the_taxpayers_zone(
    instant: str, zone: ZoneInfo | None, day: str, hours: float
) -> None:
    assert moment_key(instant, zone) == (day_of(day), round(hours * HOUR))


def test_microseconds_order_what_happens_within_a_second() -> None:
    first, second = "2025-07-01T12:00:00.000001Z", "2025-07-01T12:00:00.000002Z"
    assert moment_key(first, None) < moment_key(second, None)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2025-03-03", "2025-03-03"),
        ("2025-03-03T15:00", "2025-03-03T15:00:00"),
        ("2025-03-03 15:00:01", "2025-03-03T15:00:01"),
        ("2025-03-03T15:00:00Z", "2025-03-03T15:00:00Z"),
        ("2025-03-03T15:00:00+09:00", "2025-03-03T06:00:00Z"),
        ("2025-03-03T23:30:00.25-05:00", "2025-03-04T04:30:00.250000Z"),
    ],
)
def test_a_moment_is_kept_in_one_spelling(written: str, kept: str) -> None:
    assert check_moment(written, "date") == kept
    assert check_moment(kept, "date") == kept


@pytest.mark.parametrize(
    "written",
    [
        "", "2025", "2025-3-3", "03/03/2025", "2025-02-29", "2025-13-01", "20250303",
        "2025-03-03T", "2025-03-03T15", "2025-03-03T25:00:00Z", "2025-03-03X15:00",
        "0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-10:00", "yesterday",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(written: str) -> None:
    with pytest.raises(InvalidText, match="write 2025-01-31"):
        check_moment(written, "date")


@pytest.mark.parametrize(
    ("traded", "settled"),
    [
        ("1995-06-06", "1995-06-13"),  # five days
        ("1995-06-07", "1995-06-12"),  # three
        ("2017-09-01", "2017-09-06"),
        ("2017-09-05", "2017-09-07"),  # two
        ("2024-05-24", "2024-05-28"),
        ("2024-05-28", "2024-05-29"),  # one
        ("2025-08-01", "2025-08-04"),  # over a weekend
    ],
)
def test_settlement_counts_weekdays_by_the_cycle_of_the_trade_date(
    traded: str, settled: str
) -> None:
    day = day_of(traded)
    assert iso(business_days_after(day, in_force(US.settlement_days, day))) == settled


@pytest.mark.parametrize("count", range(8))
def test_business_days_skip_weekends_and_nothing_else(count: int) -> None:
    for first in range(day_of("2025-06-02"), day_of("2025-06-09")):
        last = business_days_after(first, count)
        between = [date.fromordinal(day) for day in range(first + 1, last + 1)]
        assert sum(day.weekday() < 5 for day in between) == count
        assert not between or between[-1].weekday() < 5


def test_a_year_is_the_calendar_year() -> None:
    assert [year_of(day_of(day)) for day in ("2025-12-31", "2026-01-01")] == [2025, 2026]


def test_seconds_after_an_instant_run_over_midnight_and_keep_the_width() -> None:
    assert seconds_after("2024-02-28T23:59:59.5Z"[:-1], 1) == "2024-02-29T00:00:00.500000Z"
    assert seconds_after("2025-01-01T00:00:00.000000Z", 0) == "2025-01-01T00:00:00.000000Z"
