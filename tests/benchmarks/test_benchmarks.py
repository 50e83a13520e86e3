"""The history is always the same, the C fold does the engine's work, and every name is printed."""

import json
import math
import os
from pathlib import Path

import pytest

from benchmarks import trade_csv
from benchmarks.__main__ import main
from benchmarks.fold import ready
from benchmarks.history import BookTrades, books_of, folded, trades_of
from benchmarks.limit import Answer, Checksum, compiler, limit

FIRST_HISTORY = 118120349116030000  # changes with the history: so would every figure
NAMES = [
    "fold/100k",
    "fold/1m",
    "fold/growth",
    "fold/growth-one",
    "late/100k",
    "fragments/exact",
    "fragments/pooled",
    "import/100k",
    "import/growth",
    "replay/100k",
    "memory/1m",
    "ticks/100k",  # the small scale leaves the sizes between out
    "ticks/checks_vs_naive",
    "crash/100k",
    "ticks/1m",
    "sweep/1m",
    "crash/1m",
    "ticks/growth_1k_1m",
    "alert/latency_p50",
    "alert/latency_p99",
    "alert/latency_max",
    "alert/disk_p50",
    "alert/disk_p99",
    "alert/disk_max",
    "start/warm_1m",
    "memory/lot",
    "alert/gc_pause",
    "start/thaw_100k",
    "stream/1w",
    "stream/2w",
    "stream/vs_copy",
    "stream/latency_p50",
    "stream/latency_p99",
]


def engine_answer(books: list[BookTrades]) -> Answer:
    checksum = Checksum()
    for trades, book in zip(books, folded(ready(books)), strict=True):
        checksum.add(trades, book)
    return checksum.answer


def needs_gcc() -> None:
    if compiler() is None and os.environ.get("CI") != "true":
        pytest.skip("no gcc here; CI has one")


def test_a_seed_gives_one_history_for_ever() -> None:
    first, again = trades_of(7), trades_of(7)
    assert first == again
    assert first != trades_of(8)
    assert sum(trade.number * trade.amount for book in first for trade in book) == FIRST_HISTORY


def test_the_history_holds_what_the_benchmark_says_of_it() -> None:
    trades = [trade for book in books_of(range(100)) for trade in book]
    assert len(trades) == 10_000
    assert 0.43 < sum(trade.sells for trade in trades) / len(trades) < 0.50
    answer = engine_answer(list(books_of(range(20))))
    assert answer.matches > 400


def test_the_file_to_import_is_always_the_same(tmp_path: Path) -> None:
    assert list(trade_csv.rows(300)) == list(trade_csv.rows(300))
    trade_csv.write(tmp_path / "trades.csv", 300)
    lines = (tmp_path / "trades.csv").read_text().splitlines()
    assert lines[0] == trade_csv.HEADER
    assert {line.split(",")[3] for line in lines[1:]} == {"BUY", "SELL", "TRANSFER"}


def test_c_does_the_same_work_as_the_engine() -> None:
    """Every row, wash match and open lot is equal: the checksum runs over all their fields."""
    needs_gcc()
    many = list(books_of(range(40)))
    busy = trades_of(1, 2_000, days_a_trade=0.1)
    for books in (many, busy):
        assert engine_answer(books) == limit(books, 1).answer


def test_every_benchmark_prints_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    needs_gcc()
    main(["--scale", "tiny"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines] == NAMES
    for line in lines:
        assert set(line) == {"name", "value", "unit", "against", "ratio"}
        assert math.isfinite(line["value"])
        if line["unit"] != "exponent":  # the slope of times this short can be anything
            assert line["value"] > 0
            assert line["ratio"] > 0


def test_one_group_runs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--scale", "tiny", "--only", "replay"])
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["name"] == "replay/100k"
