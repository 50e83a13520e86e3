"""Up to which mark a shard's rules were asked, and whose the shard is.

How far it was moves by compare-and-set in the transaction that appends crossings or facts. So
whoever takes a shard up asks its rules at each mark that its predecessor did not settle, and at no
other: no crossing is lost or found twice, wherever the predecessor ended.

Whoever takes a shard up counts on before it reads anything else (a fencing token). From then on the
predecessor, should it still be at work, is refused whatever it wants to append: it would be made of
books and marks of before.
"""

from __future__ import annotations

from sqlalchemy import bindparam, update

from services.database import Database
from services.intake import Intake, Step, move, position
from services.marks import last_id
from services.tables import OFFSETS

EVALUATED = "marks evaluated"
TAKEN_UP = "shard taken up"  # counts how often
_TAKE_UP = (
    update(OFFSETS)
    .where(OFFSETS.c.topic == TAKEN_UP, OFFSETS.c.partition == bindparam("shard"))
    .values(next=OFFSETS.c.next + 1)
    .returning(OFFSETS.c.next)
)


class Evaluated:
    """The position of one shard in the marks; `last`: the last mark that is settled.

    Making one takes the shard up.
    """

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._shard = shard
        with database.writing() as connection:
            position(connection, TAKEN_UP, shard)
            count: int = connection.execute(_TAKE_UP, {"shard": shard}).scalar_one()
            self._mine = Step(TAKEN_UP, shard, count, count)
            self._next = position(connection, EVALUATED, shard, last_id(connection) + 1)

    @property
    def last(self) -> int:
        """The id of the last mark that is settled; 0 before the first."""
        return self._next - 1

    def steps(self, last: int) -> tuple[Step, ...]:
        """For the transaction of whoever appends: that the shard is still ours, and the move to
        mark `last`."""
        if last == self.last:
            return (self._mine,)
        return self._mine, Step(EVALUATED, self._shard, self._next, last + 1)

    def moved(self, last: int) -> None:
        """That transaction was committed."""
        self._next = last + 1

    def keep(self, last: int) -> None:
        """Moves to mark `last` in a transaction of its own; raises PositionMoved."""
        if last != self.last:
            with self._database.writing() as connection:
                move(connection.exec_driver_sql, Intake(self.steps(last), (), ""))
            self.moved(last)
