"""The `publish` command: changes of opportunities into the outbox, until it is stopped."""

from __future__ import annotations

import os
import signal
import time

from domain.errors import ThresherError
from infra.cli.options import application
from infra.composition import App
from services.changes_out import OPPORTUNITIES, STREAMS, make_tables
from services.live.publishing import Publisher
from services.projector import Projector

_PAUSE_SECONDS = 0.02
_NICENESS = 10  # whoever fires alerts on this machine goes first


class NothingToPublish(ThresherError):
    """Nobody asked for changes."""


def publish_command() -> None:
    """Tell changes of opportunities, for the relay to send to Kafka, until stopped.

    A process of its own, since it values every lot of every taxpayer again and again.
    """
    from infra.logs import service  # noqa: PLC0415

    app = application()
    if OPPORTUNITIES not in app.settings.published:
        raise NothingToPublish(f"say what to publish: THRESHER_PUBLISH={','.join(STREAMS)}")
    with service("publish", app.settings):
        _publish(app)


def _publish(app: App) -> None:
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _frame: stopped.append(signum))
    os.nice(_NICENESS)
    publisher = publisher_of(app)
    try:
        while not stopped:
            publisher.step()
            time.sleep(_PAUSE_SECONDS)
    finally:
        publisher.close()
        app.database.reader.dispose()


def publisher_of(app: App) -> Publisher:
    """A publisher of all shards, which reads their tables and never moves them on."""
    make_tables(app.database)
    homes = [app.of_shard(number) for number in range(app.shards)]
    return Publisher([Projector(each.database, each.ledger) for each in homes], app.clock)
