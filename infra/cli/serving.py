"""The `serve` command: metrics and health of the store over HTTP, until it is stopped."""

from __future__ import annotations

import logging
import signal
from threading import Event
from typing import Annotated

import typer

from infra.cli.options import settings
from infra.composition import system_clock
from infra.settings import Settings

_log = logging.getLogger(__name__)


def serve_command(
    address: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: a free one, which the log names.")
    ] = 8080,
    max_lag: Annotated[
        int, typer.Option(min=0, help="Facts that a ready store may be behind.")
    ] = 1_000,
) -> None:
    """Answer /metrics, /healthz and /readyz for the store, until stopped.

    It reads, and moves nothing. While the store is away it says so, and goes on.
    """
    from infra.logs import service  # noqa: PLC0415

    place = settings()
    with service("serve", place):
        _serve(place, address, port, max_lag)


def _serve(place: Settings, address: str, port: int, max_lag: int) -> None:
    from infra.http.health import start  # noqa: PLC0415
    from infra.metrics import registry_of_process  # noqa: PLC0415
    from infra.readiness import StoreChecks, watched_database  # noqa: PLC0415
    from infra.store_metrics import StoreCollector  # noqa: PLC0415

    database, registry, stopped = watched_database(place), registry_of_process(), Event()
    registry.register(StoreCollector(database, system_clock))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    running = start(address, port, registry, StoreChecks(place, database, system_clock, max_lag))
    _log.info("listening", extra={"address": address, "port": running.port})
    try:
        stopped.wait()
    finally:
        running.stop()
        database.reader.dispose()
