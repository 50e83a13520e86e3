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
from services.evaluated import is_of_workers

_log = logging.getLogger(__name__)


def deliver_command(
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Fire what fell due by now, send what waits, and end; where workers fire, it only "
            "sends.",
        ),
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
    if _has_workers(app):
        stderr().print("workers fire here (thresher worker): this only sends")
    else:
        _fire(app)
    relay.once()
    stderr().print(", ".join(f"{count} {name}" for name, count in relay.total.counts.items()))


def _has_workers(app: App) -> bool:
    """Whether shards are workers': to fire beside them would be unfenced, or take them away."""
    if not app.settings.is_postgres:
        return False
    with app.database.reading() as connection:
        return is_of_workers(connection)


def _fire(app: App) -> None:
    for each in app.of_all_shards():
        each.market.facts_changed()
        if each is not app:  # which rests and is closed at the end
            each.rest()
            each.ledger.close()


def _run(app: App, stack: ExitStack, address: str, port: int) -> None:
    metrics, stopped = Metrics(), stopped_by_signals()
    app.channels = metrics.counted(app.channels)
    if port:
        stack.callback(start(address, port, metrics.registry, dict).stop)
    relay = relay_of(app)
    relay.run(stopped.is_set)
    _log.info("relay ended", extra={"count": relay.total.sent})
