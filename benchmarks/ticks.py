"""ticks/... and crash/...: what a price costs, from 1,000 to 1,000,000 open lots.

From a price to the rules that cross, in memory: what is stored before and after is not in it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.report import Result, cpu_seconds, note
from benchmarks.street import Street, Ticks, least, market
from domain.days import sortable_instant
from infra.cli.watching import BATCH, LATE_BATCH, SECONDS_BEHIND
from services.live.pace import is_behind

CALM = 0.6 / (365 * 24 * 3600 * 20) ** 0.5  # 60 % a year, each asset 20 times a second
WILD = 40 * CALM
RATE = 10_000  # ticks a second
CRASH_SECONDS = 20
FALL = 0.25
_ROUNDS = 5
_DAWN = datetime(2025, 6, 2, 14, tzinfo=UTC)


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
            yield _sweep(street)
            yield _live_crash(street, count)
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


def _sweep(street: Street) -> Result:
    """The sweep over all rules, as the self-audit runs it once a second; and what it finds."""
    relief = street.relief
    street.play(market(1_000, sigma=CALM))
    missed = sum(1 for _ in relief.audit(street.board))
    board = {asset: street.board[asset] for asset in street.board}  # as the product's is
    took = []
    for _ in range(_ROUNDS):  # without a full collection, which would call for more of them later
        start = time.process_time()
        relief.sweep.may_cross(board)
        took.append(time.process_time() - start)
    goal = 0.02
    against = f"the goal, {goal:.0%} of a second between two audits; {missed} crossings unseen"
    return Result("sweep/1m", median(took) * 1000, "ms", against, median(took) / goal)


def _live_crash(street: Street, count: int) -> Result:
    """Ticks that come by the clock, in the batches and with the conflation of `thresher watch -`.

    The value is the longest time from when a tick was due to the last crossing of its batch.
    """
    ticks = market(count, sigma=WILD, fall=FALL, seed=3)
    pace = Pace(street, ticks)
    while pace.at < len(ticks):
        pace.take()
    against = (
        f"the goal, 1 s behind the market; {pace.crossed:,} rules crossed, {pace.batches:,} "
        f"batches, {pace.conflated:,} ticks conflated"
    )
    return Result("crash/1m", pace.worst, "s", against, pace.worst)


class Pace:
    """A street that takes ticks as they are due; late, it takes all that wait at once."""

    def __init__(self, street: Street, ticks: Ticks) -> None:
        self.at = self.crossed = self.batches = self.conflated = 0
        self.worst = 0.0
        self._was_late = False
        self._street, self._ticks = street, ticks
        self._start = time.perf_counter()

    def take(self) -> None:
        """The next batch, if a tick is due."""
        most = LATE_BATCH if self._was_late else BATCH
        waiting = min(int(self._now() * RATE) - self.at, most, len(self._ticks) - self.at)
        if waiting <= 0:
            return
        batch = self._ticks[self.at : self.at + waiting]
        due, newest = self.at / RATE, (self.at + waiting) / RATE
        for number, tick in enumerate(batch):
            self._was_late = is_late = self._is_behind(newest, SECONDS_BEHIND)
            if is_late or (self._street.relief.parked and self._is_behind(newest, 0)):
                latest = dict(batch[number:])
                self.conflated += waiting - number - len(latest)
                self.crossed += self._street.play_latest(latest, is_behind=is_late)
                break
            self.crossed += self._street.play([tick])
        self.at, self.batches = self.at + waiting, self.batches + 1
        self.worst = max(self.worst, self._now() - due)

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _is_behind(self, newest: float, most: float) -> bool:
        text = sortable_instant(_DAWN + timedelta(seconds=newest))
        return is_behind(text, _DAWN + timedelta(seconds=self._now()), timedelta(seconds=most))
