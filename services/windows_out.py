"""Wash windows out: what facts changed of them, told in the transaction of the read models."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from projections.wash_windows import rows_of
from services.changes_out import WINDOWS, LastTold, body_of, differences, last_told, row_id, tell

_KEY = ("kind", "event", "account", "asset")
_NOTHING = LastTold(0, {})


def tell_windows(connection: Connection, names: Collection[str] | None, at: str) -> int:
    """Tells what differs of these taxpayers' windows (None: of all) from what was told last.

    `at`: UTC text. Returns how many changes; the caller owns the transaction.
    """
    now: dict[str, dict[str, str]] = {}
    for name, row in rows_of(connection, names):
        now.setdefault(name, {})[row_id(*(row[part] for part in _KEY))] = body_of(row)
    told = last_told(connection, WINDOWS, names)
    count = 0
    for name in sorted(now.keys() | told.keys()):
        last = told.get(name, _NOTHING)
        changes = differences(last.rows, now.get(name, {}))
        if changes:
            tell(connection, WINDOWS, name, last.number, changes, at)
            count += len(changes)
    return count
