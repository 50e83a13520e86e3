"""start/...: from a process that has nothing to rules guarded and a first tick evaluated.

A store of 1,000,000 open lots on SQLite: 10,000 taxpayers with ten positions of ten lots each, in
500 assets, and a rule each. Every start is a process of its own; times are of CPU.
"""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

from benchmarks.memory import resident
from benchmarks.report import Result, note
from benchmarks.street import ASSETS, CHEAPEST, DEAREST, LEGS, LOTS, UNITS, names
from domain.decisions import AlertRuleSet, AssetDeclared
from domain.facts import Buy, Fact
from infra.composition import App
from infra.settings import Settings
from services.ledger import Offer
from services.marks import Quote

_AT = "2025-06-02T14:00:00Z"
_OFFERS = 50_000
_GOAL = 10  # times faster than from fact one
_LEAST = sys.getsizeof(tuple(range(8)))


@dataclass(frozen=True, slots=True)
class Started:
    """One start: CPU and wall seconds to the first tick, rules asked, and resident bytes added."""

    cpu: float
    wall: float
    asked: int
    bytes: int


def results(tiny: bool) -> Iterator[Result]:
    """A warm start, and one that wakes every taxpayer, against the replay from fact one."""
    lots = 1_000 if tiny else 1_000_000
    with tempfile.TemporaryDirectory(prefix="thresher-bench-") as folder:
        path = Path(folder, "start.db")
        note(f"start: a store of {lots:,} lots")
        build(path, lots)
        warm = in_a_process(path, 1)
        drop(path, "rests")
        woken = in_a_process(path, 2)
        drop(path, "snapshots")
        cold = in_a_process(path, 3)
    yield _result("warm", warm, cold, f"{warm.asked:,} rules asked")
    yield _result("woken", woken, cold, "every taxpayer loaded from its snapshot and asked")
    against = (
        f"a tuple of eight integers: {_LEAST} bytes; books, curves and guards of {lots:,} lots"
    )
    yield Result("memory/lot", cold.bytes / lots, "bytes/lot", against, cold.bytes / lots / _LEAST)


def _result(name: str, one: Started, cold: Started, what: str) -> Result:
    gain = cold.cpu / one.cpu
    against = (
        f"the replay from fact one, {cold.cpu:.1f} s ({cold.wall:.1f} on the clock; this one "
        f"{one.wall:.1f}): {gain:.1f} times faster, goal {_GOAL}; {what}"
    )
    return Result(f"start/{name}_1m", one.cpu, "s", against, _GOAL / gain)


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
        known = AssetDeclared(
            effective_at="0001-01-01", asset=asset, asset_class="stock", group=asset
        )
        yield Offer(name, "bench", f"a:{asset}", known)
        for lot in range(LOTS):
            yield Offer(name, "bench", f"{asset}:{lot}", _bought(rng, asset))
    threshold = LEGS * LOTS * UNITS * rng.uniform(9, 35)  # at 100 a unit has lost 6.43
    rule = AlertRuleSet(
        effective_at=_AT, name="loss", scope="all", metric="harvestable_loss",
        threshold=f"{threshold:.2f}", channels=(),
    )  # fmt: skip
    yield Offer(name, "thresher", "rule/loss", rule)


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


def in_a_process(path: Path, second: int) -> Started:
    """A start in a fresh process, with a tick at some second that moves nothing."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_start, path, f"{_AT[:-3]}{second:02}Z").result()


def _start(path: Path, at: str) -> Started:
    before, cpu, wall = resident(), time.process_time(), time.perf_counter()
    app = App(Settings(database_url=f"sqlite:///{path}"), _clock, is_process=True)
    app.market.take([Quote("S1", "100", at)])
    took = time.process_time() - cpu, time.perf_counter() - wall
    asked = app.market.watch.engine.asked
    app.close()
    return Started(*took, asked, resident() - before)
