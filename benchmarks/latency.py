"""alert/latency: from a tick that comes to its alert stored and handed to a channel, on SQLite.

Ticks come by the clock; what waits is taken as one batch, as `thresher watch -` takes it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from benchmarks.disk import disk_beside
from benchmarks.report import Result, note
from benchmarks.street import Street, market, names
from benchmarks.ticks import RATE, WILD
from domain.days import sortable_instant
from domain.decisions import AlertRuleSet
from domain.exact import format_money, format_quantity
from domain.facts import Fact
from infra.composition import App
from infra.settings import Settings
from services.collector import settle_again
from services.delivery import Message
from services.ledger import Offer
from services.marks import Quote

_START = datetime(2025, 6, 2, 14, tzinfo=UTC)
_GOAL_MS = 10.0


def results(tiny: bool) -> Iterator[Result]:
    """Percentiles of the time to an alert, of all alerts of some markets that fall by a tenth.

    One market has some 30 alerts, too few for a percentile; more rules would make another load.
    """
    lots, count, markets = (1_000, 5_000, 1) if tiny else (10_000, 100_000, 6)
    note(f"latency: {lots:,} lots, {markets} times {count:,} ticks at {RATE:,} a second")
    took: list[float] = []
    flushes: list[float] = []
    for seed in range(markets):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            took += _measured(directory, lots, count, seed, disk_beside(directory, flushes))
    yield from _percentiles("latency", took, f"{len(took):,} alerts in {markets} markets")
    yield from _percentiles("disk", flushes, f"{len(flushes):,} pages flushed beside them")


def _percentiles(name: str, took: list[float], of: str) -> Iterator[Result]:
    """An alert's fact is flushed before it is sent, so the disk's tail is the alerts' too."""
    cuts = quantiles(took, n=100, method="inclusive")
    against = f"the goal, {_GOAL_MS:.0f} ms at p99; {of}"
    for cut, value in (("p50", cuts[49]), ("p99", cuts[98]), ("max", max(took))):
        yield Result(f"alert/{name}_{cut}", value, "ms", against, value / _GOAL_MS)


def _measured(
    directory: Path, lots: int, count: int, seed: int, beside: AbstractContextManager[None]
) -> list[float]:
    """Milliseconds from each tick that fired to its alert at the channel."""
    handed: dict[str, tuple[str, float]] = {}

    def channel(_target: str, message: Message) -> None:
        tick = json.loads(message.body)["timestamp"]
        handed[message.key] = tick, time.perf_counter()

    app = App(Settings(database_url=f"sqlite:///{directory / 'bench.db'}"), lambda: _START)
    app.channels = {"bench": channel}
    _fill(app, Street(lots))
    settle_again()  # as a process that has started
    quotes = [
        Quote(asset, format_quantity(price), sortable_instant(_START + timedelta(seconds=n / RATE)))
        for n, (asset, price) in enumerate(market(count, sigma=WILD, fall=0.1, seed=seed))
    ]
    came = {quote.at: n / RATE for n, quote in enumerate(quotes)}
    with beside:
        start, at = time.perf_counter(), 0
        while at < len(quotes):
            waiting = min(len(quotes), int((time.perf_counter() - start) * RATE))
            if waiting > at:
                app.market.take(quotes[at:waiting])
                at = waiting
    app.close()
    return [1000 * (when - start - came[tick]) for tick, when in handed.values()]


def _fill(app: App, street: Street) -> None:
    """The street's facts and rules, and a first mark of every asset."""
    at = sortable_instant(_START)
    offers: list[Offer] = []
    for name, taxpayer in street.taxpayers.items():
        portfolio = taxpayer.portfolio
        said: dict[str, Fact] = {**portfolio.decisions, **portfolio.trades}
        offers += [Offer(name, "bench", ref, fact) for ref, fact in said.items()]
        threshold = format_money(street.engine.watched[name, "loss"].threshold)
        rule = AlertRuleSet(
            effective_at=at, name="loss", scope="all", metric="harvestable_loss",
            threshold=threshold, channels=("bench:",),
        )  # fmt: skip
        offers.append(Offer(name, "thresher", "rule/loss", rule))
    app.projector  # noqa: B018  makes the tables
    app.ledger.append(offers, at)
    app.projector.catch_up(at[:10])
    app.market.take([Quote(asset, "100", at) for asset in names()])
