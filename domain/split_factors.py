"""Split factors: by what a price from before a split is carried to units of after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.days import iso
from domain.portfolio import Portfolio
from domain.weights import reduced


class SplitFactor(NamedTuple):
    """`new` units for `old` ones of an asset from the day `day` (ISO) on, in lowest terms."""

    asset: str
    day: str
    new: int
    old: int


def split_factors(portfolio: Portfolio) -> list[SplitFactor]:
    """The splits of the portfolio, by asset and day; those of one day are one."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for book in portfolio.books.values():
        for _, asset, new, old, day in book.splits:
            key = asset.id, iso(day)
            before_new, before_old = found.get(key, (1, 1))
            found[key] = reduced(before_new * new, before_old * old)
    return [SplitFactor(*key, *found[key]) for key in sorted(found)]


def factor_since(day: str, told: Iterable[SplitFactor]) -> tuple[int, int]:
    """(new, old) of the splits of one asset after a day (ISO)."""
    new = old = 1
    for each in told:
        if each.day > day:
            new, old = new * each.new, old * each.old
    return reduced(new, old)
