"""The `publish` command: changes of opportunities into the outbox, until it is stopped."""

from __future__ import annotations

import os
from contextlib import ExitStack

from domain.errors import ThresherError
from infra.cli.options import settings
from infra.cli.working import stopped_by_signals
from infra.composition import App
from infra.logs import service
from infra.publisher import publisher_of
from services.changes_out import OPPORTUNITIES, STREAMS

_PAUSE_SECONDS = 0.02
_NICENESS = 10  # whoever fires alerts on this machine goes first


class NothingToPublish(ThresherError):
    """Nobody asked for changes."""


def publish_command() -> None:
    """Tell changes of opportunities, for the relay to send to Kafka, until stopped.

    A process of its own, since it values every lot of every taxpayer again and again.
    """
    place = settings()
    with service("publish", place), ExitStack() as stack:
        if OPPORTUNITIES not in place.published:
            raise NothingToPublish(f"say what to publish: THRESHER_PUBLISH={','.join(STREAMS)}")
        stopped = stopped_by_signals()
        os.nice(_NICENESS)
        app = App(place, is_there=True)
        app.is_service = True
        stack.callback(app.close)
        publisher = publisher_of(app)
        stack.callback(publisher.close)
        while not stopped.wait(_PAUSE_SECONDS):
            publisher.step()
