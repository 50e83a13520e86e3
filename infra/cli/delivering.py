"""The `deliver` command: the relay of the outbox, until it is stopped or once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated

import typer

from infra.cli.options import application
from infra.cli.output import stderr
from infra.relay import Relay, relay_of
from services.changes_out import tell_afresh


def deliver_command(
    once: Annotated[
        bool, typer.Option("--once", help="Fire what fell due by now, send what waits, and end.")
    ] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="First send all rows that are there once more.")
    ] = False,
) -> None:
    """Send what waits in the outbox, as it falls due, until stopped. Any number may run."""
    app = application()
    relay = relay_of(app)
    if afresh:
        with app.database.writing() as connection:
            tell_afresh(connection)
    try:
        if once:
            app.market.facts_changed()
            relay.once()
        else:
            _run(relay)
    finally:
        app.rest()
        app.close()
    stderr().print(", ".join(f"{count} {name}" for name, count in relay.total.counts.items()))


def _run(relay: Relay) -> None:
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    stderr().print("relay of the outbox", highlight=False)
    relay.run(lambda: bool(stopped))
