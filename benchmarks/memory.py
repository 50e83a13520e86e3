"""memory/...: bytes that an open lot takes, measured in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.history import FIRST_DAY, TO_UNITS, Trade, entries_of
from benchmarks.limit import compiler, limit
from benchmarks.report import Result, note
from domain.book import Book
from domain.elections import default_policy
from domain.handlers import fold

LOTS_A_BOOK = 10_000
_STATM = Path("/proc/self/statm")


def results(tiny: bool) -> Iterator[Result]:
    """Growth of resident memory over a million buys that stay open, by lot."""
    books = 1 if tiny else 100
    lots = books * LOTS_A_BOOK
    note(f"memory: {lots:,} open lots")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        taken = pool.submit(bytes_taken, books).result()
    if compiler() is None:
        against, least = "a bare tuple of eight integers", sys.getsizeof(tuple(range(8)))
    else:
        against, least = "C struct of the lot and its heap entry", limit([[_buy(0)]], 1).lot_bytes
    a_lot = taken / lots
    yield Result(
        "memory/1m", a_lot, "bytes/lot", f"{against}: {least} bytes; {LOTS_A_BOOK:,} lots a book",
        a_lot / least,
    )  # fmt: skip


def bytes_taken(books: int) -> int:
    """Resident bytes that folding so many books of buys added, facts not counted."""
    made = [_book(LOTS_A_BOOK // 100)]  # warm: code, caches and the allocator's first arenas
    before = resident()
    made += [_book(LOTS_A_BOOK) for _ in range(books)]
    return resident() - before


def _book(lots: int) -> Book:
    book = Book(default_policy(), {})
    for number in range(lots):
        fold(book, entries_of(0, [_buy(number)]))
    book.touched.clear()  # a projection clears it once it has written
    return book


def _buy(number: int) -> Trade:
    quantity = TO_UNITS // 1_000 + number
    return Trade(number, FIRST_DAY + number // 50, number % 2, False, quantity, 7 * quantity, 0)


def resident() -> int:
    """Resident bytes now; where the system does not say, the most there ever were."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
