"""ticks/... and crash/...: what a price costs, from 1,000 to 1,000,000 open lots.

From a price to the rules that cross, in memory: what is stored before and after is not in it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.report import Result, cpu_seconds, note
from benchmarks.street import Street, Ticks, least, market

CALM = 0.6 / (365 * 24 * 3600 * 20) ** 0.5  # 60 % a year, each asset 20 times a second
WILD = 40 * CALM
RATE = 10_000  # ticks a second
CRASH_SECONDS = 20
FALL = 0.25
_ROUNDS = 5


def results(tiny: bool) -> Iterator[Result]:
    """All of them: calm markets by size, evaluations against naive, crashes against the clock."""
    full = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
    sizes = {"100k": 1_000, "1m": 2_000} if tiny else full
    count = 5_000 if tiny else 200_000
    calm = market(count, sigma=CALM)
    a_tick: list[float] = []
    for name, lots in sizes.items():
        note(f"ticks: {lots:,} lots")
        street = Street(lots)
        gc.collect()
        gc.freeze()
        yield _calm(street, name, calm, a_tick)
        if name == "100k":
            yield _checks(street, count)
            yield _crash(street, name, count)
        if name == "1m":
            yield _live_crash(street, name, count)
        gc.unfreeze()
        del street
    growth = a_tick[-1] / a_tick[0]
    against = f"the goal, 2: time a tick at {max(sizes.values()):,} lots to that at the fewest"
    yield Result("ticks/growth_1k_1m", growth, "x", against, growth / 2)


def _calm(street: Street, name: str, ticks: Ticks, a_tick: list[float]) -> Result:
    """Turns of the engine and of the least loop over the same ticks."""
    street.play(ticks)
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        ours.append(cpu_seconds(lambda: street.play(ticks)))
        theirs.append(cpu_seconds(lambda: least(ticks)))
    ratio = median(ours) / median(theirs)
    a_tick.append(median(ours) / len(ticks))
    against = f"the least loop over the same ticks, {median(theirs) / len(ticks) * 1e6:.3f} us"
    return Result(f"ticks/{name}", a_tick[-1] * 1e6, "us/tick", against, ratio)


def _checks(street: Street, count: int) -> Result:
    """Rules asked in a wild market, against asking each holder of the asset at every tick."""
    ticks = market(count, sigma=WILD, seed=2)
    before = street.engine.asked
    street.play(ticks)
    asked = max(1, street.engine.asked - before)
    naive = sum(street.holders[asset] for asset, _ in ticks)
    gain = naive / asked
    against = f"valuing each holder at each tick: {naive:,}, {gain:,.0f} times more; goal 200"
    return Result("ticks/checks_vs_naive", asked, "checks", against, 200 / gain)


def _crash(street: Street, name: str, count: int) -> Result:
    """CPU time a tick while all falls, against what the rate allows."""
    ticks = market(count, sigma=WILD, fall=FALL, seed=3)
    start = time.process_time()
    crossed = street.play(ticks)
    a_tick = (time.process_time() - start) / len(ticks) * 1e6
    budget = 1e6 / RATE
    against = f"{budget:.0f} us, which {RATE:,} ticks/s allow; {crossed:,} rules crossed"
    return Result(f"crash/{name}", a_tick, "us/tick", against, a_tick / budget)


def _live_crash(street: Street, name: str, count: int) -> Result:
    """Ticks that come by the clock: what waits is conflated to the latest price of an asset.

    The value is the longest time from the first waiting tick to the last crossing of a batch.
    """
    ticks = market(count, sigma=WILD, fall=FALL, seed=3)
    start, at, worst, crossed, batches = time.perf_counter(), 0, 0.0, 0, 0
    while at < len(ticks):
        come = min(len(ticks), int((time.perf_counter() - start) * RATE))
        if come > at:
            crossed += street.play_latest(dict(ticks[at:come]))
            worst = max(worst, time.perf_counter() - start - at / RATE)
            at, batches = come, batches + 1
    against = f"the goal, 1 s behind the market; {crossed:,} rules crossed, {batches:,} batches"
    return Result(f"crash/{name}", worst, "s", against, worst)
