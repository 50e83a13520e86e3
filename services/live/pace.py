"""Pace: when a market has fallen behind its feed, so that marks are conflated."""

from __future__ import annotations

from datetime import datetime, timedelta

LIVE_WITHIN = timedelta(minutes=5)


def is_behind(newest: str, now: datetime, most: timedelta) -> bool:
    """Whether the newest mark that waits is older than `most`, and still of these minutes.

    A feed that was followed up to now falls behind by seconds, since conflating catches up. Marks
    that are older than `LIVE_WITHIN` more are history, brought in late: each counts.
    """
    waited = now - datetime.fromisoformat(newest)
    return most < waited <= most + LIVE_WITHIN
