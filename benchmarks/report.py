"""One benchmark's result as a line of JSON, and the measuring that they share."""

from __future__ import annotations

import gc
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import linear_regression, median

GROWTH_GOAL = 1.15


@dataclass(frozen=True, slots=True)
class Result:
    """`ratio` is how many times worse than `against` the value is: 1 is the limit or goal."""

    name: str
    value: float
    unit: str
    against: str
    ratio: float

    def line(self) -> str:
        """The result as one line of JSON."""
        numbers = {"value": _rounded(self.value), "ratio": _rounded(self.ratio)}
        return json.dumps(asdict(self) | numbers)


def note(text: str) -> None:
    """Progress, to stderr."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def no_collection() -> Iterator[None]:
    """Without the cyclic collector, as the projector folds."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one run without the collector; what it returns is freed after the clock."""
    with no_collection():
        start = time.process_time()
        made = work()
        seconds = time.process_time() - start
        del made
    return seconds


def wall_and_cpu(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one run on the wall clock, and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def median_cpu(work: Callable[[], object], runs: int) -> float:
    """The median CPU seconds of some runs."""
    return median(cpu_seconds(work) for _ in range(runs))


def growth(name: str, points: Sequence[tuple[int, float]], of: str) -> Result:
    """The exponent of time against n: the slope of the least-squares line, log against log."""
    xs = [math.log(n) for n, _ in points]
    ys = [math.log(seconds) for _, seconds in points]
    exponent = linear_regression(xs, ys).slope
    sizes = ", ".join(f"{n:,}" for n, _ in points)
    against = f"the goal, {GROWTH_GOAL}; {of}, n = {sizes}"
    return Result(name, exponent, "exponent", against, exponent / GROWTH_GOAL)


def _rounded(value: float) -> float:
    return round(value, 3) if abs(value) < 1000 else round(value)
