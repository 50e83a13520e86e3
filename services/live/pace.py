"""Pace: when a market has fallen behind its feed, so that marks are conflated; when a feed is of
the past, so that the clock says nothing of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

LIVE_WITHIN = timedelta(minutes=5)
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
