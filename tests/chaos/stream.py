"""One database with its topics: what was sent to them, and what of it is not in yet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from infra.channels.kafka import producer_of
from infra.composition import App
from infra.kafka.topics import make_topics, topics
from infra.postgres.shards import shard_of
from infra.settings import Settings
from infra.simulate import Said
from services.evaluated import EVALUATED
from services.ledger import Offer
from tests.chaos.feed import RECORDED_AT, encoded

_BURSTS_A_SECOND = 20
_FLUSH_SECONDS = 120
_STEP_SECONDS, _LOOK_SECONDS = 0.05, 0.25


class Stream:
    """`url`: the database, reached past every proxy; migrated, with so many shards."""

    def __init__(self, url: str, bootstrap: str, prefix: str, shards: int) -> None:
        self.url, self.bootstrap, self.prefix, self.shards = url, bootstrap, prefix, shards
        self.names = topics(prefix)
        self.poison: dict[str, bytes] = {}  # by place: topic/partition/offset
        make_topics(bootstrap, self.names, 1, shards)
        self._producer = producer_of(bootstrap)
        self._failed: list[BaseException] = []
        self._sender: threading.Thread | None = None
        self._closed = threading.Event()

    def rule(self, offers: Sequence[Offer]) -> None:
        """Rules for everybody, before any worker runs."""
        app = App(Settings(database_url=self.url))
        for each in app.of_all_shards():
            mine = [one for one in offers if shard_of(one.taxpayer, self.shards) == each.shard]
            each.ledger.append(mine, RECORDED_AT)
            each.ledger.close()
        app.close()

    def send(self, said: Sequence[Said], seconds: float) -> None:
        """Starts to send messages, spread over so many seconds; 0: as fast as it goes."""
        self._sender = threading.Thread(target=self._send, args=(said, seconds), daemon=True)
        self._sender.start()

    @property
    def is_sending(self) -> bool:
        """Whether some of it was not stored by the broker yet."""
        return self._sender is not None and self._sender.is_alive()

    def _send(self, said: Sequence[Said], seconds: float) -> None:
        start, rate = time.monotonic(), len(said) / seconds if seconds else 0
        poison = []
        for number, each in enumerate(said):
            if rate and number % max(1, round(rate / _BURSTS_A_SECOND)) == 0:
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
            if self._closed.is_set():
                return
            topic = self.names.marks if each.kind == "mark" else self.names.facts
            value = encoded(each)
            sent = self._producer.send(topic, key=each.subject.encode(), value=value)
            sent.add_errback(self._failed.append)
            if each.is_poison:
                poison.append((sent, value))
        self._producer.flush(_FLUSH_SECONDS)
        for sent, value in poison:
            at = sent.get(timeout=1)
            self.poison[f"{at.topic}/{at.partition}/{at.offset}"] = value

    def ends(self) -> dict[tuple[str, int], int]:
        """How many messages each partition of facts and of marks holds."""
        assert not self._failed, self._failed[:3]
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        try:
            places = [TopicPartition(self.names.facts, shard) for shard in range(self.shards)]
            found = consumer.end_offsets([*places, TopicPartition(self.names.marks, 0)])
        finally:
            consumer.close()
        return {(place.topic, place.partition): end for place, end in found.items()}

    def missing(self, ends: dict[tuple[str, int], int]) -> list[str]:
        """What is sent but not in, not asked, not projected or not told yet, as lines to read."""
        try:
            with psycopg.connect(self.url) as server:
                offsets = {(row[0], row[1]): row[2] for row in server.execute(_OFFSETS)}
                behind = server.execute(_BEHIND).fetchall()
                unsent = server.execute(_UNSENT).fetchall()
                (last,) = server.execute(_LAST_MARK).fetchall()
        except psycopg.OperationalError as error:
            return [f"no database: {error}"]
        asked = {(EVALUATED, shard): int(last[0]) + 1 for shard in range(self.shards)}
        return [
            *(
                f"{place} is at {offsets.get(place)} of {end}"
                for place, end in (ends | asked).items()
                if offsets.get(place, 0) != end
            ),
            *(f"shard {shard} is projected to {at} of {head}" for shard, head, at in behind),
            *(f"{count} of {what} are not sent" for what, count in unsent if count),
        ]

    def until_all_is_in(self, is_more_to_come: Callable[[], bool], seconds: float) -> None:
        """Waits, and asks each time; raises AssertionError with what is missing after so long."""
        deadline, ends, left, looked = time.monotonic() + seconds, None, ["everything"], 0.0
        while left:
            assert time.monotonic() < deadline, "\n".join(left)
            time.sleep(_STEP_SECONDS)
            is_early = time.monotonic() - looked < _LOOK_SECONDS
            if is_more_to_come() or self.is_sending or is_early:
                continue
            ends = ends or self.ends()
            left, looked = self.missing(ends), time.monotonic()

    def close(self) -> None:
        """Sends no more."""
        self._closed.set()
        if self._sender is not None:
            self._sender.join()
        with suppress(KafkaError):  # after a failure something may still be on its way
            self._producer.close(timeout=5)


_OFFSETS = "SELECT topic, partition, next FROM offsets"
_LAST_MARK = "SELECT coalesce(max(id), 0) FROM marks"
_BEHIND = """
SELECT shard, heads.position, checkpoints.position AS at FROM heads LEFT JOIN checkpoints
    ON projection = 'read_models' || CASE shard WHEN 0 THEN '' ELSE '/' || shard END
WHERE checkpoints.position IS DISTINCT FROM heads.position AND heads.position > 0
"""
_UNSENT = """
SELECT 'the outbox' AS what, count(*) FROM outbox WHERE sent_at = ''
UNION ALL SELECT 'the dead letters', count(*) FROM dead_letters WHERE sent_at = ''
"""
