"""Wash windows out: what facts changed of them, told in the transaction of the read models."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from projections.wash_windows import rows_of
from services.changes_out import (
    NOTHING_TOLD,
    WINDOWS,
    body_of,
    differences,
    last_told,
    row_id,
    tell,
)
from services.projector import Projector

_KEY = ("kind", "event", "account", "asset")


def tell_windows(connection: Connection, names: Collection[str], at: str) -> None:
    """Tells what differs of these taxpayers' windows from what was told last.

    `at`: UTC text. The caller owns the transaction.
    """
    now: dict[str, dict[str, str]] = {}
    for name, row in rows_of(connection, names):
        now.setdefault(name, {})[row_id(*(row[part] for part in _KEY))] = body_of(row)
    told = last_told(connection, WINDOWS, names)
    for name in sorted(now.keys() | told.keys()):
        last = told.get(name, NOTHING_TOLD)
        changes = differences(last.rows, now.get(name, {}))
        if changes:
            tell(connection, WINDOWS, name, last.number, changes, at)


def follow_windows(projector: Projector, at: str) -> None:
    """From now on they are told as facts come; and first what came while nobody listened."""
    with projector.database.reading() as connection:
        projector.telling.listen(connection, tell_windows)
    projector.tell_all(at)
