"""The same fold in C (limit.c): compiled for the run, fed the same trades, its answer checked."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from benchmarks.history import TO_UNITS, BookTrades
from domain.book import Book

_RECORD = struct.Struct("<4I3Q")
_SOURCE = Path(__file__).with_name("limit.c")
_PRIME = (1 << 61) - 1
_FACTOR = 1_000_003


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fold came to: how many rows, matches and open lots, and a checksum of them all."""

    rows: int
    matches: int
    lots: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Limit:
    """The C program's answer, its median CPU seconds, and the bytes of a lot and its place."""

    answer: Answer
    seconds: float
    lot_bytes: int


class Differs(Exception):
    """The engine and the C fold do not agree: one of them is wrong, and no ratio means a thing."""


@cache
def compiler() -> str | None:
    """The C compiler, if there is one."""
    return shutil.which("gcc")


def limit(books: Iterable[BookTrades], runs: int) -> Limit:
    """Folds the trades in C."""
    gcc = compiler()
    assert gcc is not None
    with tempfile.TemporaryDirectory(prefix="thresher-bench-") as folder:
        program, trades = Path(folder, "limit"), Path(folder, "trades")
        subprocess.run([gcc, "-O2", "-o", program, _SOURCE], check=True)
        with trades.open("wb") as file:
            file.writelines(_packed(book, each) for book, each in enumerate(books))
        ran = subprocess.run([program, trades, str(runs)], check=True, capture_output=True)
    said = json.loads(ran.stdout)
    assert not said["overdrawn"], "the history sells what is not held"
    answer = Answer(said["rows"], said["matches"], said["lots"], said["checksum"])
    return Limit(answer, median(said["seconds"]), said["lot_bytes"])


def _packed(book: int, trades: BookTrades) -> bytes:
    return b"".join(
        _RECORD.pack(book, each.account, each.day, each.sells, each.quantity, each.amount, each.fee)
        for each in trades
    )


class Checksum:
    """Adds up books folded by the engine, as limit.c does: every row, match and open lot.

    Fields of the return and of the lots only: how the engine numbers its lots is its own.
    """

    def __init__(self) -> None:
        self.answer = Answer(0, 0, 0, 0)

    def add(self, trades: BookTrades, book: Book) -> None:
        """The next book, with the trades that it was folded from."""
        place = {f"bench:{trade.number}": at for at, trade in enumerate(trades)}
        accounts = {"broker-0": 0, "broker-1": 1}
        value, matches = self.answer.checksum, book.matches()
        lots = sorted(book.open_lots(), key=lambda lot: (lot.order, lot.offset))
        row_of = {row.serial: at for at, row in enumerate(book.disposals)}
        for row in book.disposals:
            for field in (
                place[row.ref], place[row.lot], accounts[row.account.id],
                row.quantity, row.proceeds, row.basis, row.wash, row.acquired, row.sold,
                row.is_long, row.open_quantity,
            ):  # fmt: skip
                value = (value * _FACTOR + field) % _PRIME
        for match in matches:
            for field in (
                row_of[match.loss.serial], place[match.replacement], accounts[match.account.id],
                match.bought, match.quantity, match.disallowed, match.tacked_days,
            ):  # fmt: skip
                value = (value * _FACTOR + field) % _PRIME
        for lot in lots:
            for field in (
                place[lot.ref], accounts[lot.account.id], lot.quantity, lot.basis,
                lot.acquired, lot.used,
            ):  # fmt: skip
                value = (value * _FACTOR + field) % _PRIME
        assert not book.issues, "the history sells what is not held"
        seen = self.answer
        self.answer = Answer(
            seen.rows + len(book.disposals), seen.matches + len(matches), seen.lots + len(lots),
            value,
        )  # fmt: skip


def least(books: Iterable[BookTrades]) -> dict[int, int]:
    """Without a C compiler: a Python loop that only looks up a pool and counts units."""
    held: dict[int, int] = {}
    for trades in books:
        for _, _, account, sells, quantity, _, _ in trades:
            held[account] = held.get(account, 0) + (-quantity if sells else quantity)
    return held


assert TO_UNITS == 10**10  # limit.c multiplies by it in its checksum
