"""The streaming edition while processes, servers and connections break: rounds of seeded faults.

THRESHER_ROUNDS says how many, THRESHER_SEED where they begin; `make test-chaos` runs 50.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from infra.postgres.migrate import migrate
from tests.chaos.embedded import embedded
from tests.chaos.faults import ALL, RELAY, SESSION_SECONDS, WORKER, Faults, dealt
from tests.chaos.feed import Feed, Size
from tests.chaos.fleet import Fleet
from tests.chaos.outcome import check
from tests.chaos.stream import Stream
from tests.servers import postgres
from tests.servers.kafka import Broker
from tests.servers.postgres import Cluster
from tests.servers.proxy import Proxy

pytestmark = [
    pytest.mark.chaos, pytest.mark.kafka, pytest.mark.postgres,
    # kafka-python leaves sockets to the collector when a connection is not made
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]  # fmt: skip
ROUNDS = int(os.environ.get("THRESHER_ROUNDS", "8"))
SEED = int(os.environ.get("THRESHER_SEED", "1"))
SHARDS, WORKERS = 3, 2
SIZE = Size(taxpayers=6, assets=8, orders=800, marks=3_000)
PHASE_SECONDS = 2.0
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server that keeps what it committed, with a migrated database called `chaos`."""
    with postgres.cluster(durable=True) as running:
        migrate(postgres.new_database(running.url, "chaos"), shards=SHARDS)
        yield running


class Round:
    """One feed through real processes, and the faults that were dealt to it."""

    def __init__(self, seed: int, cluster: Cluster, broker: Broker, folder: Path) -> None:
        self.feed = Feed(seed, SIZE)
        self._random = Random(f"thresher-chaos-{seed}")
        name = f"round{seed}"
        self.stream = Stream(
            postgres.new_database(cluster.url, name, "chaos"), broker.bootstrap, name, SHARDS
        )
        self.proxy = Proxy(cluster.port)
        self.fleet = Fleet(
            folder, database_url=f"postgresql://postgres@127.0.0.1:{self.proxy.port}/{name}",
            kafka=broker.bootstrap, kafka_prefix=name,
            kafka_session_seconds=str(SESSION_SECONDS),
        )  # fmt: skip
        self.faults = Faults(self._random, self.fleet, cluster, broker, self.proxy)
        self._dealt = dealt(seed)
        # In every other pair of rounds the relay is part of a process that does all.
        self._relay = ALL if seed // 2 % 2 else RELAY

    def play(self) -> None:
        """Feeds phase by phase, breaks what is dealt, and ends everything in good order."""
        self.stream.rule(self.feed.rules)
        for _ in range(WORKERS):
            self.fleet.start(WORKER)
        self.fleet.start(self._relay)
        for number, (_, said) in enumerate(self.feed.phases()):
            for name in self._dealt[number::4]:
                self.faults.plan(name, self._random.uniform(0.2, 1) * PHASE_SECONDS)
            self.stream.send(said, PHASE_SECONDS)
            try:
                self.stream.until_all_is_in(self._is_more_to_come, PATIENCE_SECONDS)
            except AssertionError:
                print(self.fleet.told())
                raise
        self.fleet.stop_all()

    def _is_more_to_come(self) -> bool:
        self.fleet.supervise()
        self.faults.do_what_is_due()
        return self.faults.is_pending

    def close(self) -> None:
        self.fleet.close()
        self.proxy.close()
        self.stream.close()


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_whatever_breaks_each_message_counts_once(
    seed: int, cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    start = time.monotonic()
    expected = embedded(Feed(seed, SIZE), tmp_path / "embedded.db")
    made = Round(seed, cluster, broker, tmp_path)
    try:
        made.play()
    finally:
        made.close()
    found = check(made.stream, expected)
    postgres.drop_database(cluster.url, f"round{seed}")
    print(
        f"round {seed}: {dict(made.faults.done)}; {dict(made.fleet.ended)};"
        f" {len(found.facts)} facts, {len(found.fired)} crossings,"
        f" {len(made.stream.poison)} poison, {time.monotonic() - start:.0f} s"
    )
