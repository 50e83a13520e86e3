"""Read models: alert rules in force, and every alert with when it fired and re-armed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Integer, Table, Text, bindparam, select, update
from sqlalchemy import delete as delete_from

from domain.decisions import (
    AlertAcknowledged,
    AlertFired,
    AlertRearmed,
    AlertRuleRemoved,
    AlertRuleSet,
    AlertSnoozed,
)
from domain.facts import Fact
from projections.schema import (
    METADATA,
    Piece,
    Projection,
    having,
    insert,
    insert_once,
    parts,
    pieces,
    rows,
    text,
)

ALERT_RULES = Projection(
    "alert_rules",
    3,
    Table(
        "alert_rules_v3",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        *text("scope", "metric", "threshold", "rearm_ratio", "channels", "since"),
        *text("severity", "quiet", "snoozed_until", "amount"),
        Column("cooldown_seconds", Integer, nullable=False),
        Column("dwell_seconds", Integer, nullable=False),
        *text("digest"),
    ),
)
ALERTS = Projection(
    "alerts",
    3,
    Table(
        "alerts_v3",
        METADATA,
        Column("taxpayer", Text, primary_key=True),
        Column("rule", Text, primary_key=True),
        Column("crossing", Integer, primary_key=True),
        *text(
            "key",
            "scope",
            "metric",
            "threshold",
            "value",
            "tax_saved",
            "fired_at",
            "recorded_at",
            "rearmed_at",
            "rearm_recorded_at",
            "acknowledged_at",
            "ack_recorded_at",
            "evidence",
        ),
    ),
)
TIMES = ("snoozed_until", "quiet", "digest")
# Built once: a statement that is built anew takes longer than it runs.
_MOST = 2**31 - 1  # that a column holds: earlier versions checked no cooldown
_TIMES = select(*(ALERT_RULES.table.c[name] for name in TIMES)).where(
    ALERT_RULES.table.c.taxpayer == bindparam("taxpayer"),
    ALERT_RULES.table.c.name == bindparam("name"),
)
_CROSSING = update(ALERTS.table).where(  # what it sets is what it is given
    ALERTS.table.c.taxpayer == bindparam("of"),
    ALERTS.table.c.rule == bindparam("name"),
    ALERTS.table.c.crossing == bindparam("number"),
)

_INNER = ("taxpayer", "rearm_recorded_at", "ack_recorded_at")


def crossing_key(taxpayer: str, rule: str, crossing: int | str) -> str:
    """The one stable key of a crossing: what every delivery of it is called."""
    return f"{taxpayer}/{rule}/{crossing}"


def apply(connection: Connection, taxpayer: str, fact: Fact, recorded_at: str) -> None:
    """Folds one fact about rules or alerts into the tables."""
    if isinstance(fact, AlertRuleSet | AlertRuleRemoved):
        _set_rule(connection, taxpayer, fact, recorded_at)
    elif isinstance(fact, AlertFired):
        # The first fact of a crossing counts; no log can stop the projection.
        insert_once(connection, ALERTS.table, [_fired(taxpayer, fact, recorded_at)])
    elif isinstance(fact, AlertRearmed):
        later = {"rearmed_at": fact.effective_at, "rearm_recorded_at": recorded_at}
        _update(connection, taxpayer, fact, later)
    elif isinstance(fact, AlertAcknowledged):
        later = {"acknowledged_at": fact.effective_at, "ack_recorded_at": recorded_at}
        _update(connection, taxpayer, fact, later)
    elif isinstance(fact, AlertSnoozed):
        table = ALERT_RULES.table
        mine = (table.c.taxpayer == taxpayer) & (table.c.name == fact.rule)
        connection.execute(update(table).where(mine).values(snoozed_until=fact.until))


def _set_rule(
    connection: Connection, taxpayer: str, fact: AlertRuleSet | AlertRuleRemoved, recorded_at: str
) -> None:
    """A rule that is set again is replaced; it stays snoozed."""
    table = ALERT_RULES.table
    mine = (table.c.taxpayer == taxpayer) & (table.c.name == fact.name)
    snoozed = connection.scalar(select(table.c.snoozed_until).where(mine))
    connection.execute(delete_from(table).where(mine))
    if isinstance(fact, AlertRuleSet):
        row = (
            taxpayer,
            fact.name,
            fact.scope,
            fact.metric,
            fact.threshold,
            fact.rearm_ratio,
            " ".join(fact.channels),
            recorded_at,
            fact.severity,
            fact.quiet,
            snoozed or "",
            fact.amount,
            min(fact.cooldown_seconds, _MOST),
            fact.dwell_seconds,
            fact.digest,
        )
        insert(connection, table, [row])


def _update(
    connection: Connection,
    taxpayer: str,
    fact: AlertRearmed | AlertAcknowledged,
    later: dict[str, str],
) -> None:
    of_crossing = {"of": taxpayer, "name": fact.rule, "number": fact.crossing}
    connection.execute(_CROSSING, of_crossing | later)


def rules(connection: Connection, taxpayer: str | None = None) -> list[Piece]:
    """The rules in force, of one taxpayer or of all."""
    table = ALERT_RULES.table
    if taxpayer is not None:
        return pieces(connection, table, taxpayer)
    query = select(table).order_by(*table.primary_key.columns)
    return [dict(row._mapping) for row in connection.execute(query)]


def rules_of(connection: Connection, taxpayers: Sequence[str]) -> dict[str, dict[str, Piece]]:
    """The rules in force of some taxpayers, by taxpayer and name."""
    table = ALERT_RULES.table
    found: dict[str, dict[str, Piece]] = {}
    for some in parts(taxpayers):
        mine = table.c.taxpayer.in_(some)
        query = select(table).where(mine).order_by(*table.primary_key.columns)
        for row in connection.execute(query):
            found.setdefault(row.taxpayer, {})[row.name] = dict(row._mapping)
    return found


def times(connection: Connection, taxpayer: str, name: str) -> Piece:
    """When notices of a rule go out; all empty for one that is removed meanwhile."""
    found = rows(connection, _TIMES, taxpayer=taxpayer, name=name)
    return dict(zip(TIMES, found[0] if found else [""] * len(TIMES), strict=True))


def taxpayers(connection: Connection, names: Collection[str]) -> set[str]:
    """Who of these has alerts."""
    return having(connection, ALERTS.table, names)


def read(
    connection: Connection, taxpayer: str, as_of: str = "9999-12-31", known_at: str = "~"
) -> list[Piece]:
    """The alerts of a taxpayer up to a day, as then known, oldest first, with their evidence."""
    last = f"{as_of}T~"
    found = []
    for each in pieces(connection, ALERTS.table, taxpayer):
        if each["fired_at"] > last or each["recorded_at"] > known_at:
            continue
        if each["rearmed_at"] > last or each["rearm_recorded_at"] > known_at:
            each["rearmed_at"] = ""
        if each["acknowledged_at"] > last or each["ack_recorded_at"] > known_at:
            each["acknowledged_at"] = ""
        each["state"] = _state(each)
        shown = {name: each[name] for name in each if name not in _INNER}
        found.append(shown | {"evidence": msgspec.json.decode(each["evidence"])})
    found.sort(key=lambda each: (each["fired_at"], each["rule"], each["crossing"]))
    return found


def _state(alert: Piece) -> str:
    if alert["rearmed_at"]:
        return "cleared"
    return "acknowledged" if alert["acknowledged_at"] else "firing"


def _fired(taxpayer: str, fact: AlertFired, recorded_at: str) -> tuple[Any, ...]:
    evidence = {"position": fact.position, "marks": fact.marks, "lots": fact.lots,
                "dates": fact.dates}  # fmt: skip
    if fact.pending_since:
        evidence |= {"pending_since": fact.pending_since}
    return (
        taxpayer,
        fact.rule,
        fact.crossing,
        crossing_key(taxpayer, fact.rule, fact.crossing),
        fact.scope,
        fact.metric,
        fact.threshold,
        fact.value,
        fact.tax_saved,
        fact.effective_at,
        recorded_at,
        "",
        "",
        "",
        "",
        msgspec.json.encode(evidence).decode(),
    )
