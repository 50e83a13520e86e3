"""Pace: when a market has fallen behind its feed, so that marks are conflated; when a feed is of
the past, so that the clock says nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.database import Clock
    from services.marks import Quote

LIVE_WITHIN = timedelta(minutes=5)
ASKED_EVERY = timedelta(seconds=1)  # by the clock, while no quote comes
PRESENT_WITHIN = timedelta(days=1)  # delayed quotes, closes, what a feed sends of the night before


def is_behind(newest: str, now: datetime, most: timedelta) -> bool:
    """Whether the newest mark that waits is older than `most`, and still of these minutes.

    A feed that was followed up to now falls behind by seconds, since conflating catches up. Marks
    that are older than `LIVE_WITHIN` more are history, brought in late: each counts.
    """
    waited = now - datetime.fromisoformat(newest)
    return most < waited <= most + LIVE_WITHIN


def is_of_the_past(newest: str, now: datetime) -> bool:
    """Whether marks up to this one are history: time is theirs, and not the clock's."""
    return datetime.fromisoformat(newest) < now - PRESENT_WITHIN


class Pace:
    """Of one feed: whether its quotes are of these days, or of the past; when the clock is due."""

    def __init__(self) -> None:
        self._is_live: bool | None = None  # once of these days, for good; None: no quote came yet
        self._timed: datetime | None = None  # when the clock was looked at last, for who waits
        self._has_timed = False  # whether rules were asked by it

    def turns_back(self, quotes: Sequence[Quote], clock: Clock) -> bool:
        """Quotes came: whether they are of the past, and the clock was asked before it began.

        Then rules must start anew, as in a process of its own: time never goes back, so they would
        see all of it at the time of now.
        """
        if self._is_live:
            return False
        self._is_live = not is_of_the_past(max(quote.at for quote in quotes), clock())
        turns = self._has_timed and not self._is_live
        self._has_timed = self._has_timed and self._is_live
        return turns

    def is_time(self, now: datetime) -> bool:
        """No quote came: whether rules are to be asked by the clock, once a second."""
        self._timed = self._timed or now  # at first the pause may be short
        if self._is_live is False or abs(now - self._timed) < ASKED_EVERY:
            return False
        self._timed, self._has_timed = now, True
        return True
