"""The `simulate` commands: a load that is made up, for sizing a machine or a cluster."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated, Literal

import typer

from domain.days import sortable_instant
from infra.cli.options import application
from infra.cli.output import stderr
from infra.cli.streaming import NotStreaming
from infra.simulate import SOURCE, Said, Shares, Venue

commands = typer.Typer(no_args_is_help=True, help="Made-up load: exchange.")
_BURSTS_A_SECOND = 20
_LAST_SECONDS = 60


@commands.command("exchange")
def exchange(
    messages: Annotated[
        int, typer.Option(min=1, help="Orders and prices; fills in parts and repeats add to them.")
    ] = 1_000,
    rate: Annotated[
        float, typer.Option(min=0, help="Messages a second; 0: as fast as it goes.")
    ] = 0,
    seed: Annotated[
        int, typer.Option(help="The same says the same; another is another venue.")
    ] = 1,
    taxpayers: Annotated[int, typer.Option(min=1, help="Who trade there.")] = 1,
    assets: Annotated[int, typer.Option(min=1, help="A share and so many coins less one.")] = 10,
    only: Annotated[
        Literal["facts", "marks"], typer.Option(help="facts or marks: of a pipe, which one.")
    ] = "facts",
    marks: Annotated[
        float, typer.Option(min=0, max=1, help="Share of orders and prices that are prices.")
    ] = 0.5,
    poison: Annotated[
        float, typer.Option(min=0, max=1, help="Share of messages that are none.")
    ] = 0,
    kafka: Annotated[bool, typer.Option("--kafka", help="To the topics, not to a pipe.")] = False,
) -> None:
    """Play a venue: fills, redeliveries, late and busted trades, prices.

    To a pipe as lines for `import -` or `marks -`; with --kafka both, to their topics.
    """
    venue = Venue(seed, taxpayers, assets, Shares(poison=poison))
    said = chain(venue.opening(), venue.day(messages, marks=marks))
    send, end = _to_kafka() if kafka else _to_pipe(only)
    count = 0
    for each in _paced(said, rate):
        send(each)
        count += 1
    end()
    stderr().print(f"{count} messages", highlight=False)


def _paced(said: Iterator[Said], rate: float) -> Iterator[Said]:
    """So many a second, in bursts; a rate of 0 holds nothing up."""
    start = time.monotonic()
    for number, each in enumerate(said):
        if rate and number % max(1, round(rate / _BURSTS_A_SECOND)) == 0:
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
        yield each


def _to_pipe(only: str) -> tuple[Callable[[Said], None], Callable[[], None]]:
    def send(said: Said) -> None:
        if only == f"{said.kind}s":
            print(said.data if said.is_poison else json.dumps(said.data))

    return send, sys.stdout.flush


def _to_kafka() -> tuple[Callable[[Said], None], Callable[[], None]]:
    from infra.channels.kafka import cloud_event, producer_of  # noqa: PLC0415
    from infra.kafka.topics import topics  # noqa: PLC0415

    app = application()
    if not app.settings.kafka:
        raise NotStreaming("say where Kafka is: THRESHER_KAFKA=HOST:PORT")
    names, producer = topics(app.settings.kafka_prefix), producer_of(app.settings.kafka)
    now = sortable_instant(app.clock())

    def send(said: Said) -> None:
        if said.is_poison:
            value = str(said.data).encode()
        else:
            value = cloud_event(said.id, said.kind, said.subject, now, said.data, SOURCE)
        topic = names.marks if said.kind == "mark" else names.facts
        producer.send(topic, key=said.subject.encode(), value=value)

    def end() -> None:
        producer.flush(_LAST_SECONDS)
        producer.close()

    return send, end
