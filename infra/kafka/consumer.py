"""The consumer of a worker: one member of a group that shares out the partitions of facts."""

from __future__ import annotations

from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from domain.errors import ThresherError
from infra.kafka.topics import BOOTSTRAP_MS, RECONNECT_MS, NoBroker, Topics
from infra.settings import Settings

# In a batch of facts each book that they touch is written once: larger ones cost less a fact. A
# poll holds the batches of two shards, which are served together, and takes three seconds at most.
# Only a worker that is behind ever gets as much. Bytes limit it: a limit of messages would cut what
# was fetched, and its rest is a small batch of its own.
FETCHED: dict[str, int] = {
    "max_partition_fetch_bytes": 6 << 20,  # some 15,000 facts
    "fetch_max_bytes": 12 << 20,
    "max_poll_records": 64_000,
}
_STUCK_AFTER_MS = 300_000  # to take a shard up, its taxpayers with rules are folded


class WrongPartitions(ThresherError):
    """The topic of facts has not as many partitions as the database has shards."""


class OutOfRange(ThresherError):
    """A topic does not hold what comes next of it, by the database: facts would be left out."""


def consumer_of(settings: Settings, names: Topics, shards: int) -> KafkaConsumer:
    """A consumer of facts and marks. Raises NoBroker, WrongPartitions."""
    servers, lost_after_ms = settings.kafka, settings.kafka_session_seconds * 1_000
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=servers,
            bootstrap_timeout_ms=BOOTSTRAP_MS,
            reconnect_backoff_max_ms=RECONNECT_MS,
            group_id=settings.kafka_prefix,
            enable_auto_commit=False,
            auto_offset_reset="none",  # the database says where; what is gone must not go unsaid
            isolation_level="read_committed",
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=lost_after_ms,
            heartbeat_interval_ms=lost_after_ms // 3,
            max_poll_interval_ms=_STUCK_AFTER_MS,
            **FETCHED,
        )
        # Looked up before joining: a member that joins without knowing them is assigned none, and
        # kafka-python 3.0.12 then hangs in its second assignment.
        try:
            for topic, wanted in ((names.facts, shards), (names.marks, 1)):
                _check(servers, topic, consumer.partitions_for_topic(topic), wanted)
        except ThresherError:
            consumer.close()
            raise
        consumer.subscribe([names.facts, names.marks])
    except (KafkaError, OSError) as error:
        raise NoBroker(f"{servers}: {error}") from error
    return consumer


def _check(servers: str, topic: str, partitions: set[int] | None, wanted: int) -> None:
    if not partitions:
        raise NoBroker(f"{servers} has no topic {topic}: run thresher topics")
    if len(partitions) != wanted:
        raise WrongPartitions(
            f"topic {topic} has {len(partitions)} partitions and the database {wanted} shards for "
            "it: make topics with thresher topics after thresher migrate --shards"
        )


def check_range(partition: TopicPartition, stored: int, first: int, end: int) -> None:
    """Raises OutOfRange if a topic from `first` to before `end` does not go on at `stored`."""
    topic, number = partition
    go_on = f"UPDATE offsets SET next = {first} WHERE topic = '{topic}' AND partition = {number}"
    read = f"{topic}/{number}: the database has read it up to offset {stored} and the topic"
    if stored > end:
        raise OutOfRange(
            f"{read} ends at {end}: it was made anew or has lost messages; bring it back, or have "
            f"all of it read (what is known adds nothing): {go_on}"
        )
    if stored < first:
        raise OutOfRange(
            f"{read} begins at {first}: what is between was deleted unread; send that again, then "
            f"have the rest read: {go_on}"
        )
