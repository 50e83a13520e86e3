"""What the streaming edition ended with, held against the embedded edition and what was sent."""

from __future__ import annotations

import json
from typing import Any

from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from sqlalchemy import Connection, text

from infra.postgres.database import open_database
from services.intake import dead_letters
from tests.chaos.answers import Answers, answers
from tests.chaos.stream import Stream

Json = dict[str, Any]
_HEADS = text(
    "SELECT shard, count(*), min(position), max(position) FROM facts GROUP BY shard ORDER BY shard"
)


def check(stream: Stream, expected: Answers) -> Answers:
    """Nothing lost, nothing twice, every poison told, every crossing sent under one id."""
    database = open_database(stream.url)
    try:
        with database.reading() as connection:
            _check_log(connection)
            _check_dead_letters(connection, stream)
            found = answers(connection)
    finally:
        database.reader.dispose()
    differences = found.differences(expected)
    assert not differences, "\n".join(differences)
    assert _sent(stream, stream.names.alerts).keys() == expected.fired
    return found


def _check_log(connection: Connection) -> None:
    """Positions of each shard have no gap, and none is taken twice."""
    for shard, count, first, last in connection.execute(_HEADS):
        assert (first, last) == (1, count), f"shard {shard}: {count} facts from {first} to {last}"


def _check_dead_letters(connection: Connection, stream: Stream) -> None:
    kept = {
        f"{each['topic']}/{each['partition']}/{each['offset']}": each["value"]
        for each in dead_letters(connection)
    }
    assert kept == stream.poison
    told = _sent(stream, stream.names.dead_letters)
    assert told.keys() == stream.poison.keys()
    for place, value in stream.poison.items():
        assert told[place]["value"] == value.decode()


def _sent(stream: Stream, topic: str) -> dict[str, Json]:
    """The data of each message of a topic, by id: once or more, but always the same."""
    found: dict[str, Json] = {}
    reader = KafkaConsumer(
        bootstrap_servers=stream.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        places = [TopicPartition(topic, each) for each in reader.partitions_for_topic(topic) or ()]
        reader.assign(places)
        ends = reader.end_offsets(places)
        while any(reader.position(place) < end for place, end in ends.items()):
            for records in reader.poll(timeout_ms=200).values():
                for record in records:
                    event = json.loads(record.value)
                    assert found.setdefault(event["id"], event["data"]) == event["data"]
    finally:
        reader.close()
    return found
