"""The `deliver` command: the relay of the outbox, until it is stopped or once."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import Annotated

import typer

from infra.cli.options import application
from infra.cli.output import stderr
from infra.composition import App
from infra.relay import Relay, relay_of

_log = logging.getLogger(__name__)


def deliver_command(
    once: Annotated[
        bool, typer.Option("--once", help="Fire what fell due by now, send what waits, and end.")
    ] = False,
    metrics_port: Annotated[int, typer.Option(help="Prometheus reads there; 0: nowhere.")] = 0,
    metrics_address: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
) -> None:
    """Send what waits in the outbox, as it falls due, until stopped. Any number may run."""
    app = application()
    if not app.settings.is_postgres:
        app.projector  # noqa: B018  makes the tables; on a server a migration did
    relay = relay_of(app)
    try:
        if once:
            app.market.facts_changed()
            relay.once()
            counts = relay.total.counts.items()
            stderr().print(", ".join(f"{count} {name}" for name, count in counts))
        else:
            _run(app, relay, metrics_address, metrics_port)
    finally:
        app.rest()
        app.close()


def _run(app: App, relay: Relay, address: str, port: int) -> None:
    from infra.http.health import start  # noqa: PLC0415
    from infra.logs import service  # noqa: PLC0415
    from infra.metrics import Deliveries, registry_of_process  # noqa: PLC0415

    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    with service("deliver", app.settings):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if port:
            registry = registry_of_process()
            app.channels = Deliveries(registry).counted(app.channels)
            start(address, port, registry, dict)
        relay.run(lambda: bool(stopped))
        _log.info("sent", extra={"count": relay.total.sent})
