"""What an edition ended with, so that two can be compared: facts, crossings, read models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, select, text

from domain.fact_codec import decode
from projections.schema import digest
from services.read_models import PROJECTIONS

_WHEN_ASKED = "opportunities"  # computed as of a day
# What says when the machine learned of something, or at which position of its log.
_OF_THE_RUN = {
    "alerts": {"recorded_at", "rearm_recorded_at", "ack_recorded_at", "evidence"},
    "alert_pending": {"recorded_at", "end_recorded_at", "evidence"},
}
_OF_RULES = ("alert_fired", "alert_rearmed", "alert_pending", "alert_lapsed")
_SHOWN = 5
Version = tuple[str, int]
Json = dict[str, Any]


class Answers(NamedTuple):
    """Everything that must be equal, whoever took the messages in and however often it died.

    `facts`: the hash of each version of each stream. `crossings`: the facts that rules made, but
    for the position of the log that was valued. `tables`: a digest of each read model.
    """

    facts: Mapping[Version, str]
    crossings: Mapping[Version, Json]
    tables: Mapping[str, str]

    def differences(self, expected: Answers) -> list[str]:
        """What is missing, too much or other here, as lines to read; none: all is the same."""
        pairs: tuple[tuple[str, Mapping[Any, Any], Mapping[Any, Any]], ...] = (
            ("fact", self.facts, expected.facts),
            ("crossing", self.crossings, expected.crossings),
            ("read model", self.tables, expected.tables),
        )
        return [line for what, mine, theirs in pairs for line in _differing(what, mine, theirs)]

    @property
    def fired(self) -> set[str]:
        """The keys under which crossings are sent."""
        return {
            f"{stream.partition(':')[0]}/{fact['rule']}/{fact['crossing']}"
            for (stream, _), fact in self.crossings.items()
            if ":alert/" in stream
        }


def answers(connection: Connection) -> Answers:
    """Reads them from a database of either edition."""
    facts: dict[Version, str] = {}
    crossings: dict[Version, Json] = {}
    log = text("SELECT originator_id, originator_version, topic, state FROM facts")
    for stream, version, topic, state in connection.execute(log):
        recorded = decode(topic, bytes(state))
        if topic.partition(".")[0] in _OF_RULES:
            crossings[stream, version] = msgspec.to_builtins(recorded.fact) | {"position": None}
        else:
            facts[stream, version] = recorded.evidence.payload_sha256
    tables = {
        each.name: _digest(connection, each.table, _OF_THE_RUN.get(each.name, set()))
        for each in PROJECTIONS
        if each.name != _WHEN_ASKED
    }
    return Answers(facts, crossings, tables)


def _digest(connection: Connection, table: Table, without: set[str]) -> str:
    if not without:
        return digest(connection, table)
    columns = [column for column in table.c if column.name not in without]
    rows = connection.execute(select(*columns).order_by(*table.primary_key.columns))
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


def _differing(what: str, mine: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> Iterator[str]:
    ways = (
        ("missing", theirs.keys() - mine.keys()),
        ("too much", mine.keys() - theirs.keys()),
        ("other", {key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key]}),
    )
    for how, keys in ways:
        for key in sorted(keys)[:_SHOWN]:
            yield f"{what} {how}: {key}: {mine.get(key)} instead of {theirs.get(key)}"
        if len(keys) > _SHOWN:
            yield f"{what} {how}: {len(keys)} in all"
