"""The `deliver` command: the relay of the outbox, until it is stopped or once."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Annotated

import typer

from infra.cli.options import application, settings
from infra.cli.output import stderr
from infra.cli.working import MetricsAddress, MetricsPort, stopped_by_signals
from infra.composition import App
from infra.http.health import start
from infra.logs import service
from infra.metrics import Metrics
from infra.relay import relay_of
from services.changes_out import make_tables, tell_afresh

_log = logging.getLogger(__name__)


def deliver_command(
    once: Annotated[
        bool, typer.Option("--once", help="Fire what fell due by now, send what waits, and end.")
    ] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Send all rows of changes once more, as they are.")
    ] = False,
    metrics_port: MetricsPort = 0,
    metrics_address: MetricsAddress = "127.0.0.1",
) -> None:
    """Send what waits in the outbox, as it falls due, until stopped. Any number may run."""
    if once:
        _once(application(), afresh=afresh)
        return
    place = settings()
    with service("deliver", place), ExitStack() as stack:
        app = App(place, is_there=True)
        app.is_service = True
        stack.callback(app.close)
        if afresh:
            _tell_afresh(app)
        _run(app, stack, metrics_address, metrics_port)


def _tell_afresh(app: App) -> None:
    make_tables(app.database)
    with app.database.writing() as connection:
        tell_afresh(connection)


def _once(app: App, *, afresh: bool) -> None:
    relay = relay_of(app)
    if afresh:
        _tell_afresh(app)
    app.market.facts_changed()
    relay.once()
    stderr().print(", ".join(f"{count} {name}" for name, count in relay.total.counts.items()))


def _run(app: App, stack: ExitStack, address: str, port: int) -> None:
    metrics, stopped = Metrics(), stopped_by_signals()
    app.channels = metrics.counted(app.channels)
    if port:
        stack.callback(start(address, port, metrics.registry, dict).stop)
    relay = relay_of(app)
    relay.run(stopped.is_set)
    _log.info("relay ended", extra={"count": relay.total.sent})
