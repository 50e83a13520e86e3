"""late/...: one late fact in a book of many facts, against folding the whole book again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks.day_trader import fact, trades
from benchmarks.report import Result, median_cpu, no_collection, note
from domain.book import Book
from domain.decisions import AssetDeclared
from domain.handlers import fold
from domain.portfolio import Portfolio

_LATE = 40
_PLACES = 10
_SPACING = 10


def results(tiny: bool) -> Iterator[Result]:
    """CPU time of a fact at most ten places late; the ratio is of it to the goal, 1/500."""
    count = 3_000 if tiny else 100_000
    note(f"late: {count:,} facts of one book")
    portfolio = _told(count)
    book = portfolio.books["FUND"]
    again = median_cpu(partial(_folded, portfolio), 3)
    last = trades(count, whole=True)[-1]
    with no_collection():
        seconds = median(_late(portfolio, last, count, number) for number in range(_LATE))
    assert portfolio.books["FUND"] is book, "the ladder was not used"
    gain = again / seconds
    against = f"folding the book again: {again * 1000:,.0f} ms, {gain:,.0f} times more; goal 500"
    yield Result("late/100k", seconds * 1000, "ms", against, 500 / gain)


def _told(count: int) -> Portfolio:
    portfolio = Portfolio()
    declared = AssetDeclared(
        effective_at="0001-01-01", asset="FUND", asset_class="fund", group="FUND"
    )
    portfolio.add("asset", declared)
    for number, trade in enumerate(trades(count, whole=True)):
        portfolio.add(f"bench:{number}", fact(trade, number * _SPACING))
    portfolio.settle()
    portfolio.books["FUND"].touched.clear()
    return portfolio


def _folded(portfolio: Portfolio) -> Book:
    book = Book(portfolio.declared.policy, portfolio.declared.orders)
    fold(book, portfolio.entries["FUND"])
    return book


def _late(portfolio: Portfolio, last: tuple[int, bool, int, int], count: int, number: int) -> float:
    """CPU seconds to take in one purchase of the last day, 1 to 10 places before the end."""
    places = 1 + number % _PLACES
    day, _, _, cents = last
    late = fact((day, False, 10_000, cents), (count - places) * _SPACING - 1 - number % 7)
    start = time.process_time()  # as the fold beside it, so that a busy machine changes neither
    portfolio.add(f"late:{number}", late)
    portfolio.settle()
    seconds = time.process_time() - start
    book = portfolio.books["FUND"]
    book.rewound = None  # as a projection does when it has looked
    book.touched.clear()
    return seconds
