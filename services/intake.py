"""Intake: how far a stream was read, kept in the transaction that keeps what was read.

The position moves by compare-and-set: of two workers that believe they own a partition, the
second to commit is refused with all that it wanted to append (fencing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from domain.errors import ThresherError
from projections.schema import Piece, insert_new
from services.ledger import Outcome
from services.tables import DEAD_LETTERS, OFFSETS


class Step(NamedTuple):
    """A move through one partition: from the first offset not yet read to the next such.

    `expected` None: from wherever it is, and never back: whoever else moves it is welcome.
    """

    topic: str
    partition: int
    expected: int | None
    next: int


class DeadLetter(NamedTuple):
    """A message that cannot be used, as it came, and why: field, reason, remedy."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    reason: str


class Intake(NamedTuple):
    """What is stored beside the facts of a batch, in their transaction."""

    steps: tuple[Step, ...]
    dead: Sequence[DeadLetter]
    recorded_at: str


_COLUMNS = tuple(DEAD_LETTERS.columns)
_PLACE = tuple(DEAD_LETTERS.primary_key.columns)
_LONG = ("key", "value", "reason")
_MOVE = "UPDATE offsets SET next = %s WHERE topic = %s AND partition = %s AND next = %s"
_REACH = "UPDATE offsets SET next = %s WHERE topic = %s AND partition = %s AND next < %s"
_BURY = """
INSERT INTO dead_letters (topic, partition, "offset", key, value, reason, recorded_at, sent_at,
                          replayed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, '', '') ON CONFLICT DO NOTHING
"""


class Moved(Protocol):
    """What a statement says that ran."""

    @property
    def rowcount(self) -> int: ...


Execute = Callable[[str, tuple[Any, ...]], Moved]
IntakeOf = Callable[[Sequence[Outcome]], Intake]


class PositionMoved(ThresherError):
    """Another worker read on from there: this one's state is stale and it must let go."""


def position(connection: Connection, topic: str, partition: int, first: int = 0) -> int:
    """The first offset of a partition that is not read yet; `first` for one that is new."""
    mine = OFFSETS.c.topic == topic, OFFSETS.c.partition == partition
    new = {"topic": topic, "partition": partition, "next": first}
    connection.execute(insert_new(connection.dialect, OFFSETS), new)
    return int(connection.execute(select(OFFSETS.c.next).where(*mine)).scalar_one())


def move(execute: Execute, intake: Intake) -> None:
    """Moves a position and keeps its dead letters, in the caller's transaction.

    `execute` runs plain SQL in it, the ledger's or that of the tables. Raises PositionMoved.
    """
    for step in intake.steps:
        place = step.topic, step.partition
        if step.expected is None:
            execute(_REACH, (step.next, *place, step.next))
        elif execute(_MOVE, (step.next, *place, step.expected)).rowcount != 1:
            raise PositionMoved(f"{step.topic}/{step.partition} is no longer at {step.expected}")
    for letter in intake.dead:
        execute(_BURY, (*letter, intake.recorded_at))


def dead_letters(
    connection: Connection, *, unsent: bool = False, limit: int | None = None,
    places: Sequence[Piece] | None = None, most: int | None = None,
) -> list[Piece]:  # fmt: skip
    """Messages that could not be used, in their order; `unsent`: not yet told to others.

    `places`: at these alone. `most`: of key, value and reason the first bytes or characters.
    """
    query = select(*_COLUMNS if most is None else _beginnings(most))
    query = query.order_by(*_PLACE).limit(limit)
    if unsent:
        query = query.where(DEAD_LETTERS.c.sent_at == "")
    if places is not None:
        named = [tuple(place[column.name] for column in _PLACE) for place in places]
        query = query.where(tuple_(*_PLACE).in_(named))
    return [dict(row._mapping) for row in connection.execute(query)]


def letter_places(connection: Connection) -> list[Piece]:
    """Where all dead letters stood, in their order, and when each was replayed."""
    query = select(*_PLACE, DEAD_LETTERS.c.replayed_at).order_by(*_PLACE)
    return [dict(row._mapping) for row in connection.execute(query)]


def _beginnings(most: int) -> list[ColumnElement[Any]]:
    """The columns, those that may be long cut: each may hold a megabyte."""
    numbers = ("1", str(most))  # as they are: what is bound is a bigint, which is not taken
    bounds: list[ColumnElement[int]] = [literal_column(each) for each in numbers]
    return [
        func.substr(column, *bounds, type_=column.type).label(column.name)
        if column.name in _LONG
        else column
        for column in _COLUMNS
    ]


def mark_letter(connection: Connection, letter: Piece, **values: Any) -> None:
    """Notes on a dead letter when it was sent or replayed."""
    same = (DEAD_LETTERS.c[name] == letter[name] for name in ("topic", "partition", "offset"))
    connection.execute(update(DEAD_LETTERS).where(*same).values(**values))
