"""fold/...: the pure fold, entries ready in memory and grouped by book, against C."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.history import ASSETS, TRADES, BookTrades, books_of, entries_of, folded, trades_of
from benchmarks.limit import Answer, Checksum, Differs, Limit, compiler, least, limit
from benchmarks.report import Result, cpu_seconds, growth, median_cpu, note
from domain.entries import Entry

BATCH = 1_000  # taxpayers folded at a time, so that a million entries need not be held

RUNS_IN_C = 5  # the first of them meets fresh pages, as the engine, long at work, does not


def results(tiny: bool) -> Iterator[Result]:
    """Facts a second at two sizes, and how time grows with n."""
    sizes = [2, 4, 8, 16, 32] if tiny else [10, 30, 100, 300, 1_000]
    points = []
    for taxpayers in sizes[:-1]:
        work = ready(list(books_of(range(taxpayers))))
        runs = 9 if taxpayers < 100 else 5
        points.append((taxpayers * TRADES, median_cpu(partial(folded, work), runs)))
    small = _folded_both("fold/100k", sizes[-1], runs=5)
    yield small[0]
    large = _folded_both("fold/1m", sizes[-1] * (2 if tiny else 10), runs=1)
    yield large[0]
    points += [small[1], large[1]]
    yield growth("fold/growth", points, "facts of taxpayers with 100 trades each")
    yield _one_taxpayer(tiny)


def _folded_both(name: str, taxpayers: int, runs: int) -> tuple[Result, tuple[int, float]]:
    """The engine's fold of the history against the C one; raises Differs if they disagree."""
    facts = taxpayers * TRADES
    note(f"{name}: {facts:,} facts of {taxpayers:,} taxpayers")
    seconds, checksum = 0.0, Checksum()
    for start in range(0, taxpayers, BATCH):
        trades = list(books_of(range(start, min(start + BATCH, taxpayers))))
        work = ready(trades)
        seconds += median_cpu(partial(folded, work), runs)
        for book_trades, book in zip(trades, folded(work), strict=True):
            checksum.add(book_trades, book)
    history = _described(checksum.answer, facts)
    against, least_seconds = _beside(checksum.answer, taxpayers)
    ratio = seconds / least_seconds
    result = Result(name, facts / seconds, "facts/s", f"{against}; {history}", ratio)
    return result, (facts, seconds)


def _beside(answer: Answer, taxpayers: int) -> tuple[str, float]:
    """What stands beside the engine, in words, and its CPU seconds."""
    trades = books_of(range(taxpayers))
    if compiler() is None:
        ready = list(trades)
        return "least Python loop (no gcc)", cpu_seconds(lambda: least(ready))
    found = limit(trades, RUNS_IN_C)
    _same(answer, found)
    rate = taxpayers * TRADES / found.seconds
    return f"same fold in C, gcc -O2, equal checksums: {rate:,.0f} facts/s", found.seconds


def _same(answer: Answer, found: Limit) -> None:
    if answer != found.answer:
        raise Differs(f"engine {answer}, C {found.answer}")


def _described(answer: Answer, facts: int) -> str:
    return (
        f"{answer.rows / facts:.2f} rows, {answer.matches / facts:.2f} wash matches and "
        f"{answer.lots / facts:.2f} open lots a fact"
    )


def _one_taxpayer(tiny: bool) -> Result:
    """One taxpayer who trades ten times a day: the same five books grow with n."""
    sizes = [100, 300, 1_000] if tiny else [1_000, 3_000, 10_000, 30_000]
    points = []
    for facts in sizes:
        note(f"fold/growth-one: {facts:,} facts of one taxpayer")
        trades = trades_of(0, facts, days_a_trade=0.1)
        work = ready(trades)
        points.append((facts, cpu_seconds(partial(folded, work))))
    return growth("fold/growth-one", points, "facts of one taxpayer, ten a day in five assets")


def ready(books: list[BookTrades]) -> list[list[Entry]]:
    """The entries of every book; books come asset by asset, taxpayer by taxpayer."""
    return [entries_of(at % ASSETS, trades) for at, trades in enumerate(books)]
