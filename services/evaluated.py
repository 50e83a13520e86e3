"""Up to which mark rules were asked: of a shard, and whose the shard is; of a file.

How far it was moves by compare-and-set in the transaction that appends crossings or facts. So
whoever takes a shard up asks its rules at each mark that its predecessor did not settle, and at no
other: no crossing is lost or found twice, wherever the predecessor ended.

Whoever takes a shard up counts on before it reads anything else (a fencing token). From then on the
predecessor, should it still be at work, is refused whatever it wants to append: it would be made of
books and marks of before.

A file is nobody's alone: any process may ask its rules at any time, each in the order of the marks.
What two find they find alike, and the key of a crossing lets one in. So there is one position for
all, that never goes back, and what was asked elsewhere is not asked again.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, inspect, select, text, update

from domain.fact_codec import ALERT_TYPES
from projections.schema import drive
from services.database import Database
from services.intake import Intake, Step, move, position
from services.ledger import Ledger
from services.marks import last_id, mark_at
from services.tables import OFFSETS

EVALUATED = "marks evaluated"
TAKEN_UP = "shard taken up"  # counts how often
_TAKE_UP = (
    update(OFFSETS)
    .where(OFFSETS.c.topic == TAKEN_UP, OFFSETS.c.partition == bindparam("shard"))
    .values(next=OFFSETS.c.next + 1)
    .returning(OFFSETS.c.next)
)
# Plain text: each batch of marks runs one of them.
_LOOK = f"SELECT next FROM offsets WHERE topic = '{EVALUATED}' AND partition = 0"
_KEEP = (
    f"UPDATE offsets SET next = max(next, ?) WHERE topic = '{EVALUATED}' AND partition = 0 "
    "RETURNING next"
)


def is_of_workers(connection: Connection) -> bool:
    """Whether workers fire here, at work now or not: some shard was taken up. On a server only."""
    query = select(OFFSETS.c.next).where(OFFSETS.c.topic == TAKEN_UP).limit(1)
    return connection.execute(query).first() is not None


class Evaluated:
    """Of who asks rules for himself alone, as a replay does: nothing is kept."""

    def steps(self, last: int) -> tuple[Step, ...]:
        """For the transaction of whoever appends: all up to mark `last` is settled by it."""
        return ()

    def moved(self, last: int) -> None:
        """That transaction was committed."""

    def keep(self, last: int) -> None:
        """Moves to mark `last` in a transaction of its own; raises PositionMoved."""

    def keep_in(self, connection: Connection, last: int) -> int:
        """The same in another's; returns the last mark that is settled, by whichever process."""
        return last

    def look_in(self, connection: Connection) -> int:
        """The last mark that is settled, by whichever process, as far as it is kept; else 0."""
        return 0

    def look(self) -> int:
        """The same, now."""
        return 0


class EvaluatedOfShard(Evaluated):
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
                self.keep_in(connection, last)

    def keep_in(self, connection: Connection, last: int) -> int:
        """The same in another's; returns `last`."""
        move(connection.exec_driver_sql, Intake(self.steps(last), (), ""))
        self.moved(last)
        return last


class EvaluatedOfFile(Evaluated):
    """The position of a file in the marks; `last`: the last mark that is settled, as far as known.

    A file that has none yet has no mark that waits.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as connection:
            is_there = inspect(connection).has_table(OFFSETS.name)
            first: int | None = connection.scalar(text(_LOOK)) if is_there else None
        if first is None:
            with database.writing() as connection:
                OFFSETS.create(connection, checkfirst=True)
                first = position(connection, EVALUATED, 0, last_id(connection) + 1)
        self.last = first - 1

    def steps(self, last: int) -> tuple[Step, ...]:
        """For the transaction of whoever appends crossings: all up to mark `last` is settled."""
        return (Step(EVALUATED, 0, None, last + 1),)

    def moved(self, last: int) -> None:
        """That transaction was committed."""
        self.last = max(self.last, last)

    def keep(self, last: int) -> None:
        """Moves to mark `last`, if nobody came further, in a transaction of its own."""
        if last > self.look():
            with self._database.writing() as connection:
                self.keep_in(connection, last)

    def keep_in(self, connection: Connection, last: int) -> int:
        """The same in another's; returns the last mark that is settled, by whichever process."""
        if last <= self.last:
            return self.look_in(connection)
        ((first,),) = drive(connection, _KEEP, (last + 1,))
        self.last = first - 1
        return self.last

    def look_in(self, connection: Connection) -> int:
        """The last mark that is settled, by whichever process."""
        ((first,),) = drive(connection, _LOOK)
        self.last = first - 1
        return self.last

    def look(self) -> int:
        """The same, now."""
        with self._database.reading() as connection:
            return self.look_in(connection)


def settled_at(database: Database, ledger: Ledger, position: int, last: int) -> str:
    """The instant at which rules were asked last, by whoever did: as of a position of the log and
    the last mark that is settled."""
    with database.reading() as connection:
        at = mark_at(connection, last)
    for logged in ledger.read(max(0, position - 1), 1):
        fact, recorded_at = logged.recorded.fact, logged.recorded.recorded_at
        at = max(at, fact.effective_at if type(fact) in ALERT_TYPES else recorded_at)
    return at
