"""Trading days: on which days an exchange is open, from its standing rules for holidays.

Closures for a single occasion (mourning, storms) are not known: a count may be one day off then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

_SATURDAY, _SUNDAY = 5, 6
_ALWAYS = 1
Rule = Callable[[int], date | None]


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which an exchange is closed; `rule(year)` gives it, from the year `since` on."""

    name: str
    rule: Rule
    since: int = _ALWAYS


def _nearest(month: int, day: int) -> Rule:
    """A date; on a Saturday it is kept the day before, on a Sunday the day after."""

    def rule(year: int) -> date:
        there = date(year, month, day)
        return there + timedelta(days={_SATURDAY: -1, _SUNDAY: 1}.get(there.weekday(), 0))

    return rule


def _or_after(month: int, day: int, days_on: int = 2) -> Rule:
    """A date; on a weekend it is kept `days_on` days after a Saturday, one less after a Sunday."""

    def rule(year: int) -> date:
        there = date(year, month, day)
        on = {_SATURDAY: days_on, _SUNDAY: days_on - 1}.get(there.weekday(), 0)
        return there + timedelta(days=on)

    return rule


def _unless_saturday(month: int, day: int) -> Rule:
    """A date; on a Sunday the day after, on a Saturday none (it would end a year's accounts)."""

    def rule(year: int) -> date | None:
        there = date(year, month, day)
        if there.weekday() == _SATURDAY:
            return None
        return there + timedelta(days=there.weekday() == _SUNDAY)

    return rule


def _weekday(month: int, weekday: int, number: int) -> Rule:
    """The `number`-th such weekday (Monday is 0) of a month; -1 is its last."""

    def rule(year: int) -> date:
        if number < 0:
            end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
            return end - timedelta(days=(end.weekday() - weekday) % 7)
        start = date(year, month, 1)
        return start + timedelta(days=(weekday - start.weekday()) % 7 + 7 * (number - 1))

    return rule


def _boxing_day(year: int) -> date:
    """26 December; where it or Christmas Day is on a weekend, the day after Christmas is kept."""
    there = date(year, 12, 26)
    return there + timedelta(days={_SATURDAY: 2, _SUNDAY: 2, 0: 1}.get(there.weekday(), 0))


def _easter(days_on: int) -> Rule:
    """So many days after Easter Sunday."""
    return lambda year: _easter_sunday(year) + timedelta(days=days_on)


def _easter_sunday(year: int) -> date:
    """The Gregorian Easter (the anonymous algorithm; Meeus, Astronomical Algorithms, ch. 8)."""
    golden, century = year % 19, year // 100
    leaps, moon = century // 4, (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - epact - year % 100 % 4) % 7
    late = (golden + 11 * epact + 22 * week) // 451
    month, day = divmod(epact + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


_GOOD_FRIDAY = Holiday("Good Friday", _easter(-2))
EXCHANGES: dict[str, tuple[Holiday, ...]] = {
    "NYSE": (  # NYSE Rule 7.2
        Holiday("New Year's Day", _unless_saturday(1, 1)),
        Holiday("Martin Luther King Jr. Day", _weekday(1, 0, 3), since=1998),
        Holiday("Washington's Birthday", _weekday(2, 0, 3), since=1971),
        _GOOD_FRIDAY,
        Holiday("Memorial Day", _weekday(5, 0, -1), since=1971),
        Holiday("Juneteenth", _nearest(6, 19), since=2022),
        Holiday("Independence Day", _nearest(7, 4)),
        Holiday("Labor Day", _weekday(9, 0, 1)),
        Holiday("Thanksgiving Day", _weekday(11, 3, 4)),
        Holiday("Christmas Day", _nearest(12, 25)),
    ),
    "LSE": (  # the bank holidays of England (Banking and Financial Dealings Act 1971, sch. 1)
        Holiday("New Year's Day", _or_after(1, 1), since=1974),
        _GOOD_FRIDAY,
        Holiday("Easter Monday", _easter(1)),
        Holiday("Early May", _weekday(5, 0, 1), since=1978),
        Holiday("Spring", _weekday(5, 0, -1)),
        Holiday("Summer", _weekday(8, 0, -1)),
        Holiday("Christmas Day", _or_after(12, 25)),
        Holiday("Boxing Day", _boxing_day),
    ),
    "TSX": (
        Holiday("New Year's Day", _or_after(1, 1)),
        Holiday("Family Day", _weekday(2, 0, 3), since=2008),
        _GOOD_FRIDAY,
        Holiday("Victoria Day", lambda year: _monday_before(date(year, 5, 25))),
        Holiday("Canada Day", _or_after(7, 1)),
        Holiday("Civic Day", _weekday(8, 0, 1)),
        Holiday("Labour Day", _weekday(9, 0, 1)),
        Holiday("Thanksgiving", _weekday(10, 0, 2)),
        Holiday("Christmas Day", _or_after(12, 25)),
        Holiday("Boxing Day", _boxing_day),
    ),
}


def _monday_before(day: date) -> date:
    return day - timedelta(days=day.weekday() or 7)


@cache
def holidays(exchange: str, year: int) -> frozenset[date]:
    """The holidays that an exchange keeps in a calendar year."""
    kept = (each.rule(year) for each in EXCHANGES[exchange] if each.since <= year)
    return frozenset(day for day in kept if day is not None)


def is_open(exchange: str, day: int) -> bool:
    """Whether an exchange is open on a day (ordinal)."""
    there = date.fromordinal(day)
    return there.weekday() < _SATURDAY and there not in holidays(exchange, there.year)


def trading_days_left(exchange: str, day: int, last: int) -> int:
    """Days on which an exchange is open after `day`, up to `last` with it."""
    return sum(is_open(exchange, each) for each in range(day + 1, last + 1))


def last_trading_day(exchange: str, day: int) -> int:
    """The last day up to `day` on which an exchange is open."""
    while not is_open(exchange, day):
        day -= 1
    return day
