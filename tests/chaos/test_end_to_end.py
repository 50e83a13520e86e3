"""A whole venue through Kafka into the streaming edition, and nothing breaks: the same answers.

THRESHER_MARKS says how many prices it quotes (60,000), and a tenth as many facts.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.chaos.embedded import Embedded
from tests.chaos.faults import RELAY, WORKER
from tests.chaos.feed import Feed, Size
from tests.chaos.fleet import Fleet
from tests.chaos.outcome import check
from tests.chaos.stream import Stream
from tests.end_to_end.command import thresher
from tests.servers.kafka import Broker

pytestmark = [
    pytest.mark.kafka, pytest.mark.postgres,
    # kafka-python leaves sockets to the collector when a connection is not made
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]  # fmt: skip
MARKS = int(os.environ.get("THRESHER_MARKS", "60000"))
# An order is filled in two parts on average, and a part of the fills is told twice.
SIZE = Size(
    taxpayers=40, assets=20, orders=MARKS // 20, marks=MARKS, swing=0.001, loss=400, broad=20
)
SHARDS, WORKERS, PATIENCE_SECONDS = 4, 2, 900


def test_two_workers_end_where_the_embedded_edition_ends(
    broker: Broker, empty_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "database_url": empty_postgres, "kafka": broker.bootstrap, "kafka_prefix": "whole"
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"THRESHER_{name.upper()}", value)
    assert thresher("migrate", "--shards", str(SHARDS)).code == thresher("topics").code == 0
    feed, start = Feed(1, SIZE), time.monotonic()
    stream = Stream(empty_postgres, broker.bootstrap, "whole", SHARDS)
    stream.rule(feed.rules)
    embedded = Embedded(feed, tmp_path / "embedded.db")
    fleet = Fleet(tmp_path, **settings)
    for command in [*[WORKER] * WORKERS, RELAY]:
        fleet.start(command)
    try:
        for kind, said in feed.phases():
            stream.send(said, 0)
            embedded.take(kind, said)
            stream.until_all_is_in(fleet.has_ended, PATIENCE_SECONDS)
        fleet.stop_all()
        seconds = time.monotonic() - start
        found = check(stream, embedded.answers())
    finally:
        fleet.close()
        stream.close()
    assert fleet.ended == {"worker stopped": WORKERS, "deliver stopped": 1}
    assert len(found.facts) > MARKS // 10
    assert len(found.fired) > 100
    print(f"{len(found.facts)} facts, {MARKS} prices, {len(found.fired)} alerts: {seconds:.0f} s")
