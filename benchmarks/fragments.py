"""fragments/...: the fractional day trader, exact and with `pool_pieces`: how time grows."""

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
    points, said = [], []
    for size in sizes:
        note(f"{name}: {size:,} trades")
        work = entries(trades(size, whole=False))
        with no_collection():
            start = time.process_time()
            rows = _folded(policy, work)
            seconds = time.process_time() - start
        sales = sum(entry.kind == "sell" for entry in work)
        points.append((size, seconds / size))
        said.append(
            f"{size:,}: {seconds / size * 1e6:.1f} us a fact, {rows / sales:.1f} rows a sale"
        )
    logs = [(math.log(n), math.log(each)) for n, each in points]
    slope = linear_regression([x for x, _ in logs], [y for _, y in logs]).slope
    against = f"{goal}; time a fact against n; {'; '.join(said)}"
    return Result(name, slope, "exponent", against, slope / GOAL)


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
