"""Publishing opportunities: changes of everybody's go to the outbox while there is time for it.

Taxpayers are looked at in a ring, each at most once a second and each time as it is then. The
ring goes on in slices, and rests after each nine times as long as it took: so it takes a tenth of
the time at most, and an alert waits for a slice, or for one taxpayer, at most.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

import msgspec

from domain.days import sortable_instant
from projections.schema import Piece
from services.changes_out import (
    CHANGED,
    GONE,
    OPEN,
    OPPORTUNITIES,
    Change,
    LastTold,
    body_of,
    last_told,
    row_id,
    tell,
)
from services.database import Clock
from services.live.changes import Opportunities, RowKey, key_of
from services.projector import Projector

EVERY = timedelta(seconds=1)
SLICE = timedelta(milliseconds=5)
SHARE = 10  # one part in so many of the time


class Publisher:
    """Follows the opportunities of every taxpayer of a projector. `step` does what is due."""

    def __init__(self, projector: Projector, clock: Clock) -> None:
        self._projector = projector
        self._clock = clock
        self._names = set(projector.ledger.taxpayers())
        self._ring: deque[str] = deque()
        self._began = self._rests_until = datetime.min.replace(tzinfo=clock().tzinfo)
        self._followed: dict[str, Opportunities] = {}
        self._last: dict[str, int] = {}

    def step(self) -> int:
        """Goes on for a slice if it is time; returns how many changes it told."""
        start = now = self._clock()
        if start < self._rests_until:
            return 0
        found: dict[str, list[Change]] = {}
        while self._has_next(start) and now - start <= SLICE:
            name = self._ring.popleft()
            changes = self._changes(name, sortable_instant(now))
            if changes:
                found[name] = changes
            now = self._clock()
        told = self._tell(found, sortable_instant(now)) if found else 0
        now = self._clock()
        self._rests_until = now + (now - start) * (SHARE - 1)
        return told

    def _has_next(self, now: datetime) -> bool:
        """Whether somebody is left in the ring; it begins anew once a second."""
        if not self._ring and now - self._began >= EVERY:
            self._began = now
            self._names |= self._projector.taxpayers.keys()
            self._ring.extend(sorted(self._names))
        return bool(self._ring)

    def _changes(self, name: str, at: str) -> list[Change]:
        followed = self._followed.get(name) or self._follow(name)
        before = followed.rows
        return [
            Change(
                row_id(*key_of(each.row)),
                GONE if each.gone else CHANGED if key_of(each.row) in before else OPEN,
                body_of(each.row),
            )
            for each in followed.changes(at)
        ]

    def _follow(self, name: str) -> Opportunities:
        """From what was told last, by whomever."""
        with self._projector.database.reading() as connection:
            last = last_told(connection, OPPORTUNITIES, [name]).get(name, LastTold(0, {}))
        rows: dict[RowKey, Piece] = {}
        for body in last.rows.values():
            row = msgspec.json.decode(body)
            rows[key_of(row)] = row
        self._last[name] = last.number
        self._followed[name] = Opportunities(self._projector, name, rows)
        return self._followed[name]

    def _tell(self, found: dict[str, list[Change]], at: str) -> int:
        count = 0
        with self._projector.database.writing() as connection:
            for name, changes in found.items():
                number = tell(connection, OPPORTUNITIES, name, self._last[name], changes, at)
                if number is None:  # another process told of it: looked at anew next time
                    del self._followed[name]
                else:
                    self._last[name] = number
                    count += len(changes)
        return count
