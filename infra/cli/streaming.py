"""Commands about streams: topics, deadletters."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.days import sortable_instant
from domain.errors import ThresherError
from infra.cli.options import Output, application
from infra.cli.output import Format, show, stderr
from infra.composition import App

LETTERS = {
    "place": "place", "key": "key", "reason": "reason", "recorded_at": "recorded",
    "replayed_at": "replayed",
}  # fmt: skip
letters = typer.Typer(no_args_is_help=True, help="Messages that cannot be used: list, replay.")


class NotStreaming(ThresherError):
    """A command of the streaming edition without what it needs."""


def streaming(app: App, *, needs_server: bool = False) -> App:
    """The application, if it streams; raises NotStreaming."""
    if not app.settings.kafka:
        raise NotStreaming("say where Kafka is: THRESHER_KAFKA=HOST:PORT")
    if needs_server and not app.settings.is_postgres:
        raise NotStreaming("streams are kept in PostgreSQL: set THRESHER_DATABASE_URL to a server")
    return app


def topics_command(
    replicas: Annotated[int, typer.Option(min=1, help="On how many brokers each is kept.")] = 1,
) -> None:
    """Make the topics that are not there yet; facts get a partition a shard of the database."""
    from infra.kafka.topics import make_topics, topics  # noqa: PLC0415

    app = streaming(application())
    names = topics(app.settings.kafka_prefix)
    made = make_topics(app.settings.kafka, names, replicas, app.shards)
    stderr().print(f"made: {', '.join(made)}" if made else "all topics are there")


@letters.command("list")
def list_letters(output: Output = Format.AUTO) -> None:
    """Messages that cannot be used, with the reason and what to do."""
    from infra.kafka.letters import listed  # noqa: PLC0415

    with streaming(application(), needs_server=True).database.reading() as connection:
        rows = listed(connection)
    show(rows, output, LETTERS, "Dead letters", "No dead letter.")


@letters.command("replay")
def replay_letters(
    places: Annotated[
        list[str] | None, typer.Argument(help="As listed; none: all that were not replayed.")
    ] = None,
) -> None:
    """Send dead letters again to the topic they came on, after a mend."""
    from infra.kafka.letters import send_again  # noqa: PLC0415

    app = streaming(application(), needs_server=True)
    now = sortable_instant(app.clock())
    again = send_again(app.database, app.settings.kafka, places or (), now)
    stderr().print(f"{len(again)} sent again")
