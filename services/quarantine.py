"""Quarantine: rows that could not be used, kept and listed with field, reason and remedy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from projections.schema import Piece, insert_new
from services.tables import QUARANTINE

RAW_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was refused: where it stood, what is wrong, how to mend it, and its text."""

    origin: str
    row: int
    field: str
    reason: str
    remedy: str
    raw: str


def hold(connection: Connection, taxpayer: str, bad: Iterable[BadRow], recorded_at: str) -> None:
    """Lists bad rows; the same row of the same origin is listed once."""
    for each in bad:
        identity = "\n".join((taxpayer, each.origin, str(each.row), each.raw))
        key = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        raw = each.raw.encode("utf-8", "replace").decode()[:RAW_LIMIT].replace("\0", "\ufffd")
        connection.execute(
            insert_new(connection.dialect, QUARANTINE).values(
                key=key, taxpayer=taxpayer, origin=each.origin, row=each.row, field=each.field,
                reason=each.reason, remedy=each.remedy, raw=raw, recorded_at=recorded_at,
            )
        )  # fmt: skip


def read(connection: Connection, taxpayer: str) -> list[Piece]:
    """The quarantined rows of a taxpayer, in the order of their origins."""
    query = (
        select(QUARANTINE)
        .where(QUARANTINE.c.taxpayer == taxpayer)
        .order_by(QUARANTINE.c.origin, QUARANTINE.c.row, QUARANTINE.c.key)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
