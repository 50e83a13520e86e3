"""Marks: prices used to value, kept with source and time; the board of the latest ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Row, func, select

from domain.exact import ONE_UNIT, format_quantity, quantity
from projections.schema import insert_new
from services.mark_policy import haircut
from services.statement import Mark
from services.tables import MARKS


@dataclass(frozen=True, slots=True)
class Quote:
    """A mark as it comes in: exact price text, an instant in UTC (or a date: end of that day)."""

    asset: str
    price: str
    at: str
    currency: str = "USD"
    source: str = "file"
    kind: str = "trade"

    def mark(self) -> Mark:
        """The quote as the engine values with it: less the haircut of its kind."""
        price, share = quantity(self.price), haircut(self.kind)
        if not share:
            return Mark(self.asset, price, self.at, self.source, self.kind)
        off = price * share // ONE_UNIT
        taken = format_quantity(share)
        return Mark(self.asset, price - off, self.at, self.source, self.kind, off, taken)


def quote_of(row: Row[Any]) -> Quote:
    """The quote that a row of the marks, or of the held ones, keeps."""
    return Quote(row.asset, row.price, row.at, row.currency, row.source, row.kind)


def store(connection: Connection, quotes: Sequence[Quote], recorded_at: str) -> int:
    """Keeps quotes; one that is known already adds nothing. Returns how many are new."""
    return _store(connection, quotes, recorded_at, last_id(connection))


def _store(connection: Connection, quotes: Sequence[Quote], recorded_at: str, after: int) -> int:
    """Ids are given here, in order: a sequence of the database may leave some out."""
    if not quotes:
        return 0
    stored = connection.exec_driver_sql(
        _store_text(connection.dialect),
        [
            (id, q.asset, q.at, q.price, q.currency, q.source, q.kind, recorded_at)
            for id, q in enumerate(quotes, start=after + 1)
        ],
    )
    return stored.rowcount


@cache
def _store_text(dialect: Dialect) -> str:
    names = ("id", "asset", "at", "price", "currency", "source", "kind", "recorded_at")
    statement = insert_new(dialect, MARKS).values(dict.fromkeys(names, ""))
    return str(statement.compile(dialect=dialect))


def store_after(
    connection: Connection, quotes: Sequence[Quote], recorded_at: str, after: int
) -> list[tuple[int, Quote]]:
    """Keeps quotes; returns (id, quote) of every mark stored after mark `after`, by anyone.

    Where nobody else stored one and all are new, they are known without reading them back.
    """
    before = last_id(connection)
    if _store(connection, quotes, recorded_at, before) == len(quotes) and before == after:
        return list(enumerate(quotes, start=before + 1))
    return stored_after(connection, after)


def last_id(connection: Connection) -> int:
    """The id of the mark stored last; 0 without marks."""
    return connection.scalar(select(func.max(MARKS.c.id))) or 0


def latest(
    connection: Connection,
    until: str | None = None,
    known_at: str | None = None,
    until_id: int | None = None,
) -> dict[str, Mark]:
    """The latest mark of every asset at or before `until`, as known then; ties: stored last."""
    query = select(MARKS).order_by(MARKS.c.asset, MARKS.c.at, MARKS.c.id)
    newest = select(MARKS.c.asset, func.max(MARKS.c.at).label("at"))
    if until is not None:
        newest = newest.where(MARKS.c.at <= until)
    if known_at is not None:
        newest = newest.where(MARKS.c.recorded_at <= known_at)
        query = query.where(MARKS.c.recorded_at <= known_at)
    if until_id is not None:
        newest = newest.where(MARKS.c.id <= until_id)
        query = query.where(MARKS.c.id <= until_id)
    best = newest.group_by(MARKS.c.asset).subquery()
    query = query.join(best, (MARKS.c.asset == best.c.asset) & (MARKS.c.at == best.c.at))
    return {row.asset: quote_of(row).mark() for row in connection.execute(query)}


def stored_after(connection: Connection, id: int) -> list[tuple[int, Quote]]:
    """(id, quote) of every mark stored after mark `id`, by whichever process, in that order."""
    query = select(MARKS).where(MARKS.c.id > id).order_by(MARKS.c.id)
    return [(row.id, quote_of(row)) for row in connection.execute(query)]


class MarkBoard:
    """The latest mark per asset, in memory: what `latest` would say of the marks up to `last_id`.

    It takes marks only as they were stored, so that table and board never differ.
    """

    def __init__(self, connection: Connection, until_id: int | None = None) -> None:
        self.marks = latest(connection, until_id=until_id)
        self.last_id = last_id(connection) if until_id is None else until_id

    def take(self, id: int, quote: Quote) -> bool:
        """Takes the next stored mark; an older one never replaces a newer one."""
        self.last_id = id
        known = self.marks.get(quote.asset)
        if known is not None and known.at > quote.at:
            return False
        self.marks[quote.asset] = quote.mark()
        return True

    def follow(self, connection: Connection) -> set[str]:
        """Takes every mark stored since, without evaluating anything; returns what moved."""
        stored = stored_after(connection, self.last_id)
        return {quote.asset for id, quote in stored if self.take(id, quote)}


def shown(mark: Mark) -> dict[str, str]:
    """A mark as text, at the price that values: so the evidence of an alert adds up."""
    return {
        "asset": mark.asset, "price": format_quantity(mark.price), "at": mark.at,
        "source": mark.source, "kind": mark.kind,
    }  # fmt: skip
