"""The least that a consumer must do: what it polls is copied into a table, with its position.

`python -m benchmarks.stream_copy URL BROKER TOPIC COUNT` prints the seconds that took.
"""

from __future__ import annotations

import sys
import time

import psycopg
from kafka import KafkaConsumer, TopicPartition

from infra.kafka.consumer import FETCHED

_TABLES = """
CREATE TABLE copied (partition bigint, "offset" bigint, key bytea, value bytea);
CREATE TABLE copied_to (partition bigint PRIMARY KEY, next bigint)
"""
_COPY = 'COPY copied (partition, "offset", key, value) FROM STDIN'
_MOVE = """
INSERT INTO copied_to VALUES (%s, %s) ON CONFLICT (partition) DO UPDATE SET next = excluded.next
"""


def main(url: str, broker: str, topic: str, count: int) -> None:
    """Batches as a worker takes them, each durable before the next."""
    consumer = KafkaConsumer(
        bootstrap_servers=broker, enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed", **FETCHED,
    )  # fmt: skip
    partitions = consumer.partitions_for_topic(topic) or ()
    consumer.assign([TopicPartition(topic, number) for number in partitions])
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(_TABLES)
        start, copied = time.perf_counter(), 0
        while copied < count:
            for partition, records in consumer.poll(50).items():
                with server.transaction(), server.cursor() as cursor:
                    with cursor.copy(_COPY) as copy:
                        for each in records:
                            copy.write_row((partition.partition, each.offset, each.key, each.value))
                    server.execute(_MOVE, (partition.partition, records[-1].offset + 1))
                copied += len(records)
        print(time.perf_counter() - start)
    consumer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
