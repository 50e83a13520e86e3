"""The `deliver` command: the relay of the outbox, until it is stopped or once."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from infra.cli.options import application
from infra.cli.output import stderr
from infra.composition import App
from infra.relay import relay_of
from services.changes_out import make_tables, tell_afresh


def deliver_command(
    once: Annotated[
        bool, typer.Option("--once", help="Fire what fell due by now, send what waits, and end.")
    ] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Send all rows of changes once more, as they are.")
    ] = False,
    metrics_port: Annotated[int, typer.Option(help="Prometheus reads there; 0: nowhere.")] = 0,
    metrics_address: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
) -> None:
    """Send what waits in the outbox, as it falls due, until stopped. Any number may run."""
    from infra.logs import service  # noqa: PLC0415

    app = application()
    make_tables(app.database)
    if afresh:
        with app.database.writing() as connection:
            tell_afresh(connection)
    if once:
        _once(app)
    else:
        with service("deliver", app.settings):
            _until_stopped(app, metrics_address, metrics_port)


def _once(app: App) -> None:
    """Of every shard what fell due; then all that waits, whosever it is."""
    for each in app.of_all_shards():
        each.market.tell = lambda: None
        each.market.facts_changed()
    done = relay_of(app).once()
    stderr().print(", ".join(f"{count} {name}" for name, count in done.counts.items()))


def _until_stopped(app: App, address: str, port: int) -> None:
    from infra.metrics import RelayMetrics  # noqa: PLC0415

    stopped, metrics = list[int](), RelayMetrics()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _frame: stopped.append(signum))
    app.channels = metrics.counted(app.channels)
    if port:
        metrics.start(address, port)
    try:
        relay_of(app).run(lambda: bool(stopped))
    finally:
        app.close()
