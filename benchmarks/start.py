"""start/...: from a process that has nothing to rules guarded and a first tick evaluated.

A store of 1,000,000 open lots on SQLite: 10,000 taxpayers with ten positions of ten lots each, in
500 assets, and a rule each. Every start is a process of its own; times are of CPU.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from benchmarks.memory import resident
from benchmarks.report import Result, median_cpu, note
from benchmarks.street import ASSETS, CHEAPEST, DEAREST, LEGS, LOTS, UNITS, market, names
from benchmarks.ticks import WILD
from domain.days import sortable_instant
from domain.decisions import AlertRuleSet, AssetDeclared
from domain.exact import format_quantity
from domain.facts import Buy, Fact
from infra.composition import App
from infra.settings import Settings
from services.ledger import Offer
from services.marks import Quote

_AT = "2025-06-02T14:00:00Z"
_OFFERS = 50_000
_TICKS_A_BATCH = 100
_PAUSE_MS = 20
_GOAL = 10  # times faster than from fact one
_LEAST = sys.getsizeof(tuple(range(8)))


@dataclass(frozen=True, slots=True)
class Started:
    """One start: CPU and wall seconds to the first tick, rules asked, resident bytes added; then,
    while the market falls, the longest collection in milliseconds and the rules that crossed.
    """

    cpu: float
    wall: float
    asked: int
    bytes: int
    pause: float
    crossed: int


def results(tiny: bool) -> Iterator[Result]:
    """A warm start against the replay from fact one; what a lot takes; pauses of the collector."""
    lots = 1_000 if tiny else 1_000_000
    with tempfile.TemporaryDirectory(prefix="thresher-bench-") as folder:
        path = Path(folder, "start.db")
        note(f"start: a store of {lots:,} lots")
        build(path, lots)
        cold_path = Path(folder, "cold.db")
        shutil.copy(path, cold_path)
        drop(cold_path, "rests", "snapshots")
        ticks = 500 if tiny else 20_000
        warm, cold = in_a_process(path, ticks), in_a_process(cold_path, ticks)
    yield _warm(warm, cold)
    a_lot, resting = cold.bytes / lots, warm.bytes / lots
    against = (
        f"a tuple of eight integers: {_LEAST} bytes; facts, books, curves and guards of {lots:,} "
        f"lots, all in memory; {resting:.0f} after a warm start"
    )
    yield Result("memory/lot", a_lot, "bytes/lot", against, a_lot / _LEAST)
    pause = max(warm.pause, cold.pause)
    against = (
        f"the goal, {_PAUSE_MS} ms: the longest collection (CPU) in {ticks:,} ticks of a fall, "
        f"{cold.crossed:,} rules crossed, with {lots:,} lots in memory and loaded meanwhile"
    )
    yield Result("alert/gc_pause", pause, "ms", against, pause / _PAUSE_MS)
    yield from _thaw(1_000 if tiny else 100_000)


def _warm(warm: Started, cold: Started) -> Result:
    gain = cold.cpu / warm.cpu
    against = (
        f"the replay from fact one, {cold.cpu:.1f} s: {gain:.1f} times faster, goal {_GOAL}; on "
        f"the clock {cold.wall:.1f} and {warm.wall:.1f} s; rules asked {cold.asked:,} and "
        f"{warm.asked:,}"
    )
    return Result("start/warm_1m", warm.cpu, "s", against, _GOAL / gain)


def _thaw(lots: int) -> Iterator[Result]:
    """One taxpayer's books from a snapshot, against folding its facts."""
    note(f"start: one taxpayer of {lots:,} lots")
    rng = random.Random("one")
    with tempfile.TemporaryDirectory(prefix="thresher-bench-") as folder:
        path = Path(folder, "one.db")
        app = App(Settings(database_url=f"sqlite:///{path}"), _clock)
        app.projector  # noqa: B018  makes the tables
        app.ledger.append([_known("one", asset) for asset in names()], _AT)
        bought = (_bought(rng, f"S{number % ASSETS}") for number in range(lots))
        app.ledger.append(
            [Offer("one", "bench", f"{n}", fact) for n, fact in enumerate(bought)], _AT
        )
        app.projector.catch_up(_AT[:10])
        head = app.ledger.head()
        thawed = median_cpu(lambda: app.projector.snapshots.load("one", head), 3)
        drop(path, "snapshots")
        folded = median_cpu(lambda: app.projector.snapshots.load("one", head), 3)
        app.close()
    gain = folded / thawed
    against = f"folding its facts, {folded:.2f} s: {gain:.1f} times faster, goal 5; {ASSETS} assets"
    yield Result("start/thaw_100k", thawed, "s", against, 5 / gain)


def _clock() -> datetime:
    return datetime(2025, 6, 2, 14, 0, 5, tzinfo=UTC)


def build(path: Path, lots: int) -> None:
    """The store: facts, read models, marks, and what a process leaves behind when it ends."""
    app = App(Settings(database_url=f"sqlite:///{path}"), _clock)
    app.projector  # noqa: B018  makes the tables
    offers = chain.from_iterable(_said(number) for number in range(max(1, lots // (LEGS * LOTS))))
    while batch := list(islice(offers, _OFFERS)):
        app.ledger.append(batch, _AT)
        app.projector.catch_up(_AT[:10])
    app.market.take([Quote(asset, "100", _AT) for asset in names()], confirmed=True)
    app.rest()
    app.close()


def _said(number: int) -> Iterator[Offer]:
    """A taxpayer's facts, and a rule that falls of 2 to 30 % reach."""
    rng, name = random.Random(f"start{number}"), f"t{number:06}"
    for leg in range(LEGS):
        asset = f"S{(LEGS * number + leg) % ASSETS}"
        yield _known(name, asset)
        for lot in range(LOTS):
            yield Offer(name, "bench", f"{asset}:{lot}", _bought(rng, asset))
    threshold = LEGS * LOTS * UNITS * rng.uniform(9, 35)  # at 100 a unit has lost 6.43
    rule = AlertRuleSet(
        effective_at=_AT, name="loss", scope="all", metric="harvestable_loss",
        threshold=f"{threshold:.2f}", channels=(),
    )  # fmt: skip
    yield Offer(name, "thresher", "rule/loss", rule)


def _known(name: str, asset: str) -> Offer:
    fact = AssetDeclared(effective_at="0001-01-01", asset=asset, asset_class="stock", group=asset)
    return Offer(name, "bench", f"a:{asset}", fact)


def _bought(rng: random.Random, asset: str) -> Fact:
    day = f"20{rng.randint(20, 24)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    cost = UNITS * rng.randint(CHEAPEST * 100, DEAREST * 100)
    return Buy(
        effective_at=day, account="A", asset=asset, quantity=str(UNITS),
        amount=f"{cost // 100}.{cost % 100:02}",
    )  # fmt: skip


def drop(path: Path, *tables: str) -> None:
    """Drops caches, as anybody may at any time."""
    with sqlite3.connect(path) as connection:
        for table in tables:
            connection.execute(f"DELETE FROM {table}")
    connection.close()


def in_a_process(path: Path, ticks: int) -> Started:
    """A start in a fresh process with a tick that moves nothing; then the market falls."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_start, path, ticks).result()


def _start(path: Path, ticks: int) -> Started:
    before, cpu, wall = resident(), time.process_time(), time.perf_counter()
    app = App(Settings(database_url=f"sqlite:///{path}"), _clock, is_process=True)
    app.market.take([Quote("S1", "100", _second(1))])
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    asked, taken = app.market.watch.engine.asked, resident() - before
    with _pauses() as pauses:
        falling = market(ticks, sigma=WILD, fall=0.1, seed=4)
        for number in range(0, ticks, _TICKS_A_BATCH):
            at = _second(2 + number // _TICKS_A_BATCH)
            batch = falling[number : number + _TICKS_A_BATCH]
            app.market.take([Quote(asset, format_quantity(price), at) for asset, price in batch])
        gc.collect(1)  # so that there is one, however few the ticks
    crossed = app.market.counts.fired
    app.close()
    return Started(cpu, wall, asked, taken, max(pauses), crossed)


def _second(number: int) -> str:
    return sortable_instant(datetime(2025, 6, 2, 14, tzinfo=UTC) + timedelta(seconds=number))


@contextmanager
def _pauses() -> Iterator[list[float]]:
    """Milliseconds of CPU of each run of the collector within."""
    found, began = [0.0], [0.0]

    def timed(phase: str, _info: object) -> None:
        if phase == "start":
            began[0] = time.thread_time()
        else:
            found.append(1000 * (time.thread_time() - began[0]))

    gc.callbacks.append(timed)
    try:
        yield found
    finally:
        gc.callbacks.remove(timed)
