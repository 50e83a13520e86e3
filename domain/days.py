"""Days and instants: tax dates in the taxpayer's zone, holding periods, settlement.

Inside the engine a day is its proleptic ordinal (`date.toordinal`), a time of day is
microseconds after midnight.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from domain.errors import InvalidText

MICROSECONDS_A_SECOND = 1_000_000
END_OF_DAY = 24 * 3600 * MICROSECONDS_A_SECOND
_DATE_LENGTH = len("2025-01-31")
# Python reads more than this as ISO 8601: weeks, fractions of minutes, hour 24.
_CANONICAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?Z", re.ASCII
)


def check_moment(text: str, what: str) -> str:
    """Accepts a date, a local date and time, or an instant; an instant comes back in UTC.

    `2025-03-03` (a day in the taxpayer's zone), `2025-03-03T15:00:00` (that zone's clock),
    `2025-03-03T15:00:00Z` or with an offset (an instant). Raises InvalidText.
    """
    remedy = "write 2025-01-31 or 2025-01-31T15:04:05Z"
    try:
        if len(text) == _DATE_LENGTH:
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        if _CANONICAL.fullmatch(text):
            return text.replace(".000000", "")  # the common case
        if len(text) < len("2025-01-31T15:04") or text[_DATE_LENGTH] not in "T ":
            raise InvalidText(what, text, remedy)
        if moment.tzinfo is None:
            return moment.isoformat()
        return format_instant(moment)
    except (ValueError, OverflowError):
        raise InvalidText(what, text, remedy) from None


def format_instant(moment: datetime) -> str:
    """An aware datetime as RFC 3339 text in UTC with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def sortable_instant(moment: datetime) -> str:
    """An aware datetime as UTC text of fixed width: text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def seconds_after(instant: str, seconds: int) -> str:
    """The instant (UTC text of fixed width) so many seconds after another."""
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    return sortable_instant(moment + timedelta(seconds=seconds))


def moment_key(text: str, zone: ZoneInfo | None) -> tuple[int, int]:
    """(tax day, microseconds of that day) of a checked moment; `zone` None means UTC.

    The tax date of an instant is its date in the taxpayer's one consistent zone
    (T.D. 10000, 89 FR 56501-02). A bare date counts from midnight.
    """
    if len(text) == _DATE_LENGTH:
        return date.fromisoformat(text).toordinal(), 0
    moment = datetime.fromisoformat(text)
    if zone is not None and moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return moment.toordinal(), seconds * MICROSECONDS_A_SECOND + moment.microsecond


@cache
def first_long_day(acquired: int) -> int:
    """First day on which a lot acquired on day `acquired` is held for more than one year.

    Counted in calendar months from the day after acquisition (IRC 1222(3); Rev. Rul. 66-7):
    that day's date a year later, 1 March if that is a 29 February without a leap year.
    """
    start = date.fromordinal(acquired + 1)
    try:
        return start.replace(year=start.year + 1).toordinal()
    except ValueError:
        return date(start.year + 1, 3, 1).toordinal()


@cache
def year_of(day: int) -> int:
    """Calendar year of a day."""
    return date.fromordinal(day).year


@cache
def year_from(day: int, start: tuple[int, int]) -> int:
    """The year that began on the latest `start` (month, day) not after a day."""
    moment = date.fromordinal(day)
    return moment.year - ((moment.month, moment.day) < start)


@cache
def iso(day: int) -> str:
    """A day as ISO 8601 text."""
    return date.fromordinal(day).isoformat()


def day_of(text: str) -> int:
    """ISO date text as a day."""
    return date.fromisoformat(text).toordinal()


def business_days_after(day: int, count: int) -> int:
    """The `count`-th weekday after `day` (weekends skipped; exchange holidays are not known)."""
    moment = date.fromordinal(day)
    while count:
        moment += timedelta(days=1)
        count -= moment.weekday() < 5
    return moment.toordinal()
