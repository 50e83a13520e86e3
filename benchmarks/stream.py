"""stream/*: facts from a topic to read models that are up to date, on PostgreSQL, and alerts out.

The limit is a consumer that does nothing but COPY, in the same batches, as durable, each time right
after the workers. Those stand still while the topic is filled, so the sender takes no time from
them. `stream/vs_copy` is the best share that any number of workers reaches.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks import stream_latency
from benchmarks.report import Result, note
from benchmarks.stream_place import SHARDS, Place, facts_of, send, servers
from infra.simulate import Said, Shares, Venue

_WORKERS = (1, 2, 4)
_GOAL = 1 / 3


def results(tiny: bool) -> Iterator[Result]:
    """Rates of one, two and four workers, the ratio to COPY, and the latency."""
    venue = Venue(1, 20 if tiny else 400, 10, Shares())
    opening = facts_of(venue.opening())
    trades = facts_of(venue.day(300 if tiny else 60_000, marks=0))
    note(f"stream: {len(trades):,} messages of {len(opening) // 10} taxpayers, {SHARDS} partitions")
    shares = {}
    with servers() as (server, broker):
        for workers in _WORKERS[: 2 if tiny else 3]:
            place = Place(server, broker, f"bench{workers}")
            try:
                rate = _rate(place, workers, opening, trades)
                # At once: a machine that others share is another one a minute later.
                limit = _copy_rate(place, len(opening) + len(trades))
            finally:
                place.close()
            against = f"a consumer that only does COPY, {limit:,.0f}/s; 5 % told twice"
            yield Result(f"stream/{workers}w", rate, "facts/s", against, limit / rate)
            shares[workers] = rate / limit
        best = max(shares, key=lambda workers: shares[workers])
        against = f"a third, the goal; {best} workers here, one alone {shares[1]:.3f}"
        yield Result("stream/vs_copy", shares[best], "ratio", against, _GOAL / shares[best])
        place = Place(server, broker, "latency", shards=1)
        try:
            yield from stream_latency.results(place, *((2, 100) if tiny else (20, 1_000)))
        finally:
            place.close()


def _rate(place: Place, workers: int, opening: Sequence[Said], trades: Sequence[Said]) -> float:
    """Messages a second, from when they are let go."""
    known = send(place, opening)
    for _ in range(workers):
        place.start("worker")
    place.until_done(known)
    place.until_shared(workers)
    place.signal(signal.SIGSTOP)
    count = send(place, trades)
    start = time.perf_counter()
    place.signal(signal.SIGCONT)
    place.until_done(known + count)
    return count / (time.perf_counter() - start)


def _copy_rate(place: Place, count: int) -> float:
    place.close()
    where = place.settings.database_url, place.settings.kafka, place.names.facts, str(count)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stream_copy", *where],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return count / float(done.stdout)
