"""Up to which mark a shard's rules were asked: kept with the crossings that they made.

It moves by compare-and-set in the transaction that appends crossings or facts. So whoever takes a
shard up asks its rules at each mark that its predecessor did not settle, and at no other: no
crossing is lost or found twice, wherever the predecessor ended.
"""

from __future__ import annotations

from services.database import Database
from services.intake import Intake, Step, move, position
from services.marks import last_id

EVALUATED = "marks evaluated"


class Evaluated:
    """The position of one shard in the marks; `last`: the last mark that is settled."""

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._shard = shard
        with database.writing() as connection:
            self._next = position(connection, EVALUATED, shard, last_id(connection) + 1)

    @property
    def last(self) -> int:
        """The id of the last mark that is settled; 0 before the first."""
        return self._next - 1

    def steps(self, last: int) -> tuple[Step, ...]:
        """The move to mark `last`, for the transaction of whoever appends; none if it is there."""
        if last == self.last:
            return ()
        return (Step(EVALUATED, self._shard, self._next, last + 1),)

    def moved(self, last: int) -> None:
        """That transaction was committed."""
        self._next = last + 1

    def keep(self, last: int) -> None:
        """Moves to mark `last` in a transaction of its own; raises PositionMoved."""
        steps = self.steps(last)
        if steps:
            with self._database.writing() as connection:
                move(connection.exec_driver_sql, Intake(steps, (), ""))
            self.moved(last)
