"""Digests: notices that wait in the outbox and go out together, one message a channel.

A notice of a rule with a digest enters the outbox as WAITING, due at the next digest time. When
that is over, all that is due for a taxpayer and channel becomes one message, another row of the
outbox, in one transaction: from then on its key and body stay, over retries and restarts, and
what fires later is in the next one. A digest is called after the first crossing that it lists:
each crossing is in one digest a channel, so no two digests have the same key.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select, update

from domain.days import sortable_instant
from projections.schema import Piece
from services.database import Database
from services.tables import OUTBOX

WAITING = "waits for its digest"
PREFIX = "digest:"
DIGEST = "alert.digest"
EVIDENCE = ("marks", "lots")


def compose(database: Database, channel: str, now: datetime) -> None:
    """Makes one message a taxpayer of all that waits for a digest of a channel, and is due."""
    at = sortable_instant(now)
    with database.writing() as connection:
        rows = [dict(row._mapping) for row in connection.execute(_due(channel, at))]
        for _, group in groupby(rows, lambda row: row["taxpayer"]):
            _put_together(connection, list(group), at)


def _due(channel: str, at: str) -> Select[Any]:
    return (
        select(OUTBOX)
        .where(OUTBOX.c.channel == channel, OUTBOX.c.sent_at == WAITING, OUTBOX.c.due_at <= at)
        .order_by(OUTBOX.c.taxpayer, OUTBOX.c.number)
        .with_for_update()  # against an acknowledgement that comes meanwhile
    )


def _put_together(connection: Connection, rows: list[Piece], at: str) -> None:
    """Rows of one taxpayer and channel, oldest first."""
    first = rows[0]
    key = PREFIX + first["key"]
    connection.execute(
        OUTBOX.insert().values(
            key=key,
            channel=first["channel"],
            taxpayer=first["taxpayer"],
            payload=_body(key, first["taxpayer"], rows, at),
            created_at=at,
            due_at=at,
            attempts=0,
            sent_at="",
            last_error="",
        )
    )
    for row in rows:
        connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.key == row["key"], OUTBOX.c.channel == row["channel"])
            .values(sent_at=key)
        )


def _body(key: str, taxpayer: str, rows: list[Piece], at: str) -> str:
    """The messages of the crossings without their marks and lots: `thresher explain` has those."""
    alerts = [msgspec.json.decode(row["payload"]) for row in rows]
    for alert in alerts:
        alert["data"] = {
            name: alert["data"][name] for name in alert["data"] if name not in EVIDENCE
        }
    data = {"key": key, "taxpayer": taxpayer, "count": len(alerts), "alerts": alerts}
    return msgspec.json.encode({"type": DIGEST, "timestamp": at, "data": data}).decode()
