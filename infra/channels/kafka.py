"""The way out to Kafka: messages as CloudEvents, keyed by taxpayer, under their stable ids."""

from __future__ import annotations

import json
from contextlib import suppress
from threading import Lock
from time import monotonic

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from infra.kafka.topics import RECONNECT_MS, Topics, has_topic, own_topics
from services.delivery import Confirm, DeliveryFailed, Message, MessageRefused, Send, TargetAway

_SOURCE, _TYPE = "thresher", "io.thresher.{}.v1"
_TIMEOUT_SECONDS = 15
_MISSING_SECONDS = 1  # a batch for a topic that is missing asks for it once
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
        self._admin: KafkaAdminClient | None = None
        self._lock = Lock()
        self._found: set[str] = set()  # topics that are there
        self._missing_until: dict[str, float] = {}  # until when they are not looked for again

    def send(self, topic: str, key: bytes, value: bytes) -> Confirm:
        """Hands a message over; raises DeliveryFailed, TargetAway, as does what it returns."""
        if not self._servers:
            raise DeliveryFailed("THRESHER_KAFKA is not set")
        producer = None
        try:
            producer = self._made()
            self._find(topic)
            handed = producer.send(topic, key=key, value=value)
        except KafkaTimeoutError as error:
            self._found.discard(topic)
            self._find(topic)  # it went, or nobody answers: nothing is wrong with this producer
            raise self._failure(error, producer) from error
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
        if self._admin is not None:
            self._admin.close()

    def _find(self, topic: str) -> None:
        """Raises DeliveryFailed, and soon, where the topic is missing; TargetAway as all."""
        if topic in self._found:
            return
        if self._missing_until.get(topic, 0) <= monotonic():
            try:
                is_there = has_topic(self._asked(), topic)
            except (KafkaError, OSError, ValueError) as error:
                raise self._failure(error, None) from error
            if is_there:
                self._found.add(topic)
                return
            self._missing_until[topic] = monotonic() + _MISSING_SECONDS
        raise DeliveryFailed(
            f"{self._servers} has no topic {topic}: make it, or correct the rule's channel"
        )

    def _asked(self) -> KafkaAdminClient:
        """Who is asked for topics, made once a producer was and kept: that of kafka-python 3.0.12
        leaves a thread behind each time it is made in vain."""
        with self._lock:
            if self._admin is None:
                timeout_ms = _LIMITS["request_timeout_ms"]
                self._admin = KafkaAdminClient(
                    bootstrap_servers=self._servers, bootstrap_timeout_ms=timeout_ms,
                    request_timeout_ms=timeout_ms, reconnect_backoff_max_ms=RECONNECT_MS,
                )  # fmt: skip
            return self._admin

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
        is_forbidden = isinstance(error, TopicAuthorizationFailedError)
        return DeliveryFailed(told) if is_forbidden else TargetAway(told)

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


def kafka_channel(sender: KafkaSender, names: Topics) -> Send:
    """A channel to a topic: the target, or that of alerts; to no other of ours."""
    taken = own_topics(names)

    def send(target: str, message: Message) -> Confirm:
        if target in taken:  # of a rule of before this was checked, or of another prefix
            raise DeliveryFailed(f"topic {target} is Thresher's own: correct the rule's channel")
        body = json.loads(message.body)
        taxpayer = body["data"]["taxpayer"]
        event = cloud_event(message.key, body["type"], taxpayer, body["timestamp"], body["data"])
        return sender.send(target or names.alerts, taxpayer.encode(), event)

    return send
