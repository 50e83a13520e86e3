"""Changes on their way out: of each row of a stream what was last told, and whether it was sent.

Rows of a stream (open wash windows, opportunities) are told as they are now, not as each came to
be: what changes again before it was sent is told once, as it is then. So what waits never grows
beyond one change a row, however long nobody takes it. Told is what differs from what was told
last, and that is kept: after a restart nothing is told twice, and no row that left is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    delete,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from projections.schema import Piece, insert_new, rows
from services.database import Database
from services.tables import PERMANENT, TOLD, TOLD_ROWS

OPPORTUNITIES, WINDOWS = "opportunities", "windows"
STREAMS = (OPPORTUNITIES, WINDOWS)
OPEN, CHANGED, GONE = "open", "changed", "gone"
_R = TOLD_ROWS.c
_OF_ROW = (
    _R.stream == bindparam("of_stream"),
    _R.taxpayer == bindparam("of_taxpayer"),
    _R.row == bindparam("of_row"),
    _R.number == bindparam("of_number"),
)
_IS_DUE = select(_R.row).where(_R.due == 1, _R.stream == bindparam("stream")).limit(1)
_DUE = (
    select(TOLD_ROWS)
    .where(_R.due == 1, _R.stream == bindparam("stream"))
    .order_by(_R.at, _R.taxpayer, _R.number)
    .limit(bindparam("most"))
)


class Change(NamedTuple):
    """A row that changed: its id within stream and taxpayer, its state, the row as JSON."""

    row: str
    state: str
    body: str


class LastTold(NamedTuple):
    """The number of the last change told of a stream and taxpayer, and the rows that are there."""

    number: int
    rows: dict[str, str]


NOTHING_TOLD = LastTold(0, {})


def row_id(*parts: str) -> str:
    """The id of a row by the parts of its key."""
    return "/".join(quote(part, safe=":") for part in parts)


def body_of(row: Piece) -> str:
    """A row as JSON."""
    return msgspec.json.encode(row).decode()


def differences(told: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    """From the rows (JSON by id) that were told to those of now; those that are gone first."""
    gone = [Change(row, GONE, body) for row, body in told.items() if row not in now]
    return gone + [
        Change(row, CHANGED if row in told else OPEN, body)
        for row, body in now.items()
        if told.get(row) != body
    ]


def last_told(connection: Connection, stream: str, names: Collection[str]) -> dict[str, LastTold]:
    """What was last told of a stream, by taxpayer, of those named."""
    numbers = select(TOLD.c.taxpayer, TOLD.c.number).where(
        TOLD.c.stream == stream, TOLD.c.taxpayer.in_(names)
    )
    told = select(_R.taxpayer, _R.row, _R.body).where(
        _R.stream == stream, _R.state != GONE, _R.taxpayer.in_(names)
    )
    found = {name: LastTold(number, {}) for name, number in connection.execute(numbers)}
    for name, row, body in connection.execute(told):
        found[name].rows[row] = body
    return found


def tell(
    connection: Connection, stream: str, taxpayer: str, last: int, changes: Sequence[Change],
    at: str,
) -> int | None:  # fmt: skip
    """Writes changes to be sent, in the caller's transaction; returns the number of the last.

    None, and nothing is written, if the number `last` is not the last that was told: another
    process told something meanwhile, so the changes are not from what was told.
    """
    number = last + len(changes)
    place = {"stream": stream, "taxpayer": taxpayer}
    if not last:
        connection.execute(insert_new(connection.dialect, TOLD), place | {"number": 0})
    mine = TOLD.c.stream == stream, TOLD.c.taxpayer == taxpayer, TOLD.c.number == last
    if connection.execute(update(TOLD).where(*mine).values(number=number)).rowcount != 1:
        return None
    fresh = [
        place | each._asdict() | {"number": last + n, "at": at, "due": 1}
        for n, each in enumerate(changes, start=1)
    ]
    connection.execute(_upsert(connection), fresh)
    return number


def _upsert(connection: Connection) -> Any:
    """A row that was never sent stays `open`, however often it changes before."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement: Any = make(TOLD_ROWS)
    new = statement.excluded
    never_sent = and_(_R.due == 1, _R.state == OPEN, new.state == CHANGED)
    return statement.on_conflict_do_update(
        index_elements=["stream", "taxpayer", "row"],
        set_={
            "number": new.number, "body": new.body, "at": new.at, "due": 1,
            "state": case((never_sent, OPEN), else_=new.state),
        },
    )  # fmt: skip


def due_streams(connection: Connection) -> list[str]:
    """The streams of which something waits to be sent."""
    return [each for each in STREAMS if rows(connection, _IS_DUE, stream=each)]


def due_changes(connection: Connection, stream: str, most: int) -> list[Piece]:
    """Changes to be sent, oldest first."""
    found = connection.execute(_DUE, {"stream": stream, "most": most})
    return [dict(row._mapping) for row in found]


def note_sent(connection: Connection, sent: Iterable[Piece]) -> None:
    """These were sent: rows that are gone are forgotten; what changed meanwhile stays due."""
    of = [{f"of_{name}": row[name] for name in ("stream", "taxpayer", "row", "number")}
          for row in sent]  # fmt: skip
    if of:
        connection.execute(delete(TOLD_ROWS).where(*_OF_ROW, _R.state == GONE), of)
        connection.execute(update(TOLD_ROWS).where(*_OF_ROW).values(due=0), of)


def tell_afresh(connection: Connection) -> None:
    """Every row that is there is to be sent once more, under its id: for who begins to listen."""
    connection.execute(update(TOLD_ROWS).values(due=1))


def make_tables(database: Database) -> None:
    """Makes the tables on a file that is older than they are; on a server a migration does."""
    with database.reading() as connection:
        if inspect(connection).has_table(TOLD_ROWS.name):
            return
    with database.writing() as connection:
        PERMANENT.create_all(connection)
