"""What a run of quotes did, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.decisions import AlertFired, AlertRearmed
from services.marks import Quote


@dataclass(slots=True)
class MarketCounts:
    """What a run of quotes did.

    `conflated` are new marks that no rule saw, as a later one of their asset came with them while
    the market was behind. `missed` are crossings that only the self-audit found.
    """

    quotes: int = 0
    new: int = 0
    held: int = 0
    fired: int = 0
    rearmed: int = 0
    conflated: int = 0
    missed: int = 0

    def crossed(self, crossings: Sequence[AlertFired | AlertRearmed]) -> None:
        """These were new."""
        fired = sum(isinstance(each, AlertFired) for each in crossings)
        self.fired += fired
        self.rearmed += len(crossings) - fired


def conflated(quotes: Iterable[Quote]) -> int:
    """How many instants' prices of an asset a later one among these replaces."""
    prices = {(quote.asset, quote.at) for quote in quotes}
    return len(prices) - len({asset for asset, _ in prices})
