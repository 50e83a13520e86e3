"""Publishing opportunities: what changed of everybody's goes to the outbox.

For a process of its own, which follows what others store: an alert never waits for it. Taxpayers
are looked at in a ring, each once a second at most and each time as it is then, so that what it
does in a second is bounded however many prices move; it works half of the time at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from domain.days import sortable_instant
from projections.schema import Piece
from services.changes_out import (
    CHANGED,
    GONE,
    NOTHING_TOLD,
    OPEN,
    OPPORTUNITIES,
    Change,
    body_of,
    last_told,
    row_id,
    tell,
)
from services.database import Clock
from services.live.changes import Opportunities, RowKey, key_of
from services.projector import Projector

EVERY = timedelta(seconds=1)
SLICE = timedelta(milliseconds=50)
AT_ONCE = 500  # rows of one transaction: others write to the same tables


class Publisher:
    """Follows the opportunities of every taxpayer of these projectors, which are its own.

    `step` does what is due.
    """

    def __init__(self, projectors: Sequence[Projector], clock: Clock) -> None:
        self._projectors = projectors
        self._clock = clock
        self._home: dict[str, Projector] = {}
        for projector in projectors:
            projector.changed |= set(projector.ledger.taxpayers())
        self._ring: deque[str] = deque()
        self._began = self._rests_until = datetime.min.replace(tzinfo=clock().tzinfo)
        self._followed: dict[str, Opportunities] = {}
        self._last: dict[str, int] = {}

    def step(self) -> int:
        """Goes on in the ring for a slice if it is time; returns how many changes it told."""
        start = now = self._clock()
        if start < self._rests_until:
            return 0
        told = 0
        while self._has_next(start) and now - start <= SLICE:
            name = self._ring.popleft()
            changes, at = self._changes(name, sortable_instant(now)), sortable_instant(now)
            for first in range(0, len(changes), AT_ONCE):
                told += self._tell(name, changes[first : first + AT_ONCE], at)
            now = self._clock()
        self._rests_until = now + (now - start)
        return told

    def close(self) -> None:
        """Gives the connections of the logs back."""
        for projector in self._projectors:
            projector.ledger.close()

    def _has_next(self, now: datetime) -> bool:
        """Whether somebody is left in the ring; it begins anew once a second."""
        if not self._ring and now - self._began >= EVERY:
            self._began = now
            self._catch_up()
            self._ring.extend(sorted(self._home))
        return bool(self._ring)

    def _catch_up(self) -> None:
        """Takes up what others stored. Marks are those of all: one board serves every shard."""
        board = self._projectors[0].board
        for projector in self._projectors:
            projector.follow()
            self._home |= dict.fromkeys(projector.changed, projector)
            projector.changed = set()
            projector.board = board
        with self._projectors[0].database.reading() as connection:
            board.follow_tokens(connection)
            board.follow(connection)

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
        projector = self._home[name]
        with projector.database.reading() as connection:
            last = last_told(connection, OPPORTUNITIES, [name]).get(name, NOTHING_TOLD)
        rows: dict[RowKey, Piece] = {}
        for body in last.rows.values():
            row = msgspec.json.decode(body)
            rows[key_of(row)] = row
        self._last[name] = last.number
        self._followed[name] = Opportunities(projector, name, rows)
        return self._followed[name]

    def _tell(self, name: str, changes: Sequence[Change], at: str) -> int:
        with self._home[name].database.writing() as connection:
            number = tell(connection, OPPORTUNITIES, name, self._last[name], changes, at)
        if number is None:  # another process told of it: it is looked at anew next time
            self._followed.pop(name, None)
            return 0
        self._last[name] = number
        return len(changes)
