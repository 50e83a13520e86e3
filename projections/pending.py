"""Read model: every wait of a rule with dwell, from reaching its threshold to how it ended."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Table,
    Text,
    bindparam,
    func,
    select,
    tuple_,
    update,
)

from domain.days import seconds_after
from domain.decisions import AlertFired, AlertLapsed, AlertPending, AlertRuleRemoved, AlertRuleSet
from domain.facts import Fact
from projections.schema import METADATA, Piece, Projection, having, insert_new, pieces, text

ALERT_PENDING = Projection(
    "alert_pending",
    1,
    Table(
        "alert_pending_v1",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("rule", Text, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("crossing", Integer, nullable=False),
        *text("scope", "metric", "threshold", "value", "since", "until", "recorded_at"),
        *text("ended_at", "end_recorded_at", "evidence"),
    ),
)
_INNER = ("taxpayer", "ended_at", "end_recorded_at")
_P = ALERT_PENDING.table.c
# Built once: a statement that is built anew takes longer than it runs. It sets what it is given.
_END = update(ALERT_PENDING.table).where(
    _P.taxpayer == bindparam("of"), _P.rule == bindparam("name"), _P.ended_at == ""
)


def apply(connection: Connection, taxpayer: str, fact: Fact, recorded_at: str) -> None:
    """Folds one fact into the table: a rule that fires, or is set anew, is pending no longer."""
    if isinstance(fact, AlertPending):
        _start(connection, taxpayer, fact, recorded_at)
    elif isinstance(fact, AlertFired) and not fact.pending_since:
        return  # it did not wait
    elif isinstance(fact, AlertFired | AlertLapsed):
        _end(connection, taxpayer, fact.rule, fact.effective_at, recorded_at)
    elif isinstance(fact, AlertRuleSet | AlertRuleRemoved):
        _end(connection, taxpayer, fact.name, fact.effective_at, recorded_at)


def _start(connection: Connection, taxpayer: str, fact: AlertPending, recorded_at: str) -> None:
    evidence = {"position": fact.position, "marks": fact.marks}
    connection.execute(
        insert_new(connection.dialect, ALERT_PENDING.table).values(
            taxpayer=taxpayer,
            rule=fact.rule,
            number=fact.number,
            crossing=fact.crossing,
            scope=fact.scope,
            metric=fact.metric,
            threshold=fact.threshold,
            value=fact.value,
            since=fact.effective_at,
            until=seconds_after(fact.effective_at, fact.dwell_seconds),
            recorded_at=recorded_at,
            ended_at="",
            end_recorded_at="",
            evidence=msgspec.json.encode(evidence).decode(),
        )
    )


def _end(connection: Connection, taxpayer: str, rule: str, at: str, recorded_at: str) -> None:
    connection.execute(
        _END,
        {"of": taxpayer, "name": rule, "ended_at": at, "end_recorded_at": recorded_at},
    )


def taxpayers(connection: Connection, names: Collection[str]) -> set[str]:
    """Whose rules, of these, have waited."""
    return having(connection, ALERT_PENDING.table, names)


def latest(connection: Connection, taxpayer: str) -> list[Piece]:
    """The last wait of each rule of a taxpayer; `ended_at` is empty while it is pending."""
    table = ALERT_PENDING.table
    last = (
        select(table.c.rule, func.max(table.c.number))
        .where(table.c.taxpayer == taxpayer)
        .group_by(table.c.rule)
    )
    key = tuple_(table.c.rule, table.c.number)
    query = select(table).where(table.c.taxpayer == taxpayer, key.in_(last))
    return [dict(row._mapping) for row in connection.execute(query)]


def read(
    connection: Connection, taxpayer: str, as_of: str = "9999-12-31", known_at: str = "~"
) -> list[Piece]:
    """What was pending at the end of a day, as then known, oldest first, with its evidence."""
    last = f"{as_of}T~"
    found = []
    for each in pieces(connection, ALERT_PENDING.table, taxpayer):
        if each["since"] > last or each["recorded_at"] > known_at:
            continue
        if each["ended_at"] and each["ended_at"] <= last and each["end_recorded_at"] <= known_at:
            continue
        shown = {name: each[name] for name in each if name not in _INNER}
        found.append(shown | {"evidence": msgspec.json.decode(each["evidence"])})
    found.sort(key=lambda each: (each["since"], each["rule"]))
    return found
