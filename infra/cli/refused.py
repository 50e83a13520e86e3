"""Rows of a feed that were refused: told as they come, a few a minute, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable

from infra.cli.output import stderr
from services.quarantine import BadRow

TOLD_A_MINUTE = 5
MINUTE = 60


def note(text: str) -> None:
    """A line on standard error."""
    stderr().print(text, markup=False, soft_wrap=True)


class Refused:
    """A feed may run for weeks: no row is kept, and no minute tells more than a few."""

    def __init__(self, say: Callable[[str], None] = note) -> None:
        self.count = 0
        self._say = say
        self._told = self._untold = 0  # in this minute
        self._since = time.monotonic()

    def add(self, row: BadRow) -> None:
        """Tells the row, or counts it until the minute is over."""
        self.count += 1
        self.time_passed()
        if self._told == TOLD_A_MINUTE:
            self._untold += 1
            return
        self._told += 1
        field = f" {row.field}:" if row.field else ""
        text = f"  row {row.row}{field} {row.reason}; {row.remedy}"
        self._say(text.encode("utf-8", "backslashreplace").decode())  # any bytes may come

    def time_passed(self) -> None:
        """Begins a minute anew if one is over."""
        if time.monotonic() - self._since >= MINUTE:
            self.tell_rest()
            self._told, self._since = 0, time.monotonic()

    def tell_rest(self) -> None:
        """How many were not told: when a minute is over, and at the end."""
        if self._untold:
            self._say(f"  ... and {self._untold} more")
        self._untold = 0
