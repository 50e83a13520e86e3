"""replay/...: from stored bytes to a settled portfolio, against reading and decoding alone."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from benchmarks import trade_csv
from benchmarks.imports import TAXPAYER, imported
from benchmarks.report import Result, median_cpu, note
from domain.portfolio import Portfolio
from services.ledger import Ledger


def results(tiny: bool) -> Iterator[Result]:
    """Facts a second from the ledger's file to lots, rows and wash sales."""
    size = 500 if tiny else 100_000
    note(f"replay: {size:,} trades of one taxpayer")
    with tempfile.TemporaryDirectory(prefix="thresher-bench-") as folder:
        path = Path(folder, "trades.csv")
        trade_csv.write(path, size)
        app = imported(path, Path(folder, "thresher.db"))
        ledger, head = app.ledger, app.ledger.head()
        seconds = median_cpu(lambda: _replayed(ledger, head), 3)
        reading = median_cpu(lambda: deque(ledger.facts_of(TAXPAYER, head), maxlen=0), 3)
        app.close()
    against = f"reading and decoding them alone: {head / reading:,.0f} facts/s"
    yield Result("replay/100k", head / seconds, "facts/s", against, seconds / reading)


def _replayed(ledger: Ledger, head: int) -> Portfolio:
    portfolio = Portfolio()
    for logged in ledger.facts_of(TAXPAYER, head):
        portfolio.add(logged.ref, logged.recorded.fact)
    portfolio.settle()
    return portfolio
