"""The topics: what they are called, and how they are made."""

from __future__ import annotations

import re
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import (
    InvalidTopicError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from domain.errors import ThresherError

BOOTSTRAP_MS = 10_000
RECONNECT_MS = 1_000  # at most between two tries, so a broker that is back is soon found
_NOT_THERE = (UnknownTopicOrPartitionError, InvalidTopicError, TopicAuthorizationFailedError)
_SAID = re.compile(r"error_message='([^']+)'")


class NoBroker(ThresherError):
    """Kafka does not answer, or refuses."""


class Topics(NamedTuple):
    """Names under one prefix. Marks are keyed by asset, dead letters as they came, all others by
    taxpayer."""

    facts: str
    marks: str
    alerts: str
    dead_letters: str
    opportunities: str
    windows: str


def topics(prefix: str) -> Topics:
    """The names under a prefix."""
    return Topics(*(f"{prefix}.{name.replace('_', '-')}" for name in Topics._fields))


def configs_of(names: Topics) -> dict[str, dict[str, str]]:
    """What is set of each topic."""
    for_good = {"retention.ms": "-1"}
    return {
        names.facts: for_good,
        names.marks: {"cleanup.policy": "compact"},
        names.alerts: for_good,
        names.dead_letters: for_good,
        names.opportunities: {},
        names.windows: {},
    }


def make_topics(servers: str, names: Topics, replicas: int, partitions: int = 1) -> list[str]:
    """Makes those that are not there; returns their names. Raises NoBroker.

    Facts have a partition a shard of the database. Marks have one: their order is the order in
    which they count. The latest mark of an asset is kept for good, and so is every fact.
    Changes are kept as long as the broker keeps what nobody says otherwise of.
    """
    try:
        admin = KafkaAdminClient(bootstrap_servers=servers, bootstrap_timeout_ms=BOOTSTRAP_MS)
    except (KafkaError, OSError) as error:
        raise NoBroker(f"{servers}: {error}") from error
    try:
        known = set(admin.list_topics())
        made = {
            name: {
                "num_partitions": 1 if name == names.marks else partitions,
                "replication_factor": replicas,
                "configs": config,
            }
            for name, config in configs_of(names).items()
            if name not in known
        }
        if made:
            admin.create_topics(made, wait_for_metadata=True)
    except KafkaError as error:
        raise NoBroker(f"{servers}: {reason_of(error)}") from error
    finally:
        admin.close()
    return sorted(made)


def has_topic(admin: KafkaAdminClient, topic: str) -> bool:
    """Whether a topic is there, for us. Raises KafkaError, OSError where nobody answers.

    A producer that is asked for a missing one waits all its time, and then goes on asking.
    """
    (found,) = admin.describe_topics([topic])
    return for_code(found["error_code"]) not in _NOT_THERE


def own_topics(names: Topics) -> frozenset[str]:
    """Those that alerts must not go to: what is on them is read, or is of another kind."""
    return frozenset(names) - {names.alerts}


def reason_of(error: KafkaError) -> str:
    """What the broker says against a request, without the request and the rest of its answer."""
    said = _SAID.search(str(error))
    return f"{type(error).__name__}: {said[1]}" if said else str(error)
