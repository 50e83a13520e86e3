"""Marks: prices used to value, kept with source and time; the board of the latest ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from domain.exact import ONE_UNIT, format_quantity, quantity
from domain.split_factors import SplitFactor
from domain.tokens import Token
from projections import splits as split_rows
from projections import tokens as token_rows
from projections.schema import change, rows
from services.mark_board import Board, Told
from services.mark_choice import Candidates
from services.mark_lookup import latest_stored, latest_until, latest_within
from services.mark_policy import haircut
from services.statement import Mark
from services.tables import MARKS

# Built once: they run at every batch.
_LAST_ID = select(func.max(MARKS.c.id))
_GIVEN = {column.name: bindparam(column.name, type_=column.type) for column in MARKS.c}
_IN_FORCE = (
    select(MARKS.c.price)
    .where(*(MARKS.c[name] == _GIVEN[name] for name in ("at", "asset", "source", "kind")))
    .order_by(MARKS.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_STORE = insert(MARKS).from_select(
    list(_GIVEN), select(*_GIVEN.values()).where(_GIVEN["price"].is_distinct_from(_IN_FORCE))
)


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
    """Keeps quotes; one that is known already adds nothing. Returns how many are new.

    Known is the price in force: the one stored last of its asset, instant, source and kind. Any
    other takes its place, one that was there before it too: the last word of a feed counts.
    The transaction is one of `writing_marks`: of two that number marks at once one would lose some.
    """
    return _store(connection, quotes, recorded_at, last_id(connection))


def _store(connection: Connection, quotes: Sequence[Quote], recorded_at: str, after: int) -> int:
    """Ids are given here, in order: a sequence of the database may leave some out."""
    each = [
        {"id": id, "asset": q.asset, "at": q.at, "price": q.price, "currency": q.currency,
         "source": q.source, "kind": q.kind, "recorded_at": recorded_at}
        for id, q in enumerate(quotes, start=after + 1)
    ]  # fmt: skip
    return change(connection, _STORE, *each) if each else 0


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
    ((last,),) = rows(connection, _LAST_ID)
    return last or 0


def mark_at(connection: Connection, id: int) -> str:
    """The instant of the mark `id`; empty without it."""
    return connection.scalar(select(MARKS.c.at).where(MARKS.c.id == id)) or ""


def first_recorded_at(connection: Connection, id: int) -> str:
    """When we learned of the first mark from number `id` on, in UTC; empty without one.

    A mark that was known when it came again has left its number out.
    """
    query = select(MARKS.c.recorded_at).where(MARKS.c.id >= id).order_by(MARKS.c.id).limit(1)
    return connection.scalar(query) or ""


def latest(
    connection: Connection,
    until: str | None = None,
    known_at: str | None = None,
    tokens: Iterable[Token] = (),
    splits: Iterable[SplitFactor] = (),
) -> dict[str, Mark]:
    """The mark that values each asset at `until`, as known then: see services/mark_choice.py.

    `tokens` as they were then: each without a better mark of its own is worth its share. `splits`
    as well: a mark from before one counts as a price of units of after it.
    """
    if known_at is None:
        rows = latest_until(connection, until)
    else:
        limits = [MARKS.c.recorded_at <= known_at]
        rows = latest_within(connection, limits + ([] if until is None else [MARKS.c.at <= until]))
    board = Board(_candidates(rows))
    board.weigh({token.asset: token for token in tokens})
    told: dict[str, list[list[SplitFactor]]] = {}
    for split in splits:
        told.setdefault(split.asset, [[]])[0].append(split)
    board.rescale(told)
    return board.marks


def _candidates(rows: Iterable[Row[Any]]) -> dict[str, Candidates]:
    """Per asset and kind the latest of its marks: rows in the order of storing, the last counts."""
    found: dict[str, Candidates] = {}
    for row in rows:
        found.setdefault(row.asset, {})[row.kind] = (row.id, quote_of(row).mark())
    return found


def stored_after(
    connection: Connection, id: int, limit: int | None = None
) -> list[tuple[int, Quote]]:
    """(id, quote) of the marks stored after mark `id`, by whichever process, in that order."""
    query = select(MARKS).where(MARKS.c.id > id).order_by(MARKS.c.id).limit(limit)
    return [(row.id, quote_of(row)) for row in connection.execute(query)]


class MarkBoard(Board):
    """The board of the stored marks up to `last_id`; `tokens` and `splits`: None, as the read
    models have them.

    It takes marks only as they were stored, so that table and board never differ.
    """

    def __init__(
        self,
        connection: Connection,
        until_id: int | None = None,
        tokens: Mapping[str, Token] | None = None,
        splits: Told | None = None,
    ) -> None:
        if until_id is None:
            rows = latest_until(connection, None)
        else:
            rows = latest_stored(connection, until_id)
        super().__init__(_candidates(rows))
        self.last_id = last_id(connection) if until_id is None else until_id
        self._moved: set[str] = set()
        self.weigh(token_rows.by_asset(connection) if tokens is None else tokens)
        self.rescale(split_rows.by_asset(connection) if splits is None else splits)

    def take(self, id: int, quote: Quote) -> list[str]:
        """Takes the next stored mark; returns the assets that it moved."""
        self.last_id = id
        return self.put(id, quote.mark())

    def follow_tokens(self, connection: Connection) -> bool:
        """Takes up tokens and splits of the read models; whether an asset has another mark now."""
        moved = self.weigh(token_rows.by_asset(connection))
        moved += self.rescale(split_rows.by_asset(connection))
        self._moved.update(moved)
        return bool(moved)

    def moved_by_facts(self) -> set[str]:
        """The assets that got another mark by tokens and splits since this was asked last."""
        moved, self._moved = self._moved, set()
        return moved

    def follow(self, connection: Connection) -> set[str]:
        """Takes every mark stored since, without evaluating anything; returns what moved."""
        stored = stored_after(connection, self.last_id)
        return {asset for id, quote in stored for asset in self.take(id, quote)}


def shown(mark: Mark) -> dict[str, str]:
    """A mark as text, at the price that values: so the evidence of an alert adds up."""
    return {
        "asset": mark.asset, "price": format_quantity(mark.price), "at": mark.at,
        "source": mark.source, "kind": mark.kind,
    }  # fmt: skip
