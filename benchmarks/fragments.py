"""fragments/...: the fractional day trader, exact and with `pool_pieces`: how time grows.

Exact, 40,000 trades make 16 million rows, so only the pooled history goes to 100,000.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import linear_regression

from benchmarks.day_trader import entries, trades
from benchmarks.report import Result, no_collection, note
from domain.book import Book
from domain.elections import default_policy
from domain.entries import Entry
from domain.handlers import fold
from domain.policy import Policy

GOAL = 0.5
_SLICE = 1_000


def results(tiny: bool) -> Iterator[Result]:
    """The exponent of CPU time a fact against the number of facts; 1 is what quadratic means."""
    exact, pooled = default_policy(), replace(default_policy(), pool_pieces=True)
    sizes = [100, 200, 400] if tiny else [500, 1_000, 3_000]
    yield _grown("fragments/exact", exact, sizes, "no goal: share by share it is the law")
    sizes = [100, 200, 400] if tiny else [1_000, 3_000, 10_000, 30_000, 100_000]
    yield _grown("fragments/pooled", pooled, sizes, f"the goal, {GOAL}")


def _grown(name: str, policy: Policy, sizes: list[int], goal: str) -> Result:
    times, counts, said = [], [], []
    for size in sizes:
        note(f"{name}: {size:,} trades")
        work = entries(trades(size, whole=False))
        with no_collection():
            start = time.process_time()
            rows = _folded(policy, work)
            seconds = time.process_time() - start
        sales = sum(entry.kind == "sell" for entry in work)
        times.append(seconds / size)
        counts.append(rows / sales)
        said.append(
            f"{size:,}: {seconds / size * 1e6:.1f} us a fact, {rows / sales:.1f} rows a sale, "
            f"{seconds / rows * 1e6:.1f} us a row"
        )
    slope, of_rows = _exponent(sizes, times), _exponent(sizes, counts)
    against = f"{goal}; time a fact against n; rows a sale: {of_rows:.3f}; {'; '.join(said)}"
    return Result(name, slope, "exponent", against, slope / GOAL)


def _exponent(sizes: list[int], values: list[float]) -> float:
    return linear_regression([math.log(n) for n in sizes], [math.log(v) for v in values]).slope


def _folded(policy: Policy, work: list[Entry]) -> int:
    """Folds the trades; rows are counted and let go a slice at a time, or they fill the memory."""
    book, rows = Book(policy, {}), 0
    for start in range(0, len(work), _SLICE):
        fold(book, work[start : start + _SLICE])
        rows += len(book.disposals)
        book.disposals.clear()
        book.touched.clear()
        for wash in book.washes.values():
            wash.matches.clear()
    return rows
