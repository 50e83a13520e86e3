"""Shards: a taxpayer's facts are in the log whose number Kafka's partitioner gives its name."""

from __future__ import annotations

from functools import lru_cache

from kafka.partitioner.default import murmur2
from sqlalchemy import Connection, text

from domain.errors import ThresherError

MOST = 1_024


class WrongShards(ThresherError):
    """So many shards cannot be had, or not any more."""


@lru_cache(maxsize=100_000)  # asked for each message, and murmur2 is plain Python
def shard_of(taxpayer: str, shards: int) -> int:
    """The shard, from 0, that holds a taxpayer; the same as the partition of its messages."""
    hashed: int = murmur2(taxpayer.encode())
    return (hashed & 0x7FFFFFFF) % shards


def count(connection: Connection) -> int:
    """How many shards the database has."""
    return int(connection.execute(text("SELECT count(*) FROM heads")).scalar_one())


def make(connection: Connection, shards: int) -> None:
    """Gives an empty database so many; raises WrongShards if there are facts, or too many."""
    if not 1 <= shards <= MOST:
        raise WrongShards(f"{shards} shards: from 1 to {MOST} can be had")
    known = count(connection)
    if shards == known:
        return
    if connection.execute(text("SELECT 1 FROM facts LIMIT 1")).first() is not None:
        raise WrongShards(
            f"the log has {known} shards and holds facts: to have {shards}, migrate an empty "
            "database and replay the topic of facts into it"
        )
    connection.execute(text("DELETE FROM heads WHERE shard >= :shards"), {"shards": shards})
    if shards < known:
        return
    connection.execute(
        text("INSERT INTO heads VALUES (:shard, 0)"),
        [{"shard": number} for number in range(known, shards)],
    )
