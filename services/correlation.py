"""How alike two prices move: the last marks of each day of both, and the correlation of returns.

A correlation is a statistic, not money: floats are right here, and none leaves this file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import StatisticsError, correlation

from sqlalchemy import Connection

from domain.days import day_of, iso
from services.database import Database
from services.mark_lookup import last_before
from services.marks import quote_of

DAYS = 90
LEAST = 20
UNKNOWN = "unknown"
Prices = Mapping[int, int]  # by day (ordinal, UTC), oldest first: its last price, 10**-18


@dataclass(frozen=True, slots=True)
class Correlation:
    """`hundredths` of the coefficient, from -100 to 100; None: unknown. `days`: how many daily
    returns it rests on."""

    hundredths: int | None
    days: int

    @property
    def shown(self) -> str:
        """Two decimals, or `unknown`: never a zero that was not computed."""
        return UNKNOWN if self.hundredths is None else f"{self.hundredths / 100:.2f}"


class DailyPrices:
    """Daily prices of assets before the day `before` (ISO, UTC), as known at an instant.

    Only whole days count, so that the answer is the same all day long. Read once an asset.
    """

    def __init__(self, database: Database, before: str, known_at: str | None = None) -> None:
        self.before = before
        self._database = database
        self._known_at = known_at
        self._read: dict[str, Prices] = {}

    def of(self, asset: str) -> Prices:
        """The asset's last price of each day that has one, oldest first."""
        if asset not in self._read:
            with self._database.reading() as connection:
                found = _last_prices(connection, asset, self.before, self._known_at)
            self._read[asset] = dict(reversed(found.items()))
        return self._read[asset]


def _last_prices(
    connection: Connection, asset: str, before: str, known_at: str | None
) -> dict[int, int]:
    """From day to day backwards, one look-up each, however many marks a day has."""
    last = last_before(connection, asset, known_at)
    prices: dict[int, int] = {}
    end, first = before, iso(day_of(before) - DAYS)
    while (row := last(end)) and row.at >= first:
        end = row.at[: len(first)]
        prices[day_of(end)] = quote_of(row).mark().price
    return prices


def correlated(one: Prices, other: Prices, splits: Collection[int] = ()) -> Correlation:
    """The correlation of returns between days on which both have a price.

    `splits`: days on which units of either changed; what spans one is no return. Unknown if it
    would rest on fewer than LEAST returns, or if one of the prices stood still.
    """
    both = [day for day in one if day in other]
    spans = [
        (start, end)
        for start, end in pairwise(both)
        if one[start] and other[start] and not any(start < split <= end for split in splits)
    ]
    if len(spans) < LEAST:
        return Correlation(None, len(spans))
    mine = [one[end] / one[start] - 1 for start, end in spans]
    others = [other[end] / other[start] - 1 for start, end in spans]
    try:
        return Correlation(round(100 * correlation(mine, others)), len(spans))
    except StatisticsError:
        return Correlation(None, len(spans))
