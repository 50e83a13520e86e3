"""Reads what a topic holds, as a consumer of ours would."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from kafka import KafkaConsumer

from tests.infra.outgoing import checked

_SECONDS = 60


class Read(NamedTuple):
    """A message as it came."""

    key: str
    event: dict[str, Any]


def read(bootstrap: str, topic: str, count: int, seconds: float = _SECONDS) -> list[Read]:
    """The first `count` messages of a topic, or what there is when nothing comes for so long."""
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest",
        consumer_timeout_ms=int(seconds * 1000),
    )  # fmt: skip
    found: list[Read] = []
    try:
        for record in consumer:
            found.append(Read(record.key.decode(), json.loads(record.value)))
            checked(found[-1].event)
            if len(found) == count:
                break
    finally:
        consumer.close()
    return found
