"""Commands of the streaming edition: topics, worker, deadletters."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated

import typer

from domain.days import sortable_instant
from domain.errors import ThresherError
from infra.cli.options import Output, application
from infra.cli.output import Format, show, stderr
from infra.composition import App
from infra.relay import Beside, relay_of

LETTERS = {
    "place": "place", "key": "key", "reason": "reason", "recorded_at": "recorded",
    "replayed_at": "replayed",
}  # fmt: skip
letters = typer.Typer(no_args_is_help=True, help="Messages that cannot be used: list, replay.")


class NotStreaming(ThresherError):
    """A command of the streaming edition without what it needs."""


def topics_command(
    replicas: Annotated[int, typer.Option(help="On how many brokers each is kept.")] = 1,
) -> None:
    """Make the topics that are not there yet; facts get a partition a shard of the database."""
    from infra.kafka.topics import make_topics, topics  # noqa: PLC0415

    app = _streaming(application())
    names = topics(app.settings.kafka_prefix)
    made = make_topics(app.settings.kafka, names, replicas, app.shards)
    stderr().print(f"made: {', '.join(made)}" if made else "all topics are there")


def worker_command(
    metrics_port: Annotated[int, typer.Option(help="Prometheus reads there; 0: nowhere.")] = 0,
    metrics_address: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
) -> None:
    """Take facts and marks in from Kafka, fire alerts and send them, until stopped.

    Any number may run: they share out the shards of the database, and those of one that ends.
    """
    from infra.kafka.consumer import consumer_of  # noqa: PLC0415
    from infra.kafka.topics import topics  # noqa: PLC0415
    from infra.kafka.worker import Worker  # noqa: PLC0415

    app = _streaming(application())
    if not app.settings.is_postgres:
        raise NotStreaming("a worker stores in PostgreSQL: set THRESHER_DATABASE_URL to a server")
    names = topics(app.settings.kafka_prefix)
    consumer = consumer_of(app.settings.kafka, names, app.settings.kafka_prefix, app.shards)
    relay = Beside(relay_of(app))
    worker, stopped = Worker(app, consumer, names, relay.wake), list[int]()
    app.channels = worker.metrics.counted(app.channels)
    if metrics_port:
        worker.metrics.start(metrics_address, metrics_port)

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    stderr().print(f"worker of {names.facts} and {names.marks}", highlight=False)
    try:
        while not stopped:
            worker.step()
            relay.check()
    finally:
        consumer.close()
        worker.close()
        relay.close()
        app.close()


@letters.command("list")
def list_letters(output: Output = Format.AUTO) -> None:
    """Messages that cannot be used, with the reason and what to do."""
    from infra.kafka.letters import shown  # noqa: PLC0415
    from services.intake import dead_letters  # noqa: PLC0415

    with _streaming(application()).database.reading() as connection:
        rows = [shown(letter) for letter in dead_letters(connection)]
    show(rows, output, LETTERS, "Dead letters", "No dead letter.")


@letters.command("replay")
def replay_letters(
    places: Annotated[
        list[str] | None, typer.Argument(help="As listed; none: all that were not replayed.")
    ] = None,
) -> None:
    """Send dead letters again to the topic they came on, after a mend."""
    from infra.channels.kafka import producer_of  # noqa: PLC0415
    from infra.kafka.letters import replay  # noqa: PLC0415

    app = _streaming(application())
    producer = producer_of(app.settings.kafka)
    try:
        again = replay(app.database, producer, places or (), sortable_instant(app.clock()))
    finally:
        producer.close()
    stderr().print(f"{len(again)} sent again")


def _streaming(app: App) -> App:
    if not app.settings.kafka:
        raise NotStreaming("say where Kafka is: THRESHER_KAFKA=HOST:PORT")
    return app
