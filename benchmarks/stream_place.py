"""What the benchmarks of streams run on: a durable PostgreSQL, a Kafka broker, real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from kafka import KafkaAdminClient, KafkaProducer

from infra.channels.kafka import cloud_event
from infra.kafka.topics import Topics, make_topics, topics
from infra.postgres.migrate import migrate
from infra.settings import Settings
from infra.simulate import SOURCE, Said
from tests.servers import kafka, postgres

SHARDS = 4
_WAIT_SECONDS = 300
_DONE = """
SELECT (SELECT coalesce(sum(next), 0) FROM offsets WHERE topic = %(facts)s) = %(messages)s
   AND (SELECT sum(position) FROM heads) =
       (SELECT sum(position) FROM checkpoints WHERE projection LIKE 'read_models%%')
"""
_READY = "SELECT count(*) FROM checkpoints WHERE projection LIKE 'read_models%'"


class Place:
    """An empty database of some shards, topics of its own, and the processes started here."""

    def __init__(self, server: str, broker: kafka.Broker, name: str, shards: int = SHARDS) -> None:
        self.shards = shards
        url = postgres.new_database(server, name)
        migrate(url, shards=shards)
        self.settings = Settings(database_url=url, kafka=broker.bootstrap, kafka_prefix=name)
        self.names: Topics = topics(name)
        make_topics(broker.bootstrap, self.names, 1, shards)
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> None:
        """A command of Thresher as a process of its own."""
        environment = os.environ | {
            "THRESHER_DATABASE_URL": self.settings.database_url,
            "THRESHER_KAFKA": self.settings.kafka,
            "THRESHER_KAFKA_PREFIX": self.settings.kafka_prefix,
            "THRESHER_KAFKA_SESSION_SECONDS": "20",
            "THRESHER_LOG_LEVEL": "warning",
        }
        started = subprocess.Popen([sys.executable, "-m", "infra.main", *command], env=environment)
        self._processes.append(started)

    def signal(self, number: int) -> None:
        """To all processes."""
        for each in self._processes:
            each.send_signal(number)

    def until_shared(self, workers: int) -> None:
        """So many workers have shared the shards out, and taken them up."""
        admin = KafkaAdminClient(bootstrap_servers=self.settings.kafka)
        group, deadline = self.settings.kafka_prefix, time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            found = admin.describe_groups([group])[group]
            if (found["group_state"], len(found["members"])) == ("Stable", workers):
                break
            time.sleep(0.1)
        admin.close()
        self._until(_READY, {}, self.shards)

    def until_done(self, messages: int) -> None:
        """So many messages of facts are read, and the read models have all that came of them."""
        self._until(_DONE, {"facts": self.names.facts, "messages": messages}, 1)

    def _until(self, query: str, values: dict[str, object], wanted: int) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        with psycopg.connect(self.settings.database_url, autocommit=True) as server:
            while True:
                (found,) = server.execute(query, values or None).fetchone() or (None,)
                if found == wanted:
                    return
                ended = [each for each in self._processes if each.poll() is not None]
                if ended or time.monotonic() > deadline:
                    raise RuntimeError(f"not done: {len(ended)} processes have ended")
                time.sleep(0.02)

    def close(self) -> None:
        """Ends the processes."""
        for each in self._processes:
            each.kill()
            each.wait()


@contextmanager
def servers() -> Iterator[tuple[str, kafka.Broker]]:
    """The URL of a server that flushes what it commits, and a broker."""
    with postgres.cluster(durable=True) as cluster, kafka.broker() as broker:
        yield cluster.url, broker


def send(place: Place, said: Sequence[Said]) -> int:
    """Sends facts to their topic, all of them; returns how many."""
    producer = KafkaProducer(bootstrap_servers=place.settings.kafka, linger_ms=10)
    for each in said:
        producer.send(place.names.facts, key=each.subject.encode(), value=message(each))
    producer.flush(_WAIT_SECONDS)
    producer.close()
    return len(said)


def message(said: Said) -> bytes:
    """A CloudEvent."""
    return cloud_event(said.id, said.kind, said.subject, "2026-01-02T00:00:00Z", said.data, SOURCE)


def facts_of(said: Iterable[Said]) -> Sequence[Said]:
    """Those that are facts."""
    return [each for each in said if each.kind == "fact"]
