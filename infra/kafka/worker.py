"""The worker: messages of Kafka into the ledger and the market, each exactly once.

How far a partition was read is kept in the transaction of what was read, and moves by
compare-and-set. So a message counts once, whatever is delivered twice; and of two workers that
believe they own a partition the second to commit is refused, lets go and starts from what is
stored. What Kafka knows of offsets is a hint for those who watch the lag.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata
from sqlalchemy import Connection

from domain.days import sortable_instant
from infra.composition import App
from infra.kafka.records import Record, dead, fact_offer, mark_quote
from infra.kafka.topics import BOOTSTRAP_MS, NoBroker, Topics
from infra.metrics import Metrics
from services.intake import DeadLetter, Intake, PositionMoved, Step, move, position
from services.ledger import Offer, Outcome
from services.marks import Quote

POLL_MS = 50
MOST_RECORDS = 1_000
_LOST_AFTER_MS = 10_000  # a worker that died is replaced after this long
_STUCK_AFTER_MS = 60_000
_log = logging.getLogger(__name__)


def consumer_of(servers: str, names: Topics, group: str) -> KafkaConsumer:
    """A consumer of facts and marks. Raises NoBroker."""
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=servers,
            bootstrap_timeout_ms=BOOTSTRAP_MS,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=_LOST_AFTER_MS,
            heartbeat_interval_ms=_LOST_AFTER_MS // 3,
            max_poll_interval_ms=_STUCK_AFTER_MS,
            max_poll_records=MOST_RECORDS,
        )
        # Looked up before joining: a member that joins without knowing them is assigned none, and
        # kafka-python 3.0.12 then hangs in its second assignment.
        for topic in (names.facts, names.marks):
            if not consumer.partitions_for_topic(topic):
                consumer.close()
                raise NoBroker(f"{servers} has no topic {topic}: run thresher topics")
        consumer.subscribe([names.facts, names.marks])
    except (KafkaError, OSError) as error:
        raise NoBroker(f"{servers}: {error}") from error
    return consumer


class Worker:
    """Takes in what it is assigned, a batch a step; between two steps nothing is half done."""

    def __init__(self, app: App, consumer: KafkaConsumer, names: Topics) -> None:
        self.metrics = Metrics()
        self._app = app
        self._consumer = consumer
        self._names = names
        self._told = (0, 0)
        self._next: dict[Any, int] = {}  # by partition that is ours: what the database said last

    def step(self) -> int:
        """Takes in what is there, or waits a little; returns how many messages it read."""
        batches = self._consumer.poll(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        self._let_go(self._consumer.assignment())
        # Facts first: a mark that came with them values what they bought.
        for partition in sorted(batches, key=lambda each: each.topic != self._names.facts):
            try:
                self._take(partition, batches[partition])
            except PositionMoved as moved:
                _log.warning("%s", moved)
                self.metrics.moved.inc()
                self._let_go(frozenset())
        return sum(map(len, batches.values()))

    def _take(self, partition: Any, records: Sequence[Record]) -> None:
        if partition not in self._next:
            stored = self._next[partition] = self._stored(partition)
            if records[0].offset != stored:
                self._consumer.seek(partition, stored)
                return  # gaps are seen only here: compaction may leave some later
        expected = self._next[partition]
        fresh = [record for record in records if record.offset >= expected]
        if not fresh:
            return
        step = Step(partition.topic, partition.partition, expected, records[-1].offset + 1)
        with self.metrics.batch_seconds.labels(partition.topic).time():
            if partition.topic == self._names.facts:
                self._facts(step, fresh)
            else:
                self._marks(step, fresh)
        self._next[partition] = step.next
        self.metrics.messages.labels(partition.topic).inc(len(fresh))
        self._tell()
        with suppress(KafkaError):  # a hint; the truth is stored already
            self._consumer.commit_async({partition: OffsetAndMetadata(step.next, "", -1)})

    def _facts(self, step: Step, records: Sequence[Record]) -> None:
        read = [(record, fact_offer(record)) for record in records]
        offers = [found for _, found in read if isinstance(found, Offer)]
        places = [record for record, found in read if isinstance(found, Offer)]
        unusable = [found for _, found in read if isinstance(found, DeadLetter)]
        recorded_at = sortable_instant(self._app.clock())

        def intake(outcomes: Sequence[Outcome]) -> Intake:
            conflicts = [
                dead(record, "id: is already recorded with other content; send a correction")
                for record, outcome in zip(places, outcomes, strict=True)
                if outcome is Outcome.CONFLICT
            ]
            return Intake(step, [*unusable, *conflicts], recorded_at)

        outcomes = self._app.ledger.append(offers, recorded_at, intake)
        self.metrics.facts.inc(outcomes.count(Outcome.NEW))
        self.metrics.dead.inc(len(unusable) + outcomes.count(Outcome.CONFLICT))
        self._app.projector.catch_up(recorded_at[:10])
        self._app.market.facts_changed()

    def _marks(self, step: Step, records: Sequence[Record]) -> None:
        read = [mark_quote(record) for record in records]
        unusable = [found for found in read if isinstance(found, DeadLetter)]
        intake = Intake(step, unusable, sortable_instant(self._app.clock()))

        def beside(connection: Connection) -> None:
            move(connection.exec_driver_sql, intake)

        self._app.market.take([each for each in read if isinstance(each, Quote)], beside=beside)
        self.metrics.dead.inc(len(unusable))

    def _tell(self) -> None:
        counts, told = self._app.market.counts, self._told
        self.metrics.alerts.labels("fired").inc(counts.fired - told[0])
        self.metrics.alerts.labels("rearmed").inc(counts.rearmed - told[1])
        self._told = counts.fired, counts.rearmed
        self.metrics.missed.set(counts.missed)
        self.metrics.position.set(self._app.projector.position)
        if self._app.market.now:
            newest = datetime.fromisoformat(self._app.market.now)
            self.metrics.last_mark.set(newest.timestamp())

    def _stored(self, partition: Any) -> int:
        with self._app.database.writing() as connection:
            return position(connection, partition.topic, partition.partition)

    def _let_go(self, kept: frozenset[Any] | set[Any]) -> None:
        """Forgets what is no longer ours; it is read from the database if it comes back."""
        for partition in self._next.keys() - kept:
            del self._next[partition]
