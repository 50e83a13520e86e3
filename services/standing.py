"""Where a store stands: how far each partition is projected, and what waits to be dealt with.

Numbers for those who run the service: no amounts, and of names only those of read models.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, TextClause, func, select, text
from sqlalchemy import literal as value

from domain.days import sortable_instant
from domain.fact_codec import decode
from projections.data_issues import DATA_ISSUES
from projections.schema import CHECKPOINTS
from services.digests import WAITING
from services.held_marks import count_held
from services.progress import DELIVERY, READ_MODELS, checkpoint_name
from services.projector import VERSION
from services.sending import GIVEN_UP
from services.tables import DEAD_LETTERS, OUTBOX, QUARANTINE

_HEADS = text("SELECT shard, position FROM heads ORDER BY shard")
_FACT = text("SELECT topic, state FROM facts WHERE shard = :shard AND position = :position")
# A file holds one log: partition 0.
_HEADS_OF_FILE = text("SELECT 0, coalesce(max(position), 0) FROM facts")
_FACT_OF_FILE = text("SELECT topic, state FROM facts WHERE position = :position")


class Partition(NamedTuple):
    """One log and its read models. Positions count facts from 1; 0 is before the first.

    `delivered` is how far alerts entered the outbox: read models behind it are being rebuilt.
    `waiting_seconds`: since when the first fact that is not projected was recorded; 0: none waits.
    """

    number: int
    head: int
    position: int
    delivered: int
    waiting_seconds: float

    @property
    def lag(self) -> int:
        """Facts that are not projected yet."""
        return self.head - self.position

    @property
    def rebuilt(self) -> float:
        """How much of what was projected once is there again: 1 unless a rebuild is going on."""
        return min(1.0, self.position / self.delivered) if self.delivered else 1.0


class Backlog(NamedTuple):
    """What waits. Counts of rows; `outbox_seconds` since the oldest delivery was due, 0: none is.

    `issues`: data issues by (code, held out of totals). `dead_letters`: not sent again yet; None
    on a file, which reads no streams.
    """

    outbox_pending: int
    outbox_seconds: float
    given_up: int
    issues: dict[tuple[str, bool], int]
    quarantined: int
    held_marks: int
    dead_letters: int | None


def partitions(connection: Connection, now: datetime) -> list[Partition]:
    """Each partition at the instant `now` (with a zone), in their order."""
    heads, fact = (_HEADS, _FACT) if _is_server(connection) else (_HEADS_OF_FILE, _FACT_OF_FILE)
    found = [(int(number), int(head)) for number, head in connection.execute(heads)]
    read, delivered = (_checkpoints(connection, name, found) for name in (READ_MODELS, DELIVERY))
    return [
        Partition(
            number, head, read[number], delivered[number],
            _since_first(connection, fact, number, read[number], now) if head > read[number] else 0,
        )
        for number, head in found
    ]  # fmt: skip


def backlog(connection: Connection, now: datetime) -> Backlog:
    """What waits at the instant `now` (with a zone)."""
    unsent = OUTBOX.c.sent_at.in_(("", WAITING))
    due = func.min(OUTBOX.c.due_at).filter(OUTBOX.c.due_at <= sortable_instant(now))
    pending, oldest = connection.execute(select(func.count(), due).where(unsent)).one()
    issues = DATA_ISSUES.table.c
    by_code = select(issues.code, issues.blocking, func.count()).group_by(
        issues.code, issues.blocking
    )
    letters = select(func.count()).select_from(DEAD_LETTERS).where(DEAD_LETTERS.c.replayed_at == "")
    given_up = select(func.count()).select_from(OUTBOX).where(OUTBOX.c.sent_at == GIVEN_UP)
    return Backlog(
        outbox_pending=pending,
        outbox_seconds=_seconds_since(oldest, now) if oldest else 0,
        given_up=connection.execute(given_up).scalar_one(),
        issues={(code, bool(held_out)): n for code, held_out, n in connection.execute(by_code)},
        quarantined=connection.execute(
            select(func.count()).select_from(QUARANTINE)
        ).scalar_one(),
        held_marks=count_held(connection),
        dead_letters=connection.execute(letters).scalar_one() if _is_server(connection) else None,
    )  # fmt: skip


def _checkpoints(connection: Connection, name: str, heads: list[tuple[int, int]]) -> dict[int, int]:
    """Positions by partition; 0 where nothing of this version was projected."""
    numbers = {checkpoint_name(name, number): number for number, _ in heads}
    known = CHECKPOINTS.c
    query = select(known.projection, known.position).where(known.projection.in_(numbers))
    if name == READ_MODELS:
        query = query.where(known.version == value(VERSION))
    positions = dict.fromkeys(numbers.values(), 0)
    for projection, position in connection.execute(query):
        positions[numbers[projection]] = position
    return positions


def _since_first(
    connection: Connection, fact: TextClause, shard: int, position: int, now: datetime
) -> float:
    place = {"position": position + 1} | ({"shard": shard} if fact is _FACT else {})
    topic, state = connection.execute(fact, place).one()
    return _seconds_since(decode(topic, bytes(state)).recorded_at, now)


def _seconds_since(instant: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(instant)).total_seconds())


def _is_server(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
