"""When digests go out: every full hour, or a time of each day, on the taxpayer's clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

Next = Callable[[datetime], datetime]
HOURLY = "hourly"
_DAILY = re.compile(r"daily ([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def schedule(text: str) -> Next | None:
    """`hourly` or `daily 08:00` as the first digest time after a moment; None if it is neither."""
    if text == HOURLY:
        return _next_hour
    found = _DAILY.fullmatch(text)
    if found is None:
        return None
    at = time(int(found[1]), int(found[2]))
    return lambda after: _next_day_at(at, after)


def _next_hour(after: datetime) -> datetime:
    """Counted in UTC, so that the hour that a clock shows twice has two digests."""
    into = timedelta(minutes=after.minute, seconds=after.second, microseconds=after.microsecond)
    hour = after.astimezone(UTC) - into + timedelta(hours=1)
    return hour.astimezone(after.tzinfo)


def _next_day_at(at: time, after: datetime) -> datetime:
    """A time that the clock skips is as late as it would have been; one shown twice is the first.

    Compared in UTC: times of one zone compare by what the clock shows.
    """
    day = after.date()
    while True:
        found = datetime.combine(day, at, after.tzinfo)
        if found.astimezone(UTC) > after.astimezone(UTC):
            return found
        day += timedelta(days=1)
