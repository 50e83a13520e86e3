"""Dwell: how long a rule's metric must stay at or above the threshold before the rule fires."""

from __future__ import annotations

from dataclasses import dataclass

from domain.days import seconds_after

PENDING, LAPSED = "pending", "lapsed"


@dataclass(slots=True)
class Dwell:
    """The wait of one rule. `number` counts how often it was pending so far.

    While pending: `since` is the instant (UTC) at which the metric reached the threshold, `until`
    the one from which on it fires. Both are empty otherwise.
    """

    seconds: int = 0
    number: int = 0
    since: str = ""
    until: str = ""

    def start(self, at: str) -> None:
        """The metric reached the threshold at an instant."""
        self.number += 1
        self.since, self.until = at, seconds_after(at, self.seconds)

    def end(self) -> str:
        """It fired, or fell below the threshold. Returns since when it was pending."""
        since, self.since, self.until = self.since, "", ""
        return since
