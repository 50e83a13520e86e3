"""The way out to Kafka: messages as CloudEvents, keyed by taxpayer, under their stable ids."""

from __future__ import annotations

import json
from contextlib import suppress
from threading import Lock

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from infra.kafka.topics import RECONNECT_MS
from services.delivery import Confirm, DeliveryFailed, Message, MessageRefused, Send, TargetAway

_SOURCE, _TYPE = "thresher", "io.thresher.{}.v1"
_TIMEOUT_SECONDS = 15
# What could not be delivered within its time is dropped: nothing old may come after its resend.
_LIMITS = {
    "max_block_ms": _TIMEOUT_SECONDS * 1000, "delivery_timeout_ms": _TIMEOUT_SECONDS * 1000,
    "request_timeout_ms": _TIMEOUT_SECONDS * 500,
}  # fmt: skip
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


def producer_of(servers: str, **limits: int) -> KafkaProducer:
    """A producer that stores each message once, however often it has to send it."""
    return KafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=True, linger_ms=5,
        bootstrap_timeout_ms=_TIMEOUT_SECONDS * 1000,
        reconnect_backoff_max_ms=RECONNECT_MS, **limits,
    )  # fmt: skip


class KafkaSender:
    """One producer for all that leaves, made at the first message; threads may share it."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._producer: KafkaProducer | None = None
        self._lock = Lock()

    def send(self, topic: str, key: bytes, value: bytes) -> Confirm:
        """Hands a message over; raises DeliveryFailed, TargetAway, as does what it returns."""
        if not self._servers:
            raise DeliveryFailed("THRESHER_KAFKA is not set")
        producer = None
        try:
            producer = self._made()
            handed = producer.send(topic, key=key, value=value)
        except (KafkaError, OSError, ValueError) as error:
            raise self._failure(error, producer) from error

        def confirm() -> None:
            try:
                handed.get(timeout=2 * _TIMEOUT_SECONDS)  # it is over before: see _LIMITS
            except (KafkaError, OSError) as error:
                raise self._failure(error, producer) from error

        return confirm

    def close(self) -> None:
        """Gives the connection back."""
        if self._producer is not None:
            self._producer.close(_TIMEOUT_SECONDS)

    def _made(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                self._producer = producer_of(self._servers, **_LIMITS)
            return self._producer

    def _failure(self, error: Exception, producer: KafkaProducer | None) -> DeliveryFailed:
        told = f"{self._servers}: {error}"
        if isinstance(error, _TOO_LARGE):
            return MessageRefused(told)
        if isinstance(error, ValueError):
            return DeliveryFailed(told)
        if producer is not None:
            self._let_go(producer)
        return TargetAway(told)

    def _let_go(self, producer: KafkaProducer) -> None:
        """Makes way for another: once a message was lost on its way, that of kafka-python 3.0.12
        may wait for a number of its own for good. What it still has fails at once, unsent.
        """
        with self._lock:
            is_ours = self._producer is producer
            if not is_ours:
                return  # another thread did
            self._producer = None
        producer._sender.force_close()  # close() alone would first wait for what is stuck
        with suppress(KafkaError):
            producer.close(_TIMEOUT_SECONDS)


def cloud_event(
    id: str, kind: str, subject: str, time: str, data: object, source: str = _SOURCE
) -> bytes:
    """A CloudEvent 1.0 in JSON; `kind` as in `alert.fired`, `time` in UTC text."""
    event = {
        "specversion": "1.0", "id": id, "source": source, "type": _TYPE.format(kind),
        "subject": subject, "time": time, "datacontenttype": "application/json", "data": data,
    }  # fmt: skip
    return json.dumps(event, ensure_ascii=False).encode()


def kafka_channel(sender: KafkaSender, topic: str) -> Send:
    """A channel to a topic: the target, or `topic`."""

    def send(target: str, message: Message) -> Confirm:
        body = json.loads(message.body)
        taxpayer = body["data"]["taxpayer"]
        event = cloud_event(message.key, body["type"], taxpayer, body["timestamp"], body["data"])
        return sender.send(target or topic, taxpayer.encode(), event)

    return send
