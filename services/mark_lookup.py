"""The latest marks of assets, found in the table; services/marks.py says what they are worth.

PostgreSQL has an index of marks by asset. On SQLite the index begins with the time, and
`mark_spans` says in which ten seconds an asset has marks of a kind: from there it goes on by time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    TextClause,
    and_,
    bindparam,
    func,
    select,
    text,
)

from projections.schema import parts
from services.tables import MARKS

Limits = Sequence[ColumnElement[bool]]
LastBefore = Callable[[str], Row[Any] | None]
_END = "~"  # after every instant

# The instant of an asset's last mark of a kind: from span to span backwards, and in each by time.
_WALK = """SELECT m.at FROM mark_spans s CROSS JOIN marks m
WHERE s.asset = {asset} AND s.kind = {kind} AND s.span <= :until
AND m.at >= s.span AND m.at < s.span || '~' AND m.asset = s.asset AND m.kind = s.kind
AND {limit} ORDER BY s.span DESC, m.at DESC LIMIT 1"""
_BY_SPANS = """SELECT m.* FROM (SELECT k.asset, k.kind, (
{walk}) AS at FROM (SELECT DISTINCT asset, kind FROM mark_spans) k) l
CROSS JOIN marks m WHERE m.at = l.at AND m.asset = l.asset AND m.kind = l.kind AND {limit}
ORDER BY m.id"""


def _by_spans(limit: str) -> TextClause:
    walk = _WALK.format(asset="k.asset", kind="k.kind", limit=limit)
    return text(_BY_SPANS.format(walk=walk, limit=limit))


_UNTIL, _STORED = _by_spans("m.at <= :until"), _by_spans("m.id <= :id")
_KNOWN = "m.at < :until AND m.recorded_at <= :known_at"
_LAST = text(f"""SELECT m.* FROM marks m WHERE m.asset = :asset AND m.kind = :kind AND m.at = (
{_WALK.format(asset=":asset", kind=":kind", limit=_KNOWN)})
AND m.recorded_at <= :known_at ORDER BY m.id DESC LIMIT 1""")
_KINDS = text("SELECT DISTINCT kind FROM mark_spans WHERE asset = :asset")
_LAST_BY_INDEX = (
    select(MARKS)
    .where(
        MARKS.c.asset == bindparam("asset"),
        MARKS.c.at < bindparam("until"),
        MARKS.c.recorded_at <= bindparam("known_at"),
    )
    .order_by(MARKS.c.at.desc(), MARKS.c.id.desc())
    .limit(1)
)


_SINCE = text("SELECT count(*) FROM marks WHERE id > :id")
_FEW = 2_000  # each asset's walk goes past all that came since


def latest_until(connection: Connection, until: str | None) -> Iterable[Row[Any]]:
    """Per asset and kind the rows of its latest instant up to `until`, in the order of storing.

    There may be several of one instant: the last of them counts.
    """
    if connection.dialect.name == "sqlite":
        return connection.execute(_UNTIL, {"until": until or _END})
    return latest_within(connection, [] if until is None else [MARKS.c.at <= until])


def latest_stored(connection: Connection, id: int) -> Iterable[Row[Any]]:
    """The same of the marks up to number `id`, as they were when it had just been stored."""
    since = connection.execute(_SINCE, {"id": id}).scalar_one()
    if connection.dialect.name == "sqlite" and since < _FEW:
        return connection.execute(_STORED, {"until": _END, "id": id})
    return latest_within(connection, [MARKS.c.id <= id])


def latest_within(connection: Connection, limits: Limits) -> Iterator[Row[Any]]:
    """The same of the marks within limits, by a look at all of them.

    Most assets have marks of one kind alone: kinds are sorted only for the others.
    """
    is_mixed = (func.min(MARKS.c.kind) < func.max(MARKS.c.kind)).label("is_mixed")
    newest = select(MARKS.c.asset, func.max(MARKS.c.at).label("at"))
    mixed: dict[str, None] = {}
    of_all = newest.add_columns(is_mixed).where(*limits).group_by(MARKS.c.asset).subquery()
    for row in connection.execute(_rows_of(of_all, limits, ("asset", "at"))):
        if row.is_mixed:
            mixed[row.asset] = None
        else:
            yield row
    for some in parts(list(mixed)):
        few = newest.add_columns(MARKS.c.kind).where(MARKS.c.asset.in_(some), *limits)
        by_kind = few.group_by(MARKS.c.asset, MARKS.c.kind).subquery()
        yield from connection.execute(_rows_of(by_kind, limits, ("asset", "at", "kind")))


def last_before(connection: Connection, asset: str, known_at: str | None) -> LastBefore:
    """Finds an asset's last mark before an instant, of those known at `known_at`; ties: stored
    last. A look-up each, however many marks there are.
    """
    known = {"asset": asset, "known_at": known_at or _END}
    if connection.dialect.name != "sqlite":
        return lambda until: connection.execute(_LAST_BY_INDEX, known | {"until": until}).first()
    kinds = connection.scalars(_KINDS, known).all()

    def find(until: str) -> Row[Any] | None:
        told = known | {"until": until}
        found = (connection.execute(_LAST, told | {"kind": kind}).first() for kind in kinds)
        rows = (row for row in found if row is not None)
        return max(rows, key=lambda row: (row.at, row.id), default=None)

    return find


def _rows_of(newest: Subquery, limits: Limits, on: Sequence[str]) -> Select[Any]:
    """The marks, in the order of storing, that have what a row of `newest` has in columns `on`."""
    same = and_(*(MARKS.c[name] == newest.c[name] for name in on))
    query = select(MARKS, *(each for each in newest.c if each.name not in MARKS.c))
    return query.join(newest, same).where(*limits).order_by(MARKS.c.id)
