"""Commands that run until they are stopped: worker, and run for all in one process."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from threading import Event
from typing import Annotated

import typer

from infra.cli.options import settings
from infra.cli.streaming import streaming
from infra.composition import App
from infra.http.health import Checks, all_of, start
from infra.logs import service
from infra.metrics import Metrics
from infra.publisher import publisher_of
from infra.readiness import StoreChecks, StreamChecks
from infra.relay import Beside, relay_of
from infra.settings import Settings
from infra.store_metrics import StoreCollector
from services.changes_out import OPPORTUNITIES

_log = logging.getLogger(__name__)
MetricsPort = Annotated[
    int,
    typer.Option(min=0, max=65535, help="/metrics, /healthz, /readyz are there; 0: nowhere."),
]
MetricsAddress = Annotated[str, typer.Option(help="The address it listens on.")]
MaxLag = Annotated[
    int, typer.Option(min=0, help="Messages and facts that one who is ready may be behind.")
]


def worker_command(
    metrics_port: MetricsPort = 0,
    metrics_address: MetricsAddress = "127.0.0.1",
    max_lag: MaxLag = 1_000,
) -> None:
    """Take facts and marks in from Kafka and fire alerts, until stopped; a relay sends them.

    Any number may run: they share out the shards of the database, and those of one that ends.
    """
    place = settings()
    with service("worker", place), ExitStack() as stack:
        _work(place, stack, metrics_address, metrics_port or None, max_lag, is_all=False)


def run_command(
    address: MetricsAddress = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="/metrics, /healthz, /readyz; 0: a free one.")
    ] = 8080,
    max_lag: MaxLag = 1_000,
) -> None:
    """Do all in one process, until stopped: worker, deliver, serve, and publish if it is set."""
    place = settings()
    with service("run", place), ExitStack() as stack:
        _work(place, stack, address, port, max_lag, is_all=True)


def stopped_by_signals() -> Event:
    """Set when the process is asked to end."""
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _work(
    place: Settings, stack: ExitStack, address: str, port: int | None, max_lag: int, *, is_all: bool
) -> None:
    """Everything that can be wrong is found before the first message; all is closed at the end."""
    from infra.kafka.consumer import consumer_of  # noqa: PLC0415
    from infra.kafka.topics import topics  # noqa: PLC0415
    from infra.kafka.worker import Worker  # noqa: PLC0415

    app = streaming(App(place, is_process=True), needs_server=True)
    app.is_service = True
    app.reconnects = is_all  # its relay and its publisher go on
    stack.callback(app.close)
    names, stopped, checks = topics(place.kafka_prefix), stopped_by_signals(), StreamChecks(max_lag)
    consumer = consumer_of(place, names, app.shards)
    stack.callback(consumer.close)
    metrics, relay = Metrics(), None
    if is_all:
        app.channels = metrics.counted(app.channels)
        relay = Beside(relay_of(app))
        stack.callback(relay.close)
    worker = Worker(app, consumer, names, checks, metrics, relay.wake if relay else None)
    stack.callback(worker.close)
    if port is not None:
        asked: list[Checks] = [checks]
        if is_all:
            metrics.registry.register(StoreCollector(app.database, app.clock))
            asked.append(StoreChecks(place, app.database, app.clock, max_lag))
        running = start(address, port, metrics.registry, all_of(asked))
        stack.callback(running.stop)
        _log.info("listening", extra={"address": address, "port": running.port})
    beside: list[Callable[[], object]] = [relay.check] if relay else []
    if is_all and OPPORTUNITIES in place.published:
        publisher = publisher_of(app)
        stack.callback(publisher.close)
        beside.append(publisher.step)
    while not stopped.is_set():
        worker.step()
        for step in beside:
            step()
