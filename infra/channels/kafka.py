"""The channel to Kafka: alerts as CloudEvents, keyed by taxpayer, under their stable id."""

from __future__ import annotations

import json
from collections.abc import Callable

from kafka import KafkaProducer
from kafka.errors import KafkaError

from services.delivery import DeliveryFailed, Message

_SOURCE, _TYPE = "thresher", "io.thresher.{}.v1"
_TIMEOUT_SECONDS = 15


def producer_of(servers: str) -> KafkaProducer:
    """A producer that stores each message once, however often it has to send it."""
    return KafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=True, linger_ms=5,
        bootstrap_timeout_ms=_TIMEOUT_SECONDS * 1000,
    )  # fmt: skip


def cloud_event(
    id: str, kind: str, subject: str, time: str, data: object, source: str = _SOURCE
) -> bytes:
    """A CloudEvent 1.0 in JSON; `kind` as in `alert.fired`, `time` in UTC text."""
    event = {
        "specversion": "1.0", "id": id, "source": source, "type": _TYPE.format(kind),
        "subject": subject, "time": time, "datacontenttype": "application/json", "data": data,
    }  # fmt: skip
    return json.dumps(event, ensure_ascii=False).encode()


def kafka_channel(servers: str, topic: str) -> Callable[[str, Message], None]:
    """A channel to a topic (the target, or `topic`); connects at the first message."""
    producers: list[KafkaProducer] = []

    def send(target: str, message: Message) -> None:
        if not servers:
            raise DeliveryFailed("THRESHER_KAFKA is not set")
        body = json.loads(message.body)
        taxpayer = body["data"]["taxpayer"]
        event = cloud_event(message.key, body["type"], taxpayer, body["timestamp"], body["data"])
        try:
            if not producers:
                producers.append(producer_of(servers))
            sent = producers[0].send(target or topic, key=taxpayer.encode(), value=event)
            sent.get(timeout=_TIMEOUT_SECONDS)
        except (KafkaError, OSError) as error:
            raise DeliveryFailed(f"{servers}: {error}") from error

    return send
